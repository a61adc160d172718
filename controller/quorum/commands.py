"""What an entry of the log holds: kinds, large commands in parts, and their reassembly. Pure.

An entry's bytes, after the one byte that pysyncobj puts first (0 regular, 1 no-op):

    u8 kind   1 WHOLE      rest: the command
              2 PART       u16 number (from 0), u16 count, rest: that part of the command
              4 VOTERS     the set of voters from this entry on (voter_set.py)

All integers are little-endian. A command above `PART_BYTES_MAX` travels as consecutive entries of
one term: the leader appends all of them without anything between. A new leader may find only the
first few; its no-op, of a higher term, then ends the attempt, on every voter alike. (pysyncobj ends
the transfer of an entry early whose pickle crosses a multiple of 64 KiB.)
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from controller.quorum.voter_set import VoterSet
from ottla.core.errors import DecodeError

PART_BYTES_MAX = 48 * 1024 - 64  # the whole entry stays under 48 KiB
COMMAND_BYTES_MAX = 16 << 20
"""A CreateTopics of 10,000 partitions needs about 1 MiB."""

_PART = struct.Struct("<HH")


class Kind(IntEnum):
    WHOLE = 1
    PART = 2
    VOTERS = 4


@dataclass(frozen=True, slots=True)
class Command:
    """A whole command, ready to be applied."""

    data: bytes


def encode_command(command: bytes) -> list[bytes]:
    """The entries that carry `command`, in log order."""
    if len(command) <= PART_BYTES_MAX:
        return [bytes([Kind.WHOLE]) + command]
    starts = range(0, len(command), PART_BYTES_MAX)
    return [
        bytes([Kind.PART])
        + _PART.pack(number, len(starts))
        + command[start : start + PART_BYTES_MAX]
        for number, start in enumerate(starts)
    ]


def encode_voters(voters: VoterSet) -> bytes:
    return bytes([Kind.VOTERS]) + voters.encode()


def voters_of(entry: bytes) -> VoterSet | None:
    """The set that an entry carries, if it does. DecodeError: it cannot be read."""
    return VoterSet.decode(entry[1:]) if entry[:1] == bytes([Kind.VOTERS]) else None


@dataclass(slots=True)
class Assembler:
    """Puts parts together. `term`, `next_index`, `count`, `parts` are state of the log: they are
    the same on every voter at the same index, and are kept in snapshots."""

    term: int = 0
    next_index: int = 0
    count: int = 0
    parts: bytes = b""
    received: int = 0

    def reset(self) -> None:
        self.term = self.next_index = self.count = self.received = 0
        self.parts = b""

    def feed(self, index: int, term: int, entry: bytes) -> Command | VoterSet | None:
        """Take one entry; what is to be applied at it, or None (a part that is not the last, or
        one whose beginning is lost). DecodeError: not an entry of this format."""
        if not entry:
            raise DecodeError("an entry of the metadata log is empty")
        kind = entry[0]
        if kind == Kind.PART and len(entry) > 1 + _PART.size:
            return self._feed_part(index, term, entry)
        self.reset()
        if kind == Kind.WHOLE:
            return Command(entry[1:])
        if kind == Kind.VOTERS:
            return VoterSet.decode(entry[1:])
        raise DecodeError(f"unknown entry of kind {kind} in the metadata log")

    def _feed_part(self, index: int, term: int, entry: bytes) -> Command | None:
        number, count = _PART.unpack_from(entry, 1)
        if number == 0:
            self.reset()
            self.term, self.count = term, count
        elif (term, index, number, count) != (
            self.term,
            self.next_index,
            self.received,
            self.count,
        ):
            self.reset()
            return None
        self.parts += entry[1 + _PART.size :]
        self.received = number + 1
        self.next_index = index + 1
        if self.received < self.count:
            return None
        command = Command(self.parts)
        self.reset()
        return command
