"""AddOffsetsToTxn (key 25), versions 0–4: a transaction will commit offsets of a group.

2   PRODUCER_FENCED (KIP-588), before INVALID_PRODUCER_EPOCH

What is added is the group's partition of __consumer_offsets: the marker goes there too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.coordinator.internal_topic import TOPIC
from broker.handlers.fencing import fenced_code
from broker.handlers.spec import Answer, HandlerSpec, RequestContext
from broker.transactions.requests import ProducerIdentity
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.add_offsets_to_txn_request import AddOffsetsToTxnRequest
from ottla.protocol.messages.add_offsets_to_txn_response import AddOffsetsToTxnResponse

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices


async def handle(
    services: BrokerServices, context: RequestContext, request: AddOffsetsToTxnRequest
) -> Answer:
    try:
        await services.groups.topic.ensure()
        partition = services.groups.partition_of(request.group_id)
        if partition is None:
            raise ProtocolError(ErrorCode.COORDINATOR_NOT_AVAILABLE)
        codes = await services.transactions.add_partitions(
            request.transactional_id,
            ProducerIdentity(request.producer_id, request.producer_epoch),
            [(TOPIC, partition.index)],
        )
    except ProtocolError as error:
        code = fenced_code(error.code, is_new=context.api_version >= 2)
        return AddOffsetsToTxnResponse(error_code=int(code))
    return AddOffsetsToTxnResponse(error_code=int(codes[0]))


HANDLER = HandlerSpec(ApiKey.ADD_OFFSETS_TO_TXN, 0, 4, handle)
