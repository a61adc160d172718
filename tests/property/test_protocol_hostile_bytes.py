"""Decoding never raises anything but DecodeError and never takes more than the bytes can hold."""

from __future__ import annotations

import random
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ottla.core.errors import DecodeError
from ottla.protocol.generation.schema import MessageSchema
from ottla.protocol.message import Buffer
from tests.property.protocol_trees import (
    SCHEMAS,
    build,
    message_trees,
    message_type,
    project,
    shown,
)
from tests.support.examples import examples

_settings = settings(
    max_examples=examples(4, long=50),
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
_MUTATIONS = 40


def _decode(schema: MessageSchema, version: int, data: Buffer) -> bool:
    """Whether `data` decodes; any error but DecodeError passes through."""
    try:
        message_type(schema).decode(data, version)
    except DecodeError:
        return False
    return True


def _mutated(source: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(source.randint(1, 4)):
        if not changed:
            break
        place = source.randrange(len(changed))
        match source.randrange(4):
            case 0:
                changed[place] = source.choice([0, 1, 127, 128, 254, 255])
            case 1:
                changed[place] ^= 1 << source.randrange(8)
            case 2:
                del changed[place : place + source.randint(1, 8)]
            case _:
                changed[place:place] = source.randbytes(source.randint(1, 8))
    return bytes(changed)


@pytest.mark.parametrize("name", sorted(SCHEMAS))
@_settings
@given(data=st.data())
def test_mutated_messages_decode_or_raise_decode_errors(name: str, data: st.DataObject) -> None:
    schema = SCHEMAS[name]
    version = data.draw(st.integers(schema.versions.low, schema.versions.high))
    tree = project(schema, schema.root, data.draw(message_trees(schema)), version)
    encoded = build(schema, schema.root, tree).encode(version)
    source = random.Random(data.draw(st.integers(0, 2**32)))
    for _ in range(_MUTATIONS):
        _decode(schema, version, _mutated(source, encoded))
    for _ in range(8):
        _decode(schema, version, source.randbytes(source.randint(0, 80)))


@pytest.mark.parametrize("name", sorted(SCHEMAS))
@_settings
@given(data=st.data())
def test_whole_messages_survive_and_cut_ones_are_refused(name: str, data: st.DataObject) -> None:
    schema = SCHEMAS[name]
    codec = message_type(schema)
    whole = data.draw(message_trees(schema))
    for version in range(schema.versions.low, schema.versions.high + 1):
        tree = project(schema, schema.root, whole, version)
        encoded = build(schema, schema.root, tree).encode(version)
        for buffer in (encoded, bytearray(encoded), memoryview(b"12" + encoded + b"345")):
            offset = 2 if isinstance(buffer, memoryview) else 0
            message, end = codec.decode_from(buffer, offset, version)
            assert end == offset + len(encoded)
            assert shown(schema, schema.root, message, version) == tree
        step = 1 + len(encoded) // 40
        for size in {*range(0, len(encoded), step), len(encoded) - 1} - {-1}:
            assert not _decode(schema, version, encoded[:size])
            assert not _decode(schema, version, memoryview(encoded)[:size])


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_lying_lengths_take_no_memory(name: str) -> None:
    schema = SCHEMAS[name]
    hostile = [
        bytes([filler]) * before + lie + bytes(64)
        for before in range(24)
        for filler in (0, 1)
        for lie in (b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff\x07", b"\xff" * 12)
    ]
    for version in {schema.versions.low, schema.versions.high}:
        _decode(schema, version, hostile[0])
        tracemalloc.start()
        for data in hostile:
            _decode(schema, version, data)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 500_000
