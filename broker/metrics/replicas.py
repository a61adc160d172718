"""Topics and partitions on this broker: traffic, ISR, log offsets and sizes, lag of followers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from operator import attrgetter

from broker.metrics.caps import PARTITIONS_MAX, TOPICS_MAX, LeftOut
from broker.metrics.exposition import Family, Sample, counter, gauge, labels
from broker.replication.manager import ReplicaManager
from broker.replication.partition import Partition
from broker.replication.partition_machine import Role
from broker.replication.traffic import TopicTraffic
from controller.state import ClusterState
from storage.log import Log

ENTRIES_PER_PAUSE = 100

_TRAFFIC = (
    ("ottla_topic_received_bytes", "bytes_in", "Record batches appended for producers."),
    ("ottla_topic_received_records", "records_in", "Records appended for producers."),
    ("ottla_topic_sent_bytes", "bytes_out", "Record batches sent to consumers."),
    (
        "ottla_topic_sent_records",
        "records_out",
        "Offsets sent to consumers, those that compaction has emptied included.",
    ),
    (
        "ottla_topic_replication_received_bytes",
        "replication_bytes_in",
        "Record batches taken over from leaders.",
    ),
    (
        "ottla_topic_replication_sent_bytes",
        "replication_bytes_out",
        "Record batches sent to followers.",
    ),
    ("ottla_topic_isr_shrinks", "isr_shrinks", "Times that an ISR led here lost a member."),
    ("ottla_topic_isr_expands", "isr_expands", "Times that an ISR led here got a member."),
)


def topic_families(
    replicas: ReplicaManager, state: Callable[[], ClusterState], left_out: LeftOut
) -> Iterator[Family | None]:
    """A series a topic, of the first TOPICS_MAX."""
    topics = state().topics
    named: list[tuple[str, TopicTraffic]] = []
    count = 0
    for number, (topic_id, traffic) in enumerate([*replicas.traffic.items()], 1):
        topic = topics.get(topic_id)
        if topic is not None:
            count += 1
            if count <= TOPICS_MAX:
                named.append((labels(topic=topic.name), traffic))
        if number % ENTRIES_PER_PAUSE == 0:
            yield None
    left_out.note("topics", count - TOPICS_MAX)
    for name, attribute, help in _TRAFFIC:
        read = attrgetter(attribute)
        yield counter(name, help, ((label, read(traffic)) for label, traffic in named))


def replica_families(replicas: ReplicaManager, left_out: LeftOut) -> Iterator[Family | None]:
    """Of the broker as a whole, then a series a partition, of the first PARTITIONS_MAX."""
    partitions = replicas.partitions
    roles = dict.fromkeys(Role, 0)
    under_replicated = under_min_isr = 0
    lags: dict[int, int] = {}
    named: list[tuple[str, Partition, Log]] = []
    slowest: list[Sample] = []
    for number, partition in enumerate(partitions, 1):
        machine, log = partition.machine, partition.log
        label = ""
        if log is not None and number <= PARTITIONS_MAX:
            label = _label(partition.topic, partition.index)
            named.append((label, partition, log))
        roles[machine.role] += 1
        if machine.role is Role.LEADER:
            under_replicated += len(partition.isr) < len(machine.replicas)
            under_min_isr += not machine.enough_replicas
            most = 0
            for follower_id, follower in machine.followers.items():
                lag = _lag(log, follower.log_end_offset)
                lags[follower_id] = max(lags.get(follower_id, 0), lag)
                most = max(most, lag)
            if label:
                slowest.append((label, most))
        if number % ENTRIES_PER_PAUSE == 0:
            yield None
    yield gauge(
        "ottla_partitions",
        "Replicas on this broker, by their role; an offline one cannot be served.",
        [(labels(role=role.value), count) for role, count in roles.items()],
    )
    yield counter(
        "ottla_replication_throttled_bytes",
        "Sent to, and taken by, replicas that are throttled and not in sync.",
        [
            (labels(role="leader"), replicas.service.throttle.bytes_taken),
            (labels(role="follower"), replicas.throttle_in.bytes_taken),
        ],
    )
    yield gauge(
        "ottla_partitions_under_replicated",
        "Partitions led here that have fewer replicas in sync than replicas.",
        under_replicated,
    )
    yield gauge(
        "ottla_partitions_under_min_isr",
        "Partitions led here that take no records of acks=all.",
        under_min_isr,
    )
    yield gauge(
        "ottla_follower_lag_max_records",
        "What each follower has not yet confirmed, in the partition led here where it is most.",
        [(labels(follower=follower), lag) for follower, lag in lags.items()],
    )
    left_out.note("partitions", len(partitions) - PARTITIONS_MAX)
    yield from _log_families(named)
    yield gauge(
        "ottla_partition_replica_lag_records",
        "What the slowest follower has not yet confirmed, of partitions led here.",
        slowest,
    )


def _log_families(named: list[tuple[str, Partition, Log]]) -> Iterator[Family]:
    yield gauge(
        "ottla_partition_log_end_offset",
        "The offset that the next record gets.",
        ((label, log.log_end_offset) for label, _, log in named),
    )
    yield gauge(
        "ottla_partition_log_start_offset",
        "The first offset that is kept.",
        ((label, log.log_start_offset) for label, _, log in named),
    )
    yield gauge(
        "ottla_partition_high_watermark",
        "Everything below is on all replicas in sync.",
        ((label, partition.high_watermark) for label, partition, _ in named),
    )
    yield gauge(
        "ottla_partition_size_bytes",
        "Of the log's segments.",
        ((label, log.size_bytes) for label, _, log in named),
    )


def _lag(log: Log | None, position: int | None) -> int:
    """A follower that has proved no position lags by the whole log."""
    if log is None:
        return 0
    return max(0, log.log_end_offset - (log.log_start_offset if position is None else position))


@lru_cache(PARTITIONS_MAX)
def _label(topic: str, index: int) -> str:
    return labels(topic=topic, partition=index)
