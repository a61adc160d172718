"""A controller: its quorum, and, while it is the active one, the cluster as it decides it to be."""

from __future__ import annotations

from collections.abc import Iterator

from broker.metrics.exposition import Family, counter, gauge, labels
from controller.quorum.raft_log import RaftMetadataLog
from controller.service import ControllerService

PARTITIONS_PER_PAUSE = 300


def controller_families(
    quorum: RaftMetadataLog, service: ControllerService
) -> Iterator[Family | None]:
    epoch = service.office.controller_epoch
    yield gauge("ottla_controller_active", "1 on the active controller.", int(epoch is not None))
    yield gauge(
        "ottla_quorum_has_leader",
        "1 while this controller knows who leads the quorum.",
        int(quorum.leader_id is not None),
    )
    yield gauge("ottla_quorum_voter", "1 on a voter.", int(quorum.is_voter))
    yield gauge("ottla_quorum_term", "The Raft term.", quorum.term)
    yield gauge(
        "ottla_quorum_last_applied", "Index of the last entry applied here.", quorum.last_applied
    )
    yield gauge(
        "ottla_quorum_unapplied_entries",
        "Entries known to be committed that are not applied here.",
        quorum.unapplied,
    )
    yield counter(
        "ottla_quorum_elections", "Leaders that this controller saw elected.", quorum.elections
    )
    yield gauge(
        "ottla_quorum_proposals_waiting",
        "Commands that wait for the quorum.",
        quorum.waiting_commands,
    )
    yield counter(
        "ottla_quorum_proposals",
        "Commands of this controller that were applied.",
        quorum.proposals,
    )
    yield counter(
        "ottla_quorum_proposal_seconds", "Time that these took.", quorum.proposal_ns / 1e9
    )
    yield counter(
        "ottla_quorum_proposal_failures",
        "Commands whose outcome is not known, or that were refused.",
        quorum.proposal_failures,
    )
    if epoch is not None:
        yield from _cluster_families(service, epoch)


def _cluster_families(service: ControllerService, epoch: int) -> Iterator[Family | None]:
    state = service.image.state
    brokers = [*state.brokers.values()]
    topics = [*state.topics.values()]
    partitions = offline = under_replicated = unpreferred = 0
    for topic in topics:
        for partition in topic.partitions:
            partitions += 1
            offline += partition.leader_id is None
            under_replicated += len(partition.isr) < len(partition.replicas)
            unpreferred += partition.leader_id != partition.replicas[0]
            if partitions % PARTITIONS_PER_PAUSE == 0:
                yield None
    yield gauge("ottla_controller_epoch", "The Raft term in which it took office.", epoch)
    yield gauge(
        "ottla_controller_brokers",
        "Registered brokers; a fenced one is no member at the moment.",
        [
            (labels(state="active"), sum(broker.active for broker in brokers)),
            (labels(state="fenced"), sum(broker.fenced for broker in brokers)),
            (
                labels(state="stopping"),
                sum(not (broker.active or broker.fenced) for broker in brokers),
            ),
        ],
    )
    yield gauge("ottla_controller_topics", "Topics of the cluster.", len(topics))
    yield gauge("ottla_controller_partitions", "Partitions of the cluster.", partitions)
    yield gauge("ottla_controller_partitions_offline", "Partitions without a leader.", offline)
    yield gauge(
        "ottla_controller_partitions_under_replicated",
        "Partitions with fewer replicas in sync than replicas.",
        under_replicated,
    )
    yield gauge(
        "ottla_controller_partitions_led_elsewhere",
        "Partitions led by another replica than the preferred one, or by none.",
        unpreferred,
    )
