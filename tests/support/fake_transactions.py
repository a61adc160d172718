"""The coordinator of all transactions of a FakeKafka, as if there were one.

Markers are written in the step that ends a transaction. `transaction_version` is what the cluster
has finalised: below 2, partitions and groups have to be added before they are written to.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from ottla.protocol.message import Message
from ottla.protocol.messages import (
    add_offsets_to_txn_response,
    add_partitions_to_txn_response,
    describe_producers_response,
    describe_transactions_response,
    end_txn_response,
    init_producer_id_response,
    list_transactions_response,
    txn_offset_commit_response,
    write_txn_markers_response,
)
from ottla.record.control import end_transaction_batch

if TYPE_CHECKING:
    from ottla.record.batch import BatchHeader
    from tests.support.fake_kafka import FakePartition


@dataclass
class FakeTransaction:
    """A transactional id."""

    producer_id: int
    producer_epoch: int
    state: str = "Empty"
    partitions: set[tuple[str, int]] = field(default_factory=set)
    groups: set[str] = field(default_factory=set)
    offsets: dict[tuple[str, int], int] = field(default_factory=dict)
    ended: tuple[int, bool] | None = None
    """(producer epoch, whether committed) of the last end."""


class FakeTransactions:
    """What FakeKafka answers to transactional producers."""

    if TYPE_CHECKING:
        errors: dict[ApiKey, deque[ErrorCode]]
        coordinator_id: int
        committed: dict[tuple[str, int], int]
        members: dict[str, bytes]
        generation: int

        def _error(self, key: ApiKey) -> int: ...

        def append(self, topic: str, index: int, batch: bytearray) -> int: ...

        def _partition(
            self, topic: str, index: int, node_id: int
        ) -> tuple[FakePartition | None, int]: ...

    def __init__(self) -> None:
        self.transaction_version = 2
        self.transactions: dict[str, FakeTransaction] = {}
        self.next_producer_id = 1000
        self.version = 0
        """Of the request that is being served."""

    def admit(self, transactional_id: str, header: BatchHeader, key: tuple[str, int]) -> int:
        """Whether a transactional batch may be appended; an error code."""
        one = self.transactions[transactional_id]
        if (header.producer_id, header.producer_epoch) != (one.producer_id, one.producer_epoch):
            return ErrorCode.INVALID_PRODUCER_EPOCH
        if self.version >= 12:
            assert self.transaction_version == 2
            one.partitions.add(key)
            one.state = "Ongoing"
        return 0 if key in one.partitions else ErrorCode.TRANSACTION_ABORTABLE

    def end(self, one: FakeTransaction, *, is_commit: bool) -> None:
        """Write the markers, and let the offsets count."""
        one.ended = (one.producer_epoch, is_commit)
        if self.transaction_version == 2:
            one.producer_epoch += 1
        for topic, index in sorted(one.partitions):
            marker = end_transaction_batch(
                one.producer_id, one.producer_epoch, 0, is_commit=is_commit, timestamp_ms=5
            )
            self.append(topic, index, marker)
        if is_commit:
            self.committed.update(one.offsets)
        one.partitions, one.groups, one.offsets = set(), set(), {}
        one.state = "CompleteCommit" if is_commit else "CompleteAbort"

    def _coordinated(
        self, key: ApiKey, request: Any, node_id: int, transactional_id: str
    ) -> tuple[FakeTransaction, int]:
        one = self.transactions[transactional_id]
        code = self._error(key)
        if not code and node_id != self.coordinator_id:
            code = ErrorCode.NOT_COORDINATOR
        if not code and request is not None:
            if request.producer_id != one.producer_id:
                code = ErrorCode.INVALID_PRODUCER_ID_MAPPING
            elif request.producer_epoch != one.producer_epoch:
                code = ErrorCode.PRODUCER_FENCED
        return one, code

    def _init_producer_id(self, request: Any, node_id: int) -> Message:
        m = init_producer_id_response
        code = self._error(ApiKey.INIT_PRODUCER_ID)
        if not code and request.transactional_id is not None and node_id != self.coordinator_id:
            code = ErrorCode.NOT_COORDINATOR
        if code:
            return m.InitProducerIdResponse(error_code=code)
        one = self.transactions.get(request.transactional_id)
        if one is None:
            self.next_producer_id += 1
            one = FakeTransaction(self.next_producer_id, 0)
            if request.transactional_id is not None:
                self.transactions[request.transactional_id] = one
        else:
            former = (request.producer_id, request.producer_epoch)
            if request.producer_id >= 0 and former != (one.producer_id, one.producer_epoch):
                return m.InitProducerIdResponse(error_code=ErrorCode.PRODUCER_FENCED)
            if one.state == "Ongoing":
                self.end(one, is_commit=False)
            one.producer_epoch += 1
            one.ended = None
        return m.InitProducerIdResponse(
            producer_id=one.producer_id, producer_epoch=one.producer_epoch
        )

    def _add_partitions_to_txn(self, request: Any, node_id: int) -> Message:
        m = add_partitions_to_txn_response
        assert self.version <= 3, "later versions are for brokers"
        one, code = self._coordinated(
            ApiKey.ADD_PARTITIONS_TO_TXN, None, node_id, request.v3_and_below_transactional_id
        )
        identity = (request.v3_and_below_producer_id, request.v3_and_below_producer_epoch)
        if not code and identity != (one.producer_id, one.producer_epoch):
            code = ErrorCode.PRODUCER_FENCED
        results = []
        for topic in request.v3_and_below_topics:
            answers = []
            for index in topic.partitions:
                if not code:
                    one.partitions.add((topic.name, index))
                    one.state = "Ongoing"
                answers.append(m.AddPartitionsToTxnPartitionResult(index, code))
                if code == ErrorCode.TOPIC_AUTHORIZATION_FAILED:
                    code = ErrorCode.OPERATION_NOT_ATTEMPTED
            results.append(m.AddPartitionsToTxnTopicResult(topic.name, answers))
        return m.AddPartitionsToTxnResponse(results_by_topic_v3_and_below=results)

    def _add_offsets_to_txn(self, request: Any, node_id: int) -> Message:
        key = ApiKey.ADD_OFFSETS_TO_TXN
        one, code = self._coordinated(key, request, node_id, request.transactional_id)
        if not code:
            one.groups.add(request.group_id)
            one.state = "Ongoing"
        return add_offsets_to_txn_response.AddOffsetsToTxnResponse(error_code=code)

    def _txn_offset_commit(self, request: Any, node_id: int) -> Message:
        m = txn_offset_commit_response
        key = ApiKey.TXN_OFFSET_COMMIT
        one, code = self._coordinated(key, request, node_id, request.transactional_id)
        if not code and request.member_id and request.member_id not in self.members:
            code = ErrorCode.UNKNOWN_MEMBER_ID
        if not code and request.member_id and request.generation_id != self.generation:
            code = ErrorCode.ILLEGAL_GENERATION
        if self.version >= 5:
            assert self.transaction_version == 2
            one.groups.add(request.group_id)
            one.state = "Ongoing"
        if not code and request.group_id not in one.groups:
            code = ErrorCode.TRANSACTION_ABORTABLE
        topics = []
        for topic in request.topics:
            answers = []
            for partition in topic.partitions:
                if not code:
                    offset = partition.committed_offset
                    one.offsets[topic.name, partition.partition_index] = offset
                answers.append(m.TxnOffsetCommitResponsePartition(partition.partition_index, code))
            topics.append(m.TxnOffsetCommitResponseTopic(topic.name, answers))
        return m.TxnOffsetCommitResponse(topics=topics)

    def _end_txn(self, request: Any, node_id: int) -> Message:
        m = end_txn_response
        assert (self.version >= 5) == (self.transaction_version == 2)
        one = self.transactions[request.transactional_id]
        again = one.ended == (request.producer_epoch, request.committed)
        again = again and one.state != "Ongoing"
        _, code = self._coordinated(
            ApiKey.END_TXN, None if again else request, node_id, request.transactional_id
        )
        if not code and not again:
            # With version 2 an abort also makes sure that nothing will come (KIP-890).
            is_empty_abort = self.transaction_version == 2 and not request.committed
            if one.state != "Ongoing" and not is_empty_abort:
                code = ErrorCode.INVALID_TXN_STATE
            else:
                self.end(one, is_commit=request.committed)
        if code or self.version < 5:
            return m.EndTxnResponse(error_code=code)
        return m.EndTxnResponse(producer_id=one.producer_id, producer_epoch=one.producer_epoch)

    # What operators ask for (KIP-664).

    def _list_transactions(self, request: Any, node_id: int) -> Message:
        m = list_transactions_response
        return m.ListTransactionsResponse(
            error_code=self._error(ApiKey.LIST_TRANSACTIONS),
            transaction_states=[
                m.TransactionState(name, one.producer_id, one.state)
                for name, one in self.transactions.items()
                if node_id == self.coordinator_id
                and (not request.state_filters or one.state in request.state_filters)
            ],
        )

    def _describe_transactions(self, request: Any, node_id: int) -> Message:
        m = describe_transactions_response
        states = []
        for name in request.transactional_ids:
            one = self.transactions.get(name)
            if one is None:
                code = ErrorCode.TRANSACTIONAL_ID_NOT_FOUND
                states.append(m.TransactionState(error_code=code, transactional_id=name))
                continue
            is_open = one.state == "Ongoing"
            states.append(
                m.TransactionState(
                    transactional_id=name,
                    transaction_state=one.state,
                    transaction_timeout_ms=60_000,
                    transaction_start_time_ms=1_700_000_000_000 if is_open else -1,
                    producer_id=one.producer_id,
                    producer_epoch=one.producer_epoch,
                    topics=[m.TopicData(topic, [index]) for topic, index in one.partitions],
                )
            )
        return m.DescribeTransactionsResponse(transaction_states=states)

    def _describe_producers(self, request: Any, node_id: int) -> Message:
        m = describe_producers_response
        topics = []
        for topic in request.topics:
            answers = []
            for index in topic.partition_indexes:
                partition, code = self._partition(topic.name, index, node_id)
                answer = m.PartitionResponse(index, code or self._error(ApiKey.DESCRIBE_PRODUCERS))
                if partition is not None and not answer.error_code:
                    open_since = {
                        p: at for p, at, end, _ in partition.transactions() if end is None
                    }
                    last = {h.producer_id: h for h, _ in partition.batches if h.has_producer_id}
                    answer.active_producers = [
                        m.ProducerState(
                            producer_id,
                            header.producer_epoch,
                            last_timestamp=header.max_timestamp,
                            current_txn_start_offset=open_since.get(producer_id, -1),
                        )
                        for producer_id, header in sorted(last.items())
                    ]
                answers.append(answer)
            topics.append(m.TopicResponse(topic.name, answers))
        return m.DescribeProducersResponse(topics=topics)

    def _write_txn_markers(self, request: Any, node_id: int) -> Message:
        m = write_txn_markers_response
        results = []
        for marker in request.markers:
            topics = []
            for topic in marker.topics:
                answers = []
                for index in topic.partition_indexes:
                    _, code = self._partition(topic.name, index, node_id)
                    code = code or self._error(ApiKey.WRITE_TXN_MARKERS)
                    if not code:
                        batch = end_transaction_batch(
                            marker.producer_id,
                            marker.producer_epoch,
                            marker.coordinator_epoch,
                            is_commit=marker.transaction_result,
                            timestamp_ms=5,
                        )
                        self.append(topic.name, index, batch)
                    answers.append(m.WritableTxnMarkerPartitionResult(index, code))
                topics.append(m.WritableTxnMarkerTopicResult(topic.name, answers))
            results.append(m.WritableTxnMarkerResult(marker.producer_id, topics))
        return m.WriteTxnMarkersResponse(results)
