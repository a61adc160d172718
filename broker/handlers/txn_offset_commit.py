"""TxnOffsetCommit (key 28), versions 0–5: offsets that count when a transaction is committed.

2   leader epochs (KIP-320)
3   generation and member id fence a member that was replaced (KIP-447)
5   the group's partition becomes part of the transaction by this request (KIP-890)

Before, AddOffsetsToTxn made it part; then it is verified here (KIP-890), so that no offset is left
pending that no marker would ever reach.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from broker.coordinator.errors import translate
from broker.coordinator.internal_topic import TOPIC
from broker.groups.requests import CommitRequest, OffsetToCommit
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from broker.transactions.admission import ASKS_MAX, client_code
from broker.transactions.seams import TopicPartition
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.txn_offset_commit_request import TxnOffsetCommitRequest
from ottla.protocol.messages.txn_offset_commit_response import (
    TxnOffsetCommitResponse,
    TxnOffsetCommitResponsePartition,
    TxnOffsetCommitResponseTopic,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices

_IMPLICIT = 5
_ABORTABLE = 4


async def handle(
    services: BrokerServices, context: RequestContext, request: TxnOffsetCommitRequest
) -> Answer:
    version = context.api_version
    answer = partial(_response, request)
    offsets: list[OffsetToCommit] = []
    codes: list[ErrorCode | None] = []  # of each partition asked for; None: to be committed
    state = services.metadata.state
    for asked in request.topics:
        topic = state.topic_named(asked.name)
        for partition in asked.partitions:
            index = partition.partition_index
            if topic is None or not 0 <= index < len(topic.partitions):
                codes.append(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
                continue
            codes.append(None)
            offsets.append(
                OffsetToCommit(
                    topic.name,
                    index,
                    partition.committed_offset,
                    partition.committed_leader_epoch,
                    partition.committed_metadata or "",
                    topic.topic_id,
                )
            )
    committing = CommitRequest(
        group_id=request.group_id,
        member_id=request.member_id,
        instance_id=request.group_instance_id,
        generation=request.generation_id,
        offsets=tuple(offsets),
    )
    try:
        committed = await _commit(services, request, committing, version)
    except ProtocolError as error:
        return answer([error.code] * len(codes))
    results = iter(committed)
    return answer([next(results) if code is None else code for code in codes])


async def _commit(
    services: BrokerServices,
    request: TxnOffsetCommitRequest,
    committing: CommitRequest,
    version: int,
) -> list[ErrorCode]:
    groups = services.groups
    where = groups.partition_of(request.group_id)
    if where is None:
        raise ProtocolError(ErrorCode.NOT_COORDINATOR)
    await _wait_admitted(services, request, (TOPIC, where.index), version)
    return await groups.commit_in_transaction(
        committing, request.producer_id, request.producer_epoch
    )


async def _wait_admitted(
    services: BrokerServices, request: TxnOffsetCommitRequest, key: TopicPartition, version: int
) -> None:
    """Return once the group's partition is known to be part of the transaction.

    A marker that comes meanwhile, mostly that of the transaction before, makes the answer
    worthless: the coordinator is asked again.
    """
    for _ in range(ASKS_MAX):
        try:
            partition = services.replicas.partition(*key)
            if not services.admissions.verifies and version < _IMPLICIT:
                return
            admission = partition.begin_admission(request.producer_id, request.producer_epoch)
        except ProtocolError as error:
            # A client that hears of a leader here does not look for the group's coordinator anew.
            raise translate(error) from error
        if admission is None:
            return
        try:
            codes = await services.transaction_gate.admit(
                request.transactional_id,
                request.producer_id,
                request.producer_epoch,
                [key],
                verify_only=version < _IMPLICIT,
            )
            is_admitted = partition.is_admitted(admission)
        finally:
            partition.end_admission(admission)
        code = codes[key]
        if code is not ErrorCode.NONE:
            raise ProtocolError(_offset_code(code, version))
        if is_admitted:
            return
    raise ProtocolError(_offset_code(ErrorCode.CONCURRENT_TRANSACTIONS, version))


def _offset_code(code: ErrorCode, version: int) -> ErrorCode:
    """The coordinator of transactions in terms of a group's coordinator."""
    code = client_code(code, is_implicit=version >= _IMPLICIT, is_abortable=version >= _ABORTABLE)
    if code is ErrorCode.NOT_ENOUGH_REPLICAS:
        return ErrorCode.COORDINATOR_NOT_AVAILABLE
    if code is ErrorCode.CONCURRENT_TRANSACTIONS and version < _IMPLICIT:
        return ErrorCode.COORDINATOR_LOAD_IN_PROGRESS
    return code


def _response(request: TxnOffsetCommitRequest, codes: list[ErrorCode]) -> TxnOffsetCommitResponse:
    """`codes` of all partitions, in the order of the request."""
    rest = iter(codes)
    return TxnOffsetCommitResponse(
        topics=[
            TxnOffsetCommitResponseTopic(
                asked.name,
                [
                    TxnOffsetCommitResponsePartition(partition.partition_index, int(next(rest)))
                    for partition in asked.partitions
                ],
            )
            for asked in request.topics
        ]
    )


def fail(
    request: TxnOffsetCommitRequest, version: int, code: ErrorCode, message: str | None
) -> TxnOffsetCommitResponse:
    """The same error for every partition."""
    return _response(request, [code] * sum(len(asked.partitions) for asked in request.topics))


HANDLER = HandlerSpec(ApiKey.TXN_OFFSET_COMMIT, 0, 5, handle, fail)
