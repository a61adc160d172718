"""DescribeTransactionsRequest, versions 0 (flexible from 0).

Generated from describe_transactions.schema by ottla.protocol.generator; do not edit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from ottla.protocol.message import Buffer, Message
from ottla.protocol.wire import (
    MALFORMED,
    long_length,
    malformed,
    read_compact_string_array,
    skip_tags,
    unknown_version,
    write_compact_string_array,
    write_uvarint,
)


@dataclass(slots=True)
class DescribeTransactionsRequest(Message):
    transactional_ids: list[str] = field(default_factory=list)

    MIN_VERSION: ClassVar[int] = 0
    MAX_VERSION: ClassVar[int] = 0
    FLEXIBLE_VERSION: ClassVar[int | None] = 0

    @classmethod
    def decode(cls, data: Buffer, version: int, offset: int = 0) -> DescribeTransactionsRequest:
        return cls.decode_from(data, offset, version)[0]

    @classmethod
    def decode_from(
        cls, data: Buffer, offset: int, version: int
    ) -> tuple[DescribeTransactionsRequest, int]:
        try:
            if version == 0:
                (message,), end = _read_describe_transactions_request_flexible(
                    data, offset, 1, version
                )
            else:
                raise unknown_version("DescribeTransactionsRequest", version)
        except MALFORMED as error:
            raise malformed("DescribeTransactionsRequest", version, error) from error
        if end > len(data):
            raise malformed("DescribeTransactionsRequest", version, IndexError())
        return message, end

    def _write(self, out: bytearray, version: int) -> None:
        if version == 0:
            _write_describe_transactions_request_flexible(out, (self,), version)
        else:
            raise ValueError(f"DescribeTransactionsRequest has no version {version}")


def _read_describe_transactions_request_flexible(
    data: Buffer, position: int, count: int, version: int
) -> tuple[list[DescribeTransactionsRequest], int]:
    items: list[DescribeTransactionsRequest] = []
    transactional_ids: list[str]
    for _ in range(count):
        n = data[position]
        position += 1
        if not 0 < n < 128:
            n, position = long_length(
                data, position, n, "DescribeTransactionsRequest.transactional_ids"
            )
        transactional_ids, position = read_compact_string_array(data, position, n - 1)
        tags = data[position]
        position += 1
        if tags:
            position = skip_tags(data, position, tags)
        items.append(DescribeTransactionsRequest(transactional_ids))
    return items, position


def _write_describe_transactions_request_flexible(
    out: bytearray, items: Sequence[DescribeTransactionsRequest], version: int
) -> None:
    for item in items:
        n = len(item.transactional_ids) + 1
        if n < 128:
            out.append(n)
        else:
            write_uvarint(out, n)
        if item.transactional_ids:
            write_compact_string_array(out, item.transactional_ids)
        out.append(0)
