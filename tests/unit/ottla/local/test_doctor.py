from ottla.local.doctor import (
    AddressFacts,
    ClusterFacts,
    NodeFacts,
    PartitionFacts,
    diagnose,
)
from ottla.local.reachability import DialFailure

ALL = frozenset({1, 2})


def address(broker: int, **changes: object) -> AddressFacts:
    values: dict[str, object] = {
        "address": f"127.0.0.1:{9091 + broker}",
        "broker_id": broker,
        "brokers_seen": ALL,
        "cluster_id": "x",
        "controller_id": 1,
    }
    return AddressFacts(**{**values, **changes})  # type: ignore[arg-type]


def node(broker: int, alive: bool = True, why: str = "") -> NodeFacts:
    return NodeFacts(broker, f"127.0.0.1:{9091 + broker}", alive, why)


def problems(facts: ClusterFacts) -> list[str]:
    return [str(finding) for finding in diagnose(facts).findings]


def test_all_is_well() -> None:
    partition = PartitionFacts("t", 0, 1, (1, 2), (2, 1), 2)
    facts = ClusterFacts([node(1), node(2)], [address(1), address(2)], [partition], "d", 1 << 40)
    assert diagnose(facts).healthy


def test_a_stopped_cluster_is_one_finding() -> None:
    facts = ClusterFacts([node(1, False), node(2, False)], [address(1, error="refused")])
    assert problems(facts) == ["the cluster is stopped; start it with 'ottla up'"]


def test_a_dead_node_is_named_once_in_its_own_words() -> None:
    facts = ClusterFacts(
        [node(1), node(2, False, "node 2 stopped: disk full")],
        [address(1, brokers_seen={1}), address(2, error="connection refused")],
    )
    assert problems(facts) == [
        "node 2 stopped: disk full; start it again with 'ottla up --detach'; its data is kept"
    ]


def test_an_advertised_address_that_does_not_answer() -> None:
    facts = ClusterFacts(addresses=[address(1), address(2, error="timed out")])
    assert problems(facts) == [
        "broker 2 advertises 127.0.0.1:9093, which does not answer (timed out); start the broker, "
        "or correct its advertised.listeners"
    ]


def test_an_advertised_address_of_the_other_side_is_explained() -> None:
    facts = ClusterFacts(
        asked=["192.168.7.1:9092"],
        addresses=[
            address(1),
            address(2, error="connection refused", failure=DialFailure.REFUSED),
        ],
    )
    (found,) = problems(facts)
    assert found.startswith(
        "broker 2 advertises 127.0.0.1:9093, which is right on the broker's own"
    )


def test_a_local_node_that_does_not_serve_is_no_matter_of_addresses() -> None:
    facts = ClusterFacts(
        [node(1), node(2)],
        [address(1), address(2, error="connection refused", failure=DialFailure.REFUSED)],
        asked=["elsewhere:9092"],
    )
    assert "the process lives but does not serve" in problems(facts)[0]


def test_an_address_of_the_user_is_explained() -> None:
    unknown = AddressFacts("broker-9:9092", None, error="…", failure=DialFailure.UNRESOLVED)
    assert problems(ClusterFacts(addresses=[unknown]))[0].startswith(
        "broker-9:9092 is a name that does not resolve here; correct it"
    )


def test_two_clusters() -> None:
    facts = ClusterFacts(addresses=[address(1), address(2, cluster_id="y")])
    assert "belong to 2 clusters (x, y)" in problems(facts)[0]


def test_no_controller_and_views_that_differ() -> None:
    facts = ClusterFacts(
        [node(1), node(2), node(3)],
        [
            address(1, controller_id=None),
            address(2, controller_id=None, brokers_seen=frozenset({2})),
        ],
    )
    found = problems(facts)
    assert "no broker knows an active controller" in found[0]
    assert "127.0.0.1:9093 does not see broker 1" in found[1]
    assert "node 3 runs but is not part of the cluster" in found[2]


def test_partitions_that_are_offline_under_minimum_or_behind() -> None:
    partitions = [
        *(PartitionFacts("lost", index, None, (2, 3), (3,)) for index in range(4)),
        PartitionFacts("short", 0, 1, (1, 2, 3), (1,), 2),
        PartitionFacts("slow", 0, 1, (1, 2, 3), (1, 2), 2),
        PartitionFacts("alone", 0, 1, (1,), (1,), 2),
    ]
    found = problems(ClusterFacts(addresses=[address(1), address(2)], partitions=partitions))
    assert found == [
        "4 partitions are (lost-0, lost-1, lost-2, …) without a leader; start broker 3, which has "
        "the data",
        "1 partition is (short-0) with fewer in-sync replicas than min.insync.replicas, so "
        "acks=all is refused; start broker 2, 3",
        "1 partition is (slow-0) with a replica that is not in sync; if it does not catch up by "
        "itself, look at broker 3",
    ]


def test_a_disk_that_is_nearly_full() -> None:
    found = problems(ClusterFacts(data_folder="/data", free_bytes=5 << 20))
    assert found[0].startswith("only 5 MiB are free where /data lies; free space")
