"""Groups and transactions that this broker coordinates, and the runtimes that load them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from broker.coordinator.runtime import CoordinatorRuntime
from broker.groups.consumer.group import ConsumerGroupState
from broker.groups.group_coordinator import GroupCoordinator
from broker.groups.states import GroupState
from broker.metrics.caps import GROUP_TOPICS_MAX, LeftOut
from broker.metrics.exposition import Family, counter, gauge, histogram, labels
from broker.metrics.remote_ends import RemoteEnds
from broker.replication.manager import ReplicaManager
from broker.replication.partition_machine import Role
from broker.transactions.states import TransactionState
from broker.transactions.transaction_coordinator import TransactionCoordinator
from ottla.core.clock import Clock

ENTRIES_PER_PAUSE = 200
REBALANCE_CAUSES = (
    "member_joined",
    "member_rejoined",
    "member_replaced",
    "member_left",
    "member_expired",
    "protocol_changed",
)


def runtime_families(runtimes: list[CoordinatorRuntime[Any]]) -> Iterator[Family]:
    yield gauge(
        "ottla_coordinator_partitions",
        "Partitions of coordinators led here; one that loads does not answer yet.",
        [
            (labels(topic=runtime.topic, state=state), count)
            for runtime in runtimes
            for state, count in _by_activity(runtime)
        ],
    )
    yield histogram(
        "ottla_coordinator_load_duration_seconds",
        "How long a partition's state took to load, waits included.",
        [(labels(topic=runtime.topic), runtime.loads) for runtime in runtimes],
    )
    yield counter(
        "ottla_coordinator_loaded_records",
        "Records that were read to load states.",
        [(labels(topic=runtime.topic), runtime.loaded_records) for runtime in runtimes],
    )
    yield counter(
        "ottla_coordinator_load_failures",
        "Loads that failed and are tried again.",
        [(labels(topic=runtime.topic), runtime.load_failures) for runtime in runtimes],
    )


def group_families(
    groups: GroupCoordinator, replicas: ReplicaManager, remote: RemoteEnds, left_out: LeftOut
) -> Iterator[Family | None]:
    states: Counter[tuple[str, str]] = Counter()
    members = offsets = 0
    for machine in groups.runtime.machines():
        for number, classic in enumerate([*machine.groups.values()], 1):
            states["classic", classic.state.value] += 1
            members += len(classic.members)
            if number % ENTRIES_PER_PAUSE == 0:
                yield None
        for number, consumers in enumerate([*machine.consumers.groups.values()], 1):
            states["consumer", consumers.state.value] += 1
            members += len(consumers.members)
            if number % ENTRIES_PER_PAUSE == 0:
                yield None
        offsets += machine.offsets.count
    known = [("classic", state.value) for state in GroupState if state is not GroupState.DEAD]
    known += [("consumer", state.value) for state in ConsumerGroupState]
    yield gauge(
        "ottla_groups",
        "Consumer groups coordinated here, by protocol and state.",
        [(labels(type=kind, state=state), states[kind, state]) for kind, state in known],
    )
    yield gauge("ottla_group_members", "Members of these groups.", members)
    yield gauge("ottla_group_offsets", "Committed offsets that are kept.", offsets)
    counts = groups.runtime.counts
    yield counter(
        "ottla_group_rebalances",
        "Rebalances of classic groups, by cause.",
        [(labels(cause=cause), counts["rebalances", cause]) for cause in REBALANCE_CAUSES],
    )
    yield counter(
        "ottla_group_offset_commits",
        "Requests that committed offsets.",
        [
            (labels(kind=kind), counts["offset_commits", kind])
            for kind in ("plain", "transactional")
        ],
    )
    yield from _lag_families(groups, replicas, remote, left_out)


def _lag_families(
    groups: GroupCoordinator, replicas: ReplicaManager, remote: RemoteEnds, left_out: LeftOut
) -> Iterator[Family | None]:
    """A series a group and topic, of the first GROUP_TOPICS_MAX."""
    lags: list[tuple[str, int, int]] = []
    pairs = entries = 0
    for machine in groups.runtime.machines():
        for group_id in [*machine.offsets.group_ids]:
            for topic, partitions in [*machine.offsets.of_group(group_id).items()]:
                pairs += 1
                if pairs > GROUP_TOPICS_MAX:
                    continue
                lag = unknown = 0
                for index, committed in [*partitions.items()]:
                    partition = replicas.maybe_partition(topic, index)
                    end = (
                        remote.high_watermark(topic, index)
                        if partition is None or partition.machine.role is Role.OFFLINE
                        else partition.high_watermark
                    )
                    if end is None:
                        unknown += 1
                    else:
                        lag += max(0, end - committed.offset)
                    entries += 1
                    if entries % ENTRIES_PER_PAUSE == 0:
                        yield None
                lags.append((labels(group=group_id, topic=topic), lag, unknown))
    remote.page_is_made()
    left_out.note("group_topics", pairs - GROUP_TOPICS_MAX)
    yield gauge(
        "ottla_group_lag_records",
        "Records by which a group is behind in a topic.",
        [(label, lag) for label, lag, _ in lags],
    )
    yield gauge(
        "ottla_group_lag_unknown_partitions",
        "Partitions that the lag leaves out: their leaders have not told yet where they end.",
        [(label, unknown) for label, _, unknown in lags],
    )


def transaction_families(
    transactions: TransactionCoordinator, clock: Clock
) -> Iterator[Family | None]:
    states = dict.fromkeys(TransactionState, 0)
    oldest_ms: int | None = None
    for machine in transactions.runtime.machines():
        for number, stored in enumerate([*machine.transactions.values()], 1):
            states[stored.state] += 1
            if stored.state is TransactionState.ONGOING:
                began_ms = stored.start_timestamp_ms
                oldest_ms = began_ms if oldest_ms is None else min(oldest_ms, began_ms)
            if number % ENTRIES_PER_PAUSE == 0:
                yield None
    del states[TransactionState.DEAD]
    yield gauge(
        "ottla_transactions",
        "Transactional ids coordinated here, by state.",
        [(labels(state=state.shown), count) for state, count in states.items()],
    )
    age_ms = 0 if oldest_ms is None else max(0, clock.timestamp_ms() - oldest_ms)
    yield gauge(
        "ottla_transactions_oldest_open_seconds",
        "Age of the oldest open transaction; 0: none is open.",
        age_ms / 1000,
    )
    yield gauge(
        "ottla_transactions_marker_backlog",
        "Decided transactions whose markers are not yet written everywhere.",
        states[TransactionState.PREPARE_COMMIT] + states[TransactionState.PREPARE_ABORT],
    )
    yield counter(
        "ottla_transactions_timed_out",
        "Transactions aborted since their time was over.",
        transactions.runtime.counts["timed_out", ""],
    )


def _by_activity(runtime: CoordinatorRuntime[Any]) -> Iterator[tuple[str, int]]:
    active = len(runtime.machines())
    yield "active", active
    yield "loading", len(runtime.indexes) - active
