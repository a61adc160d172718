"""Messages come out as they went in, however the bytes were cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.internal.messages import PREFIX, Message, MessageError, MessageReader

CONTENTS = st.lists(st.binary(max_size=40), max_size=8)
CUTS = st.lists(st.integers(1, 60), max_size=60)


def framed(messages: list[bytes]) -> bytes:
    return b"".join(PREFIX.pack(0, len(message)) + message for message in messages)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    found = []
    for cut in cuts:
        found.append(data[:cut])
        data = data[cut:]
    return [piece for piece in [*found, data] if piece]


@given(CONTENTS, CUTS)
def test_any_cutting_gives_the_same_messages(messages: list[bytes], cuts: list[int]) -> None:
    reader = MessageReader(100)
    got: list[Message] = []
    for piece in pieces(framed(messages), cuts):
        got += reader.feed(memoryview(piece))
    assert got == messages


@given(CONTENTS, CUTS)
def test_room_takes_the_rest_of_a_message(messages: list[bytes], cuts: list[int]) -> None:
    reader = MessageReader(100)
    got: list[Message] = []
    data, cuts = framed(messages), [*cuts]
    while data:
        room = reader.room()
        size = min(cuts.pop() if cuts else 7, len(data))
        if room is None:
            got += reader.feed(memoryview(data[:size]))
        else:
            size = min(size, len(room))
            room[:size] = data[:size]
            message = reader.advance(size)
            if message is not None:
                got.append(message)
        data = data[size:]
    assert got == messages


def test_what_is_too_long_is_refused_by_its_length_alone() -> None:
    reader = MessageReader(100)
    assert reader.feed(memoryview(framed([bytes(100)]))) == [bytes(100)]
    with pytest.raises(MessageError, match="101 bytes; at most 100"):
        reader.feed(memoryview(PREFIX.pack(0, 101)))


def test_compressed_messages_are_refused() -> None:
    with pytest.raises(MessageError, match="compressed"):
        MessageReader(100).feed(memoryview(PREFIX.pack(1, 1) + b"x"))
