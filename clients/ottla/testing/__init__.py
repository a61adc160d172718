"""A real cluster inside a test: brokers as child processes, with faults on command.

::

    from ottla.testing import Cluster

    with Cluster(brokers=3) as cluster:
        producer = confluent_kafka.Producer({"bootstrap.servers": cluster.bootstrap})
        ...
        cluster.kill(cluster.leader("orders", 0))

or the pytest fixture `ottla_cluster`. Needs the server: ``pip install "ottla[server]"``.
"""

from ottla.testing.cluster import Cluster

__all__ = ["Cluster"]
