"""Kill what matters under load: nothing acknowledged is lost, and writing goes on soon.

The load is acks=all with idempotence; each victim dies by SIGKILL and is started again. The time
from the kill to the next acknowledged write is printed; a test asserts only a bound that a stalled
machine keeps too, below the nine seconds after which Apache Kafka notices a dead broker.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator

import pytest

from ottla.client.admin import Admin
from ottla.testing import Cluster
from tests.support.ledger import SteadyProducer, account, read_all
from tests.support.topics import create_topic

NEXT_WRITE_SECONDS_MAX = 8.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster(brokers=3) as cluster:
        yield cluster


def leader(cluster: Cluster, topic: str) -> int:
    """A leader that is not also the active controller, where there is one."""
    controller = cluster.controller()
    leaders = [cluster.leader(topic, index) for index in range(3)]
    return next((node for node in leaders if node != controller), leaders[0])


def controller_that_leads_nothing_of_it(cluster: Cluster, topic: str) -> int:
    return cluster.controller()


def both(cluster: Cluster, topic: str) -> int:
    """The active controller, which leads one of three partitions as every broker does."""
    controller = cluster.controller()
    assert controller in {cluster.leader(topic, index) for index in range(3)}
    return controller


@pytest.mark.parametrize(
    ("name", "choose"),
    [
        ("leader", leader),
        ("controller", controller_that_leads_nothing_of_it),
        ("leader-and-controller", both),
    ],
)
def test_a_victim_is_killed_under_load(
    cluster: Cluster,
    name: str,
    choose: Callable[[Cluster, str], int],
    record_property: Callable[[str, object], None],
) -> None:
    topic = f"kill-{name}"
    create_topic(cluster.bootstrap, topic)
    cluster.wait_in_sync(topic)
    with SteadyProducer(cluster.bootstrap, topic) as producer:
        assert producer.wait_acknowledged_after(time.monotonic(), 30) is not None
        victim = choose(cluster, topic)
        cluster.kill(victim)
        killed_at = time.monotonic()
        took = producer.wait_every_key_after(killed_at, 60)
        cluster.start(victim)
        cluster.wait_in_sync(topic)
        ledger = producer.finish()
    record_property("seconds_to_next_write", took)
    print(  # noqa: T201
        f"{name}: broker {victim} killed, all partitions written again after {took:.2f} s, "
        f"longest gap {ledger.longest_gap():.2f} s, {len(ledger.acknowledged)} acknowledged"
    )
    assert not ledger.failed
    assert len(ledger.acknowledged) == producer.sent
    account(ledger, asyncio.run(read_all(cluster.bootstrap, topic)))
    assert took < NEXT_WRITE_SECONDS_MAX


def members(cluster: Cluster) -> set[int]:
    with Admin(cluster.bootstrap, timeout_seconds=15.0) as admin:
        return {b.broker_id for b in admin.describe_cluster().brokers if not b.fenced}


def test_one_that_stands_still_is_fenced_by_its_lease_and_rejoins(cluster: Cluster) -> None:
    """A leader that is the active controller too. Its connections stay open, nothing is refused."""
    topic = "stand-still"
    create_topic(cluster.bootstrap, topic)
    cluster.wait_in_sync(topic)
    with SteadyProducer(cluster.bootstrap, topic) as producer:
        assert producer.wait_acknowledged_after(time.monotonic(), 30) is not None
        victim = both(cluster, topic)
        cluster.pause(victim)
        paused_at = time.monotonic()
        took = producer.wait_every_key_after(paused_at, 60)
        assert victim not in members(cluster)
        cluster.resume(victim)
        cluster.wait_serving(victim)
        cluster.wait_in_sync(topic)
        assert members(cluster) == set(cluster.node_ids)
        ledger = producer.finish()
    print(f"broker {victim} paused, all partitions written again after {took:.2f} s")  # noqa: T201
    assert not ledger.failed
    account(ledger, asyncio.run(read_all(cluster.bootstrap, topic)))


def test_all_brokers_die_at_once(cluster: Cluster) -> None:
    topic = "kill-all"
    create_topic(cluster.bootstrap, topic)
    cluster.wait_in_sync(topic)
    with SteadyProducer(cluster.bootstrap, topic) as producer:
        assert producer.wait_acknowledged_after(time.monotonic() + 1, 30) is not None
        cluster.kill_all()
        cluster.start_all()
        back_at = time.monotonic()
        assert producer.wait_acknowledged_after(back_at, 60) is not None
        ledger = producer.finish()
    assert not ledger.failed
    account(ledger, asyncio.run(read_all(cluster.bootstrap, topic)))
