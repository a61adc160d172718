from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import pytest

from broker.groups.consumer.group import ConsumerGroupState
from broker.groups.offsets import OffsetStore
from broker.groups.states import GroupState
from broker.groups.stored import CommittedOffset, OffsetRecord
from broker.metrics import coordinators as module
from broker.metrics.caps import LeftOut
from broker.metrics.coordinators import group_families, runtime_families, transaction_families
from broker.metrics.durations import Durations
from broker.replication.partition_machine import Role
from tests.support.metrics_page import values
from tests.support.transaction_driver import TransactionDriver


class Remote:
    """Knows the ends of what other brokers lead."""

    def __init__(self, ends: dict[tuple[str, int], int] | None = None) -> None:
        self.ends = ends or {}
        self.pages = 0

    def high_watermark(self, topic: str, index: int) -> int | None:
        return self.ends.get((topic, index))

    def page_is_made(self) -> None:
        self.pages += 1


def groups(*machines: Any, counts: Counter[tuple[str, str]] | None = None) -> Any:
    return SimpleNamespace(
        runtime=SimpleNamespace(machines=lambda: machines, counts=counts or Counter())
    )


def machine(*committed: tuple[str, str, int, int], **more: Any) -> Any:
    """(group, topic, partition, offset)"""
    offsets = OffsetStore()
    for group, topic, index, offset in committed:
        offsets.replay(OffsetRecord(group, topic, index, CommittedOffset(offset, -1, "", 0)))
    fields = {"groups": {}, "consumers": SimpleNamespace(groups={}), **more}
    return SimpleNamespace(offsets=offsets, **fields)


def replicas(ends: dict[tuple[str, int], int], offline: tuple[tuple[str, int], ...] = ()) -> Any:
    def maybe_partition(topic: str, index: int) -> Any:
        if (topic, index) not in ends:
            return None
        role = Role.OFFLINE if (topic, index) in offline else Role.FOLLOWER
        return SimpleNamespace(
            high_watermark=ends[topic, index], machine=SimpleNamespace(role=role)
        )

    return SimpleNamespace(maybe_partition=maybe_partition)


def page(
    made: Any, here: Any, remote: Remote | None = None, left_out: LeftOut | None = None
) -> dict[tuple[str, ...], float]:
    return values(group_families(made, here, cast(Any, remote or Remote()), left_out or LeftOut()))


def test_the_lag_is_complete_though_other_brokers_have_the_partitions() -> None:
    remote = Remote({("orders", 1): 50, ("orders", 2): 7})
    made = groups(
        machine(("g", "orders", 0, 10), ("g", "orders", 1, 20), ("g", "orders", 2, 7)),
        machine(("h", "orders", 3, 0), ("h", "orders", 0, 99)),
    )
    found = page(made, replicas({("orders", 0): 12}), remote)
    assert found["ottla_group_lag_records", "g", "orders"] == 2 + 30 + 0
    assert found["ottla_group_lag_unknown_partitions", "g", "orders"] == 0
    # It is beyond the end that a follower knows of; of the other nobody has told yet.
    assert found["ottla_group_lag_records", "h", "orders"] == 0
    assert found["ottla_group_lag_unknown_partitions", "h", "orders"] == 1
    assert found["ottla_group_offsets",] == 5
    assert remote.pages == 1


def test_a_replica_on_a_failed_disk_does_not_know_the_end() -> None:
    here = replicas({("orders", 0): 12}, offline=(("orders", 0),))
    found = page(groups(machine(("g", "orders", 0, 10))), here, Remote({("orders", 0): 40}))
    assert found["ottla_group_lag_records", "g", "orders"] == 30


def test_series_of_groups_are_capped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GROUP_TOPICS_MAX", 2)
    left_out = LeftOut()
    made = groups(machine(*[("g", f"t{number}", 0, 0) for number in range(5)]))
    found = page(made, replicas({(f"t{number}", 0): 3 for number in range(5)}), None, left_out)
    assert sum(key[0] == "ottla_group_lag_records" for key in found) == 2
    assert values(left_out.families())["ottla_metrics_left_out", "group_topics"] == 3


def test_groups_are_counted_by_protocol_and_state() -> None:
    classic = {
        name: SimpleNamespace(state=state, members=dict.fromkeys(range(members)))
        for name, state, members in (
            ("a", GroupState.STABLE, 3),
            ("b", GroupState.STABLE, 1),
            ("c", GroupState.EMPTY, 0),
        )
    }
    consumers = {
        "d": SimpleNamespace(state=ConsumerGroupState.RECONCILING, members=dict.fromkeys(range(5)))
    }
    counts = Counter(
        {
            ("rebalances", "member_left"): 4,
            ("offset_commits", "plain"): 6,
            ("offset_commits", "transactional"): 8,
        }
    )
    made = groups(
        machine(groups=classic, consumers=SimpleNamespace(groups=consumers)), counts=counts
    )
    found = page(made, replicas({}))
    assert found["ottla_groups", "Stable", "classic"] == 2
    assert found["ottla_groups", "Empty", "classic"] == 1
    assert found["ottla_groups", "Reconciling", "consumer"] == 1
    assert found["ottla_groups", "Stable", "consumer"] == 0
    assert found["ottla_group_members",] == 9
    assert found["ottla_group_rebalances_total", "member_left"] == 4
    assert found["ottla_group_rebalances_total", "member_joined"] == 0
    assert found["ottla_group_offset_commits_total", "plain"] == 6
    assert found["ottla_group_offset_commits_total", "transactional"] == 8


def test_others_have_turns_while_many_groups_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ENTRIES_PER_PAUSE", 10)
    committed = [(f"g{number}", "orders", 0, 0) for number in range(40)]
    made = groups(machine(*committed))
    families = list(
        group_families(made, replicas({("orders", 0): 3}), cast(Any, Remote()), LeftOut())
    )
    assert families.count(None) == 4


def test_runtimes_tell_what_they_load() -> None:
    loads = Durations()
    loads.note(2_000_000_000)
    runtime = SimpleNamespace(
        topic="__consumer_offsets",
        machines=lambda: [1, 2],
        indexes=(4, 5, 6),
        loads=loads,
        loaded_records=7,
        load_failures=8,
    )
    found = values(runtime_families([cast(Any, runtime)]))
    assert found["ottla_coordinator_partitions", "active", "__consumer_offsets"] == 2
    assert found["ottla_coordinator_partitions", "loading", "__consumer_offsets"] == 1
    assert found["ottla_coordinator_load_duration_seconds_sum", "__consumer_offsets"] == 2
    assert found["ottla_coordinator_loaded_records_total", "__consumer_offsets"] == 7
    assert found["ottla_coordinator_load_failures_total", "__consumer_offsets"] == 8


def test_transactions_are_counted_by_state_and_the_oldest_open_one_is_told() -> None:
    driver = TransactionDriver()
    identities = {}
    for number in range(4):
        name = f"tx-{number}"
        identities[name] = driver.init(fresh=number, name=name)
    driver.add(identities["tx-1"], ("t", 0), name="tx-1")
    driver.clock.advance(3_000)
    driver.add(identities["tx-2"], ("t", 0), name="tx-2")
    driver.add(identities["tx-3"], ("t", 0), name="tx-3")
    driver.end(identities["tx-3"], commit=True, name="tx-3")
    driver.clock.advance(2_000)
    transactions = SimpleNamespace(
        runtime=SimpleNamespace(
            machines=lambda: [driver.machine], counts=Counter({("timed_out", ""): 9})
        )
    )
    found = values(transaction_families(cast(Any, transactions), driver.clock))
    assert found["ottla_transactions", "Empty"] == 1
    assert found["ottla_transactions", "Ongoing"] == 2
    assert found["ottla_transactions", "PrepareCommit"] == 1
    assert found["ottla_transactions_oldest_open_seconds",] == 5
    assert found["ottla_transactions_marker_backlog",] == 1
    assert found["ottla_transactions_timed_out_total",] == 9
