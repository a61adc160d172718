"""DescribeTransactions (key 65), version 0: what the coordinator knows of transactional ids.

TRANSACTIONAL_ID_NOT_FOUND, NOT_COORDINATOR and the like for each.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from broker.transactions.stored import StoredTransaction
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.describe_transactions_request import DescribeTransactionsRequest
from ottla.protocol.messages.describe_transactions_response import (
    DescribeTransactionsResponse,
    TopicData,
    TransactionState,
)

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices


async def handle(
    services: BrokerServices, context: RequestContext, request: DescribeTransactionsRequest
) -> Answer:
    names = list(dict.fromkeys(request.transactional_ids))
    futures = [services.transactions.describe(name) for name in names]
    states = []
    results = await asyncio.gather(*futures, return_exceptions=True)
    for name, result in zip(names, results, strict=True):
        if isinstance(result, ProtocolError):
            states.append(_failed(name, result.code))
        elif isinstance(result, BaseException):
            raise result
        else:
            states.append(_described(name, result))
    return DescribeTransactionsResponse(transaction_states=states)


def _described(name: str, stored: StoredTransaction) -> TransactionState:
    topics: dict[str, list[int]] = {}
    for topic, index in sorted(stored.partitions):
        topics.setdefault(topic, []).append(index)
    return TransactionState(
        error_code=0,
        transactional_id=name,
        transaction_state=stored.state.shown,
        transaction_timeout_ms=stored.timeout_ms,
        transaction_start_time_ms=stored.start_timestamp_ms,
        producer_id=stored.producer_id,
        producer_epoch=stored.producer_epoch,
        topics=[TopicData(topic, indexes) for topic, indexes in topics.items()],
    )


def _failed(name: str, code: ErrorCode) -> TransactionState:
    return TransactionState(error_code=int(code), transactional_id=name)


def fail(
    request: DescribeTransactionsRequest, version: int, code: ErrorCode, message: str | None
) -> DescribeTransactionsResponse:
    """The same error for every id."""
    return DescribeTransactionsResponse(
        transaction_states=[_failed(name, code) for name in request.transactional_ids]
    )


HANDLER = HandlerSpec(ApiKey.DESCRIBE_TRANSACTIONS, 0, 0, handle, fail)
