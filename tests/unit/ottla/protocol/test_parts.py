from __future__ import annotations

from dataclasses import dataclass

import pytest

from ottla.protocol.messages.fetch_response import (
    FetchableTopicResponse,
    FetchResponse,
    PartitionData,
)
from ottla.protocol.parts import Part, RecordsSource, parts_size


@dataclass
class Slice:
    """What a log would hand over."""

    content: bytes

    @property
    def size(self) -> int:
        return len(self.content)


def _response(*records: bytes | Slice | None) -> FetchResponse:
    partitions = [
        PartitionData(partition_index=index, records=each) for index, each in enumerate(records)
    ]
    return FetchResponse(responses=[FetchableTopicResponse(partitions=partitions)])


def _joined(parts: list[Part]) -> bytes:
    return b"".join(
        part if isinstance(part, bytes) else part.content
        for part in parts
        if isinstance(part, (bytes, Slice))
    )


@pytest.mark.parametrize("version", [4, 11, 12, 17])
def test_parts_together_are_the_message(version: int) -> None:
    contents = [b"a" * 10, b"", b"c" * 200, None]
    whole = _response(*contents).encode(version)
    sources = [None if each is None else Slice(each) for each in contents]
    parts = _response(*sources).encode_parts(version)
    assert [part for part in parts if isinstance(part, Slice)] == sources[:3]
    assert _joined(parts) == whole
    assert parts_size(parts) == len(whole)


def test_bytes_and_sources_mix() -> None:
    mixed = _response(b"bytes", Slice(b"source"))
    parts = mixed.encode_parts(17)
    assert [isinstance(part, bytes) for part in parts] == [True, False, True]
    assert _joined(parts) == _response(b"bytes", b"source").encode(17)


def test_without_sources_there_is_one_part() -> None:
    response = _response(b"x", memoryview(b"y"), bytearray(b"z"))  # type: ignore[arg-type]
    assert response.encode_parts(13) == [response.encode(13)]


def test_one_encoding_of_a_source_is_refused() -> None:
    with pytest.raises(ValueError, match="encode_parts"):
        _response(Slice(b"x")).encode(17)


def test_anything_with_a_size_is_a_source() -> None:
    assert isinstance(Slice(b""), RecordsSource)
    assert not isinstance(b"", RecordsSource)
