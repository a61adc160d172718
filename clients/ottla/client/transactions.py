"""What an operator sees of transactions, and how one that hangs is ended (KIP-664).

A transaction hangs when records of it are in a partition and its coordinator knows nothing of it:
nobody will ever end it, and readers of committed records stand still before it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ottla.client.cluster import Cluster
from ottla.client.coordinator import TRANSACTION, GroupCoordinatorLink
from ottla.client.errors import check_code, protocol_error
from ottla.client.leaders import ByTopic, TopicPartition, ask_leaders, partition_subject
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.describe_producers_request import (
    DescribeProducersRequest,
    TopicRequest,
)
from ottla.protocol.messages.describe_producers_response import DescribeProducersResponse
from ottla.protocol.messages.describe_transactions_request import DescribeTransactionsRequest
from ottla.protocol.messages.describe_transactions_response import DescribeTransactionsResponse
from ottla.protocol.messages.list_transactions_request import ListTransactionsRequest
from ottla.protocol.messages.list_transactions_response import ListTransactionsResponse
from ottla.protocol.messages.write_txn_markers_request import (
    WritableTxnMarker,
    WritableTxnMarkerTopic,
    WriteTxnMarkersRequest,
)
from ottla.protocol.messages.write_txn_markers_response import WriteTxnMarkersResponse

STATE_TOPIC = "__transaction_state"


@dataclass(frozen=True, slots=True)
class TransactionListing:
    transactional_id: str
    coordinator_id: int
    producer_id: int
    state: str


@dataclass(frozen=True, slots=True)
class TransactionDescription:
    transactional_id: str
    coordinator_id: int
    producer_id: int
    producer_epoch: int
    state: str
    timeout_ms: int
    start_timestamp_ms: int | None
    """Wall time; None while no transaction is open."""
    partitions: tuple[TopicPartition, ...]


@dataclass(frozen=True, slots=True)
class ActiveProducer:
    """A producer as a partition's leader knows it."""

    topic: str
    partition: int
    producer_id: int
    producer_epoch: int
    coordinator_epoch: int
    last_timestamp_ms: int
    transaction_start_offset: int | None
    """Of its open transaction; None without one."""


def list_transactions(
    cluster: Cluster, states: Collection[str] = (), duration_ms: int = -1
) -> list[TransactionListing]:
    """The transactional ids of all brokers, by id; each knows only those that it coordinates."""

    def attempt() -> list[TransactionListing]:
        cluster.metadata([])
        found: dict[str, TransactionListing] = {}
        for broker_id in sorted(cluster.brokers):
            response = cluster.connection(broker_id).request(
                ApiKey.LIST_TRANSACTIONS,
                ListTransactionsRequest(
                    state_filters=list(states),
                    duration_filter=duration_ms,
                ),
                ListTransactionsResponse,
            )
            check_code(response.error_code, f"the transactions of broker {broker_id}")
            for one in response.transaction_states:
                found[one.transactional_id] = TransactionListing(
                    one.transactional_id, broker_id, one.producer_id, one.transaction_state
                )
        return [found[name] for name in sorted(found)]

    return cluster.retry("listing the transactions", attempt)


def describe_transaction(cluster: Cluster, transactional_id: str) -> TransactionDescription:
    """What its coordinator knows; TRANSACTIONAL_ID_NOT_FOUND."""
    link = GroupCoordinatorLink(cluster, transactional_id, TRANSACTION)

    def attempt() -> TransactionDescription:
        response = link.ask(
            ApiKey.DESCRIBE_TRANSACTIONS,
            DescribeTransactionsRequest([transactional_id]),
            DescribeTransactionsResponse,
        )
        one = response.transaction_states[0]
        link.check(one.error_code)
        started = one.transaction_start_time_ms
        return TransactionDescription(
            transactional_id,
            link.node_id,
            one.producer_id,
            one.producer_epoch,
            one.transaction_state,
            one.transaction_timeout_ms,
            started if started >= 0 else None,
            tuple((topic.topic, index) for topic in one.topics for index in topic.partitions),
        )

    try:
        return cluster.retry(f"describing transactional id '{transactional_id}'", attempt)
    finally:
        link.forget()


def describe_producers(
    cluster: Cluster, partitions: Collection[TopicPartition]
) -> list[ActiveProducer]:
    """Who writes, or wrote not long ago, to each partition, as its leader knows."""
    found: dict[TopicPartition, list[ActiveProducer]] = {}

    def ask(leader_id: int, topics: ByTopic) -> None:
        request = DescribeProducersRequest(
            [TopicRequest(name, [p.index for p in wanted]) for name, wanted in topics.items()]
        )
        response = cluster.connection(leader_id).request(
            ApiKey.DESCRIBE_PRODUCERS, request, DescribeProducersResponse
        )
        for topic in response.topics:
            for partition in topic.partitions:
                index = partition.partition_index
                subject = partition_subject(topic.name, index)
                check_code(partition.error_code, subject, partition.error_message)
                found[topic.name, index] = [
                    ActiveProducer(
                        topic.name,
                        index,
                        one.producer_id,
                        one.producer_epoch,
                        one.coordinator_epoch,
                        one.last_timestamp,
                        one.current_txn_start_offset if one.current_txn_start_offset >= 0 else None,
                    )
                    for one in partition.active_producers
                ]

    ask_leaders(cluster, "describing producers", partitions, found, ask)
    return [producer for partition in sorted(found) for producer in found[partition]]


def find_hanging(
    cluster: Cluster, producers: Collection[ActiveProducer], older_than_ms: int, now_ms: int
) -> list[ActiveProducer]:
    """Those of `producers` whose open transaction no coordinator knows of.

    `older_than_ms`: since its last record; younger ones may be about to end. Wall time.
    """
    suspects = [
        producer
        for producer in producers
        if producer.transaction_start_offset is not None
        and now_ms - producer.last_timestamp_ms >= older_than_ms
    ]
    if not suspects:
        return []
    owners = _owners(cluster)
    known: dict[str, TransactionDescription] = {}
    hanging = []
    for suspect in suspects:
        owner = owners.get(suspect.producer_id)
        if owner is not None:
            if owner not in known:
                known[owner] = describe_transaction(cluster, owner)
            # An end that is decided brings its marker by itself.
            if (suspect.topic, suspect.partition) in known[owner].partitions:
                continue
        hanging.append(suspect)
    return hanging


def _owners(cluster: Cluster) -> dict[int, str]:
    """Transactional id by producer id, of all coordinators.

    A coordinator that is down or moves just now is not one that knows nothing: it is waited for.
    DeadlineError when it does not come.
    """

    def attempt() -> dict[int, str]:
        before = _coordinators(cluster)
        found = {one.producer_id: one.transactional_id for one in list_transactions(cluster)}
        if _coordinators(cluster) != before:
            raise protocol_error(
                ErrorCode.COORDINATOR_NOT_AVAILABLE, "the transactions", "a coordinator has moved"
            )
        return found

    return cluster.retry("asking all coordinators of transactions", attempt)


def _coordinators(cluster: Cluster) -> list[tuple[int, int, int]]:
    """(partition, leader, leader epoch) of the coordinators' topic, all with a leader; empty while
    there is no such topic. COORDINATOR_NOT_AVAILABLE."""
    (topic,) = cluster.metadata([STATE_TOPIC]).topics
    if topic.error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
        return []
    check_code(topic.error_code, f"topic '{STATE_TOPIC}'")
    found = sorted((p.partition_index, p.leader_id, p.leader_epoch) for p in topic.partitions)
    for index, leader_id, _ in found:
        if leader_id not in cluster.brokers:
            raise protocol_error(
                ErrorCode.COORDINATOR_NOT_AVAILABLE,
                partition_subject(STATE_TOPIC, index),
                "it has no leader that is alive, so its transactions are not known",
            )
    return found


def abort_transaction(cluster: Cluster, producer: ActiveProducer) -> None:
    """Write an abort marker for a producer's transaction in one partition.

    ProtocolError: INVALID_PRODUCER_EPOCH when the producer has gone on since,
    TRANSACTION_COORDINATOR_FENCED.
    """
    key = (producer.topic, producer.partition)
    request = WriteTxnMarkersRequest(
        [
            WritableTxnMarker(
                producer_id=producer.producer_id,
                producer_epoch=producer.producer_epoch,
                transaction_result=False,
                topics=[WritableTxnMarkerTopic(producer.topic, [producer.partition])],
                coordinator_epoch=max(producer.coordinator_epoch, 0),
            )
        ]
    )
    done: dict[TopicPartition, None] = {}

    def ask(leader_id: int, topics: ByTopic) -> None:
        response = cluster.connection(leader_id).request(
            ApiKey.WRITE_TXN_MARKERS, request, WriteTxnMarkersResponse
        )
        code = response.markers[0].topics[0].partitions[0].error_code
        check_code(code, partition_subject(*key))
        done[key] = None

    ask_leaders(cluster, "aborting a transaction", [key], done, ask)
