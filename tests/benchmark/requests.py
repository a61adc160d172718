"""Produce requests that are encoded once and sent by a bare socket: the work is the brokers'."""

from __future__ import annotations

import socket
import struct

from ottla.protocol.api import ApiKey, request_header_version
from ottla.protocol.header import RequestHeader
from ottla.protocol.messages.produce_request import (
    PartitionProduceData,
    ProduceRequest,
    TopicProduceData,
)
from ottla.protocol.messages.produce_response import ProduceResponse

PRODUCE_VERSION = 9


def produce_request(topic: str, partition: int, acks: int, batch: bytes) -> bytearray:
    message = ProduceRequest(
        acks=acks,
        timeout_ms=30_000,
        topic_data=[
            TopicProduceData(
                name=topic,
                partition_data=[PartitionProduceData(index=partition, records=batch)],
            )
        ],
    )
    header = RequestHeader(
        request_api_key=int(ApiKey.PRODUCE),
        request_api_version=PRODUCE_VERSION,
        correlation_id=1,
        client_id="bench",
    )
    header_version = request_header_version(ApiKey.PRODUCE, PRODUCE_VERSION)
    body = header.encode(header_version) + message.encode(PRODUCE_VERSION)
    return bytearray(struct.pack(">i", len(body)) + body)


def answer(connection: socket.socket) -> None:
    length = struct.unpack(">i", _exactly(connection, 4))[0]
    response = ProduceResponse.decode(_exactly(connection, length), PRODUCE_VERSION, 5)
    code = response.responses[0].partition_responses[0].error_code
    if code:
        raise RuntimeError(f"the broker answered error {code}")


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise RuntimeError("the broker closed the connection")
        data += more
    return bytes(data)
