from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from broker.metrics import replicas as module
from broker.metrics.caps import LeftOut
from broker.metrics.exposition import lines
from broker.metrics.replicas import replica_families, topic_families
from broker.replication.partition_machine import Role
from broker.replication.traffic import TopicTraffic


def partition(index: int, role: Role, isr: tuple[int, ...] = (1, 2), behind: int = 0) -> Any:
    followers = {2: SimpleNamespace(log_end_offset=10 - behind if behind < 10 else None)}
    return SimpleNamespace(
        topic="orders",
        index=index,
        isr=isr,
        is_leader=role is Role.LEADER,
        high_watermark=9,
        log=SimpleNamespace(log_end_offset=10, log_start_offset=3, size_bytes=100),
        machine=SimpleNamespace(
            role=role, replicas=(1, 2), enough_replicas=len(isr) > 1, followers=followers
        ),
    )


def manager_of(partitions: tuple[Any, ...], traffic: Any = None) -> Any:
    throttles = [SimpleNamespace(bytes_taken=size) for size in (70, 80)]
    return SimpleNamespace(
        partitions=partitions,
        traffic=traffic,
        service=SimpleNamespace(throttle=throttles[0]),
        throttle_in=throttles[1],
    )


def page(partitions: list[Any], left_out: LeftOut | None = None) -> dict[str, str]:
    manager = manager_of(tuple(partitions))
    text = "".join(lines(replica_families(manager, left_out or LeftOut()), open_metrics=False))
    return dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))


def test_partitions_are_counted_by_what_is_wrong_with_them() -> None:
    values = page(
        [
            partition(0, Role.LEADER, behind=4),
            partition(1, Role.LEADER, isr=(1,), behind=99),
            partition(2, Role.FOLLOWER, isr=(2,)),
            partition(3, Role.OFFLINE),
        ]
    )
    assert values['ottla_partitions{role="leader"}'] == "2"
    assert values['ottla_partitions{role="offline"}'] == "1"
    assert values["ottla_partitions_under_replicated"] == "1"
    assert values["ottla_partitions_under_min_isr"] == "1"
    assert values['ottla_replication_throttled_bytes_total{role="leader"}'] == "70"
    assert values['ottla_replication_throttled_bytes_total{role="follower"}'] == "80"
    assert values['ottla_partition_replica_lag_records{topic="orders",partition="0"}'] == "4"
    # No position was proved: it lags by all that there is.
    assert values['ottla_partition_replica_lag_records{topic="orders",partition="1"}'] == "7"
    assert values['ottla_follower_lag_max_records{follower="2"}'] == "7"
    assert 'ottla_partition_replica_lag_records{topic="orders",partition="2"}' not in values
    assert values['ottla_partition_log_end_offset{topic="orders",partition="2"}'] == "10"


def test_series_of_partitions_are_capped_and_the_rest_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "PARTITIONS_MAX", 3)
    left_out = LeftOut()
    values = page([partition(index, Role.LEADER) for index in range(5)], left_out)
    assert sum(name.startswith("ottla_partition_size_bytes") for name in values) == 3
    assert values['ottla_partitions{role="leader"}'] == "5"
    told = "".join(lines(left_out.families(), open_metrics=False))
    assert 'ottla_metrics_left_out{kind="partitions"} 2' in told


def test_others_have_turns_while_many_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ENTRIES_PER_PAUSE", 10)
    manager = manager_of(
        tuple(partition(index, Role.LEADER) for index in range(35)),
        {bytes([number]) * 16: TopicTraffic() for number in range(25)},
    )
    assert list(replica_families(manager, LeftOut())).count(None) == 3
    state = cast(Any, SimpleNamespace(topics={}))
    assert list(topic_families(manager, lambda: state, LeftOut())).count(None) == 2


def test_series_of_topics_are_capped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TOPICS_MAX", 2)
    left_out = LeftOut()
    ids = [bytes([number]) * 16 for number in range(4)]
    traffic = {topic_id: TopicTraffic() for topic_id in ids}
    traffic[ids[0]].bytes_in = 12
    topics = {topic_id: SimpleNamespace(name=f"t{topic_id[0]}") for topic_id in ids[:3]}
    made = topic_families(
        cast(Any, SimpleNamespace(traffic=traffic)),
        lambda: cast(Any, SimpleNamespace(topics=topics)),
        left_out,
    )
    text = "".join(lines(made, open_metrics=False))
    assert 'ottla_topic_received_bytes_total{topic="t0"} 12' in text
    assert 't2"' not in text
    told = "".join(lines(left_out.families(), open_metrics=False))
    assert 'ottla_metrics_left_out{kind="topics"} 1' in told  # of three: one is deleted
