"""AddPartitionsToTxn (key 24), versions 0–5: partitions that a transaction will write to.

2   PRODUCER_FENCED (KIP-588), before INVALID_PRODUCER_EPOCH
4   many transactions at once, or only a question whether they have the partitions (KIP-890)

All or nothing: if one partition does not exist, it is UNKNOWN_TOPIC_OR_PARTITION and the others
OPERATION_NOT_ATTEMPTED.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from broker.handlers.fencing import fenced_code
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from broker.transactions.requests import ProducerIdentity
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.add_partitions_to_txn_request import (
    AddPartitionsToTxnRequest,
    AddPartitionsToTxnTopic,
    AddPartitionsToTxnTransaction,
)
from ottla.protocol.messages.add_partitions_to_txn_response import (
    AddPartitionsToTxnPartitionResult,
    AddPartitionsToTxnResponse,
    AddPartitionsToTxnResult,
    AddPartitionsToTxnTopicResult,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices
    from broker.transactions.seams import TopicPartition

_MANY = 4
_FENCED = 2


async def handle(
    services: BrokerServices, context: RequestContext, request: AddPartitionsToTxnRequest
) -> Answer:
    version = context.api_version
    transactions = _transactions(request, version)
    results = await asyncio.gather(*(_add(services, asked, version) for asked in transactions))
    return _response(version, results)


def _transactions(
    request: AddPartitionsToTxnRequest, version: int
) -> list[AddPartitionsToTxnTransaction]:
    """The request as version 4 and later have it."""
    if version >= _MANY:
        return request.transactions
    return [
        AddPartitionsToTxnTransaction(
            request.v3_and_below_transactional_id,
            request.v3_and_below_producer_id,
            request.v3_and_below_producer_epoch,
            False,
            request.v3_and_below_topics,
        )
    ]


async def _add(
    services: BrokerServices, asked: AddPartitionsToTxnTransaction, version: int
) -> AddPartitionsToTxnResult:
    partitions = _partitions(asked.topics)
    faults = _faults(services, partitions)
    if faults:
        codes = {p: faults.get(p, ErrorCode.OPERATION_NOT_ATTEMPTED) for p in partitions}
        return _result(asked, codes)
    try:
        answers = await services.transactions.add_partitions(
            asked.transactional_id,
            ProducerIdentity(asked.producer_id, asked.producer_epoch),
            partitions,
            verify_only=asked.verify_only,
        )
    except ProtocolError as error:
        code = fenced_code(error.code, is_new=version >= _FENCED)
        return _result(asked, dict.fromkeys(partitions, code))
    return _result(asked, dict(zip(partitions, answers, strict=True)))


def _partitions(topics: Iterable[AddPartitionsToTxnTopic]) -> list[TopicPartition]:
    return [(topic.name, index) for topic in topics for index in topic.partitions]


def _faults(
    services: BrokerServices, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, ErrorCode]:
    state = services.metadata.state
    faults = {}
    for name, index in partitions:
        topic = state.topic_named(name)
        if topic is None or not 0 <= index < len(topic.partitions):
            faults[name, index] = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    return faults


def _result(
    asked: AddPartitionsToTxnTransaction, codes: dict[TopicPartition, ErrorCode]
) -> AddPartitionsToTxnResult:
    return AddPartitionsToTxnResult(
        asked.transactional_id,
        [
            AddPartitionsToTxnTopicResult(
                topic.name,
                [
                    AddPartitionsToTxnPartitionResult(index, int(codes[topic.name, index]))
                    for index in topic.partitions
                ],
            )
            for topic in asked.topics
        ],
    )


def _response(version: int, results: list[AddPartitionsToTxnResult]) -> AddPartitionsToTxnResponse:
    if version >= _MANY:
        return AddPartitionsToTxnResponse(results_by_transaction=results)
    return AddPartitionsToTxnResponse(
        results_by_topic_v3_and_below=results[0].topic_results,
    )


def fail(
    request: AddPartitionsToTxnRequest, version: int, code: ErrorCode, message: str | None
) -> AddPartitionsToTxnResponse:
    """The same error for every partition."""
    return _response(
        version,
        [
            _result(asked, dict.fromkeys(_partitions(asked.topics), code))
            for asked in _transactions(request, version)
        ],
    )


HANDLER = HandlerSpec(ApiKey.ADD_PARTITIONS_TO_TXN, 0, 5, handle, fail)
