"""What a transactional producer asks its coordinators (KIP-98, KIP-360, KIP-447, KIP-890).

                     transaction.version 0, 1              2
partitions           AddPartitionsToTxn, then Produce      Produce 12 alone
offsets of a group   AddOffsetsToTxn, TxnOffsetCommit 4    TxnOffsetCommit 5 alone
end                  EndTxn 4, same epoch after            EndTxn 5, whose answer has the next epoch

ProtocolErrors carry the coordinator's code; those that pass by themselves are retried, where it is
not said otherwise, until DeadlineError.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple, TypeVar

from ottla.client.cluster import Cluster
from ottla.client.coordinator import TRANSACTION, GroupCoordinatorLink
from ottla.client.errors import protocol_error
from ottla.client.leaders import TopicPartition, partition_subject
from ottla.client.model import GroupMetadata
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.add_offsets_to_txn_request import AddOffsetsToTxnRequest
from ottla.protocol.messages.add_offsets_to_txn_response import AddOffsetsToTxnResponse
from ottla.protocol.messages.add_partitions_to_txn_request import (
    AddPartitionsToTxnRequest,
    AddPartitionsToTxnTopic,
)
from ottla.protocol.messages.add_partitions_to_txn_response import AddPartitionsToTxnResponse
from ottla.protocol.messages.end_txn_request import EndTxnRequest
from ottla.protocol.messages.end_txn_response import EndTxnResponse
from ottla.protocol.messages.init_producer_id_request import InitProducerIdRequest
from ottla.protocol.messages.init_producer_id_response import InitProducerIdResponse
from ottla.protocol.messages.txn_offset_commit_request import (
    TxnOffsetCommitRequest,
    TxnOffsetCommitRequestPartition,
    TxnOffsetCommitRequestTopic,
)
from ottla.protocol.messages.txn_offset_commit_response import TxnOffsetCommitResponse

PRODUCE_VERSION_CLASSIC = 11
"""The highest that does not make a partition part of its transaction."""

_FEATURE = "transaction.version"
_FEATURE_IMPLICIT = 2
_END_VERSION_CLASSIC = 4
_COMMIT_VERSION_CLASSIC = 4
_OF_PARTITIONS = frozenset(
    {ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, ErrorCode.TOPIC_AUTHORIZATION_FAILED}
)

Result = TypeVar("Result")


class ProducerIdentity(NamedTuple):
    producer_id: int
    producer_epoch: int


class TransactionRequests:
    """The requests of one transactional id."""

    def __init__(self, cluster: Cluster, transactional_id: str, timeout_ms: int) -> None:
        """`timeout_ms`: how long the coordinator lets a transaction stay open."""
        self.is_implicit = False
        """Whether the cluster has finalised transaction.version 2; known after `init`."""
        self._cluster = cluster
        self._transactional_id = transactional_id
        self._timeout_ms = timeout_ms
        self._link = GroupCoordinatorLink(cluster, transactional_id, TRANSACTION)
        self.subject = self._link.subject

    def close(self) -> None:
        self._link.forget()

    def init(self, former: ProducerIdentity | None = None) -> ProducerIdentity:
        """A producer id and an epoch that fences all before; a transaction left open is aborted.

        `former`: the own identity, whose epoch is to be raised (KIP-360).
        PRODUCER_FENCED, INVALID_TRANSACTION_TIMEOUT.
        """
        request = InitProducerIdRequest(self._transactional_id, self._timeout_ms)
        if former is not None:
            request.producer_id, request.producer_epoch = former

        def attempt() -> ProducerIdentity:
            response = self._link.ask(ApiKey.INIT_PRODUCER_ID, request, InitProducerIdResponse)
            self._link.check(response.error_code)
            features = self._link.connection().features
            self.is_implicit = features.get(_FEATURE, 0) >= _FEATURE_IMPLICIT
            return ProducerIdentity(response.producer_id, response.producer_epoch)

        return self._retry("getting a producer id for", attempt)

    def add_partitions(
        self, identity: ProducerIdentity, partitions: Collection[TopicPartition]
    ) -> None:
        """Make partitions part of the transaction; asked once."""
        topics: dict[str, list[int]] = defaultdict(list)
        for topic, index in sorted(partitions):
            topics[topic].append(index)
        response = self._link.ask(
            ApiKey.ADD_PARTITIONS_TO_TXN,
            AddPartitionsToTxnRequest(
                v3_and_below_transactional_id=self._transactional_id,
                v3_and_below_producer_id=identity.producer_id,
                v3_and_below_producer_epoch=identity.producer_epoch,
                v3_and_below_topics=[
                    AddPartitionsToTxnTopic(name, indexes) for name, indexes in topics.items()
                ],
            ),
            AddPartitionsToTxnResponse,
        )
        codes = {
            (topic.name, one.partition_index): one.partition_error_code
            for topic in response.results_by_topic_v3_and_below
            for one in topic.results_by_partition
        }
        # Where one is refused, the others are OPERATION_NOT_ATTEMPTED, which says nothing.
        for known in (False, True):
            for key, code in sorted(codes.items()):
                if code and (known or code != ErrorCode.OPERATION_NOT_ATTEMPTED):
                    if code in _OF_PARTITIONS:
                        raise protocol_error(code, partition_subject(*key))
                    self._link.check(code)

    def add_group(self, identity: ProducerIdentity, group_id: str) -> None:
        """Make a group part of the transaction, where that takes a request of its own."""
        if self.is_implicit:
            return

        def attempt() -> None:
            response = self._link.ask(
                ApiKey.ADD_OFFSETS_TO_TXN,
                AddOffsetsToTxnRequest(self._transactional_id, *identity, group_id),
                AddOffsetsToTxnResponse,
            )
            self._link.check(response.error_code)

        self._retry(f"adding group '{group_id}' to", attempt)

    def commit_offsets(
        self,
        identity: ProducerIdentity,
        group: GroupMetadata,
        offsets: Mapping[TopicPartition, int],
    ) -> None:
        """Offsets that count once the transaction is committed; `add_group` comes first.

        UNKNOWN_MEMBER_ID, ILLEGAL_GENERATION: the group has rebalanced.
        """
        topics: dict[str, list[TxnOffsetCommitRequestPartition]] = defaultdict(list)
        for (topic, index), offset in sorted(offsets.items()):
            topics[topic].append(TxnOffsetCommitRequestPartition(index, offset))
        request = TxnOffsetCommitRequest(
            transactional_id=self._transactional_id,
            group_id=group.group_id,
            producer_id=identity.producer_id,
            producer_epoch=identity.producer_epoch,
            generation_id=group.generation_id,
            member_id=group.member_id,
            group_instance_id=group.instance_id,
            topics=[TxnOffsetCommitRequestTopic(name, p) for name, p in topics.items()],
        )
        link = GroupCoordinatorLink(self._cluster, group.group_id)
        version_max = None if self.is_implicit else _COMMIT_VERSION_CLASSIC

        def attempt() -> None:
            response = link.ask(
                ApiKey.TXN_OFFSET_COMMIT, request, TxnOffsetCommitResponse, version_max=version_max
            )
            for topic in response.topics:
                for partition in topic.partitions:
                    if partition.error_code in _OF_PARTITIONS:
                        subject = partition_subject(topic.name, partition.partition_index)
                        raise protocol_error(partition.error_code, subject)
                    link.check(partition.error_code)

        try:
            self._retry(f"committing offsets of {link.subject} for", attempt)
        finally:
            link.forget()

    def end(self, identity: ProducerIdentity, *, is_commit: bool) -> ProducerIdentity:
        """Commit or abort; the identity from then on.

        May be asked again after a DeadlineError: the same end is recognised.
        """
        request = EndTxnRequest(self._transactional_id, *identity, is_commit)
        version_max = None if self.is_implicit else _END_VERSION_CLASSIC

        def attempt() -> ProducerIdentity:
            response = self._link.ask(
                ApiKey.END_TXN, request, EndTxnResponse, version_max=version_max
            )
            self._link.check(response.error_code)
            if response.producer_id < 0:
                return identity
            return ProducerIdentity(response.producer_id, response.producer_epoch)

        return self._retry("committing" if is_commit else "aborting", attempt)

    def _retry(self, what: str, attempt: Callable[[], Result]) -> Result:
        return self._cluster.retry(f"{what} {self.subject}", attempt)
