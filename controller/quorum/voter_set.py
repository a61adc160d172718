"""Who votes: the set that an entry of the log carries, and its history in one voter's log. Pure.

A voter is (node id, directory id) (SAFETY.md, rule 3): a node with another disk is another voter.
The set, little-endian, as in an entry of kind VOTERS and in snapshots:

    u8 count, each, ids ascending:
        i32 node id, 16s directory id (all zeros: not known yet, of a founder alone)
        u8 size, host, u16 port of the Raft listener (no host: as in the settings)
        u8 size, host, u16 port of the internal listener (no host: as in the settings)

The founders, whom formatting named, are the set at index 0. From then on the latest set in a log
holds for its owner, whether it is committed or not (Raft thesis, 4.1); truncation brings the one
before back. Two sets that follow each other differ by one voter at most, and a leader appends the
second only when the first is committed, so that any two majorities have a voter in common.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from ottla.core.checks import check
from ottla.core.errors import DecodeError
from ottla.core.identifiers import NIL_UUID, Uuid

VOTERS_MAX = 15
HOST_BYTES_MAX = 255

Address: TypeAlias = tuple[str, int]

_VOTER = struct.Struct("<i16s")
_PORT = struct.Struct("<H")


@dataclass(frozen=True, slots=True)
class VoterNode:
    """Which disk a voter has and where it listens, as far as it is known."""

    directory_id: Uuid | None = None
    raft: Address | None = None
    internal: Address | None = None


@dataclass(frozen=True, slots=True)
class VoterSet:
    """By node id."""

    voters: Mapping[int, VoterNode]

    def __contains__(self, node_id: object) -> bool:
        return node_id in self.voters

    def __len__(self) -> int:
        return len(self.voters)

    @property
    def ids(self) -> tuple[int, ...]:
        return tuple(sorted(self.voters))

    def get(self, node_id: int) -> VoterNode | None:
        return self.voters.get(node_id)

    def with_voter(self, node_id: int, node: VoterNode) -> VoterSet:
        return VoterSet({**self.voters, node_id: node})

    def without(self, node_id: int) -> VoterSet:
        return VoterSet({one: node for one, node in self.voters.items() if one != node_id})

    def with_directories(self, found: Mapping[int, Uuid]) -> VoterSet:
        """With the directories of voters that had none yet; a known one stays."""
        return VoterSet(
            {
                one: replace(node, directory_id=node.directory_id or found.get(one))
                for one, node in self.voters.items()
            }
        )

    def is_majority(self, node_ids: Iterable[int]) -> bool:
        return 2 * len(self.voters.keys() & set(node_ids)) > len(self.voters)

    def encode(self) -> bytes:
        parts = [bytes([len(self.voters)])]
        for node_id in self.ids:
            node = self.voters[node_id]
            parts.append(_VOTER.pack(node_id, node.directory_id or NIL_UUID))
            parts += [_encode_address(node.raft), _encode_address(node.internal)]
        return b"".join(parts)

    @classmethod
    def decode(cls, data: bytes) -> VoterSet:
        """DecodeError: not exactly one set."""
        try:
            voters: dict[int, VoterNode] = {}
            position = 1
            for _ in range(data[0]):
                node_id, directory_id = _VOTER.unpack_from(data, position)
                raft, position = _decode_address(data, position + _VOTER.size)
                internal, position = _decode_address(data, position)
                known = None if directory_id == NIL_UUID else directory_id
                voters[node_id] = VoterNode(known, raft, internal)
        except (IndexError, struct.error, UnicodeDecodeError) as error:
            raise DecodeError("a set of voters ends early or names no host") from error
        if position != len(data) or len(voters) != data[0]:
            raise DecodeError("a set of voters is not what its size says")
        return cls(voters)


def founders(addresses: Mapping[int, Address]) -> VoterSet:
    """The set at index 0, where the settings say that its members listen."""
    return VoterSet({one: VoterNode(raft=address) for one, address in addresses.items()})


def _encode_address(address: Address | None) -> bytes:
    host, port = address or ("", 0)
    name = host.encode()
    check(len(name) <= HOST_BYTES_MAX, "a host's name is too long", host=host)
    return bytes([len(name)]) + name + _PORT.pack(port)


def _decode_address(data: bytes, position: int) -> tuple[Address | None, int]:
    end = position + 1 + data[position]
    (port,) = _PORT.unpack_from(data, end)
    host = data[position + 1 : end].decode()
    return ((host, port) if host else None), end + _PORT.size


class VoterHistory:
    """The sets in one log, by the index of their entries; the first may be older than the log."""

    def __init__(self, index: int, voters: VoterSet) -> None:
        self._sets = [(index, voters)]

    @property
    def current(self) -> VoterSet:
        """The set that holds."""
        return self._sets[-1][1]

    @property
    def index(self) -> int:
        """Of the entry that made it hold; 0 for the founders."""
        return self._sets[-1][0]

    def at(self, index: int) -> tuple[int, VoterSet]:
        """The latest set at or before that index, the oldest known one if there is none."""
        return next((one for one in reversed(self._sets) if one[0] <= index), self._sets[0])

    def append(self, index: int, voters: VoterSet) -> None:
        check(index > self.index, "a set of voters is appended before another", index=index)
        self._sets.append((index, voters))

    def truncate(self, index: int) -> None:
        """The entries from that index on are void."""
        while len(self._sets) > 1 and self.index >= index:
            self._sets.pop()

    def forget_before(self, index: int) -> None:
        """Whatever was replaced at or before that index, which is committed, never comes back."""
        oldest, _ = self.at(index)
        self._sets = [one for one in self._sets if one[0] >= oldest]
