"""Entries of the log and the reassembly of large commands."""

from __future__ import annotations

import pytest

from controller.quorum.commands import (
    PART_BYTES_MAX,
    Assembler,
    Command,
    encode_command,
    encode_voters,
    voters_of,
)
from controller.quorum.voter_set import VoterNode, VoterSet
from ottla.core.errors import DecodeError

LARGE = bytes(range(256)) * 1000


@pytest.mark.parametrize(
    "size", [0, 1, PART_BYTES_MAX, PART_BYTES_MAX + 1, 65536 - 12, 65536, 131072, 1_000_000]
)
def test_a_command_of_any_size_comes_back(size: int) -> None:
    command = bytes(index % 251 for index in range(size))
    entries = encode_command(command)
    assert all(len(entry) < 48 * 1024 for entry in entries)
    assembler = Assembler()
    found = [assembler.feed(10 + number, 3, entry) for number, entry in enumerate(entries)]
    assert found == [None] * (len(entries) - 1) + [Command(command)]
    assert assembler == Assembler()


def test_a_beginning_without_end_is_forgotten_at_the_next_command() -> None:
    parts = encode_command(LARGE)
    assembler = Assembler()
    assert assembler.feed(5, 1, parts[0]) is None
    assert assembler.feed(7, 2, encode_command(b"other")[0]) == Command(b"other")
    assert [assembler.feed(8 + n, 2, part) for n, part in enumerate(parts[1:])] == [None] * (
        len(parts) - 1
    )


@pytest.mark.parametrize(("index", "term"), [(7, 1), (6, 2)])
def test_parts_join_only_within_a_term_and_without_a_gap(index: int, term: int) -> None:
    parts = encode_command(LARGE)
    assembler = Assembler()
    assembler.feed(5, 1, parts[0])
    found = [assembler.feed(index + n, term, part) for n, part in enumerate(parts[1:])]
    assert found == [None] * (len(parts) - 1)


def test_a_new_beginning_replaces_an_older_one() -> None:
    parts = encode_command(LARGE)
    assembler = Assembler()
    assembler.feed(5, 1, parts[0])
    found = [assembler.feed(6 + n, 1, part) for n, part in enumerate(parts)]
    assert found[-1] == Command(LARGE)


def test_voters() -> None:
    voters = VoterSet({2: VoterNode(b"0123456789abcdef", ("host", 1))})
    entry = encode_voters(voters)
    assert Assembler().feed(1, 1, entry) == voters
    assert voters_of(entry) == voters
    assert voters_of(encode_command(b"x")[0]) is None


@pytest.mark.parametrize("entry", [b"", b"\x09abc", b"\x03abc", b"\x04abc", b"\x02\x00"])
def test_other_bytes_are_refused(entry: bytes) -> None:
    with pytest.raises(DecodeError):
        Assembler().feed(1, 1, entry)
