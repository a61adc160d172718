"""The bytes of a snapshot and its way in pieces."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from controller.quorum import snapshot as module
from controller.quorum.commands import Assembler
from controller.quorum.snapshot import (
    IncomingSnapshot,
    OutgoingSnapshot,
    Snapshot,
    load_snapshot,
    write_snapshot,
)
from controller.quorum.voter_set import VoterNode, VoterSet
from ottla.core.errors import ConfigError, DecodeError
from storage.vfs import MemoryVfs, OpenMode

SNAPSHOT = Snapshot(
    (b"\x01", 41, 3),
    (b"\x00\x01last", 42, 4),
    Assembler(4, 43, 3, b"half", 1),
    (40, VoterSet({1: VoterNode(b"a" * 16), 2: VoterNode(None, ("host", 9), ("::1", 7))})),
    b"the state",
)


def test_it_comes_back() -> None:
    assert Snapshot.decode(SNAPSHOT.encode()) == SNAPSHOT
    assert (SNAPSHOT.index, SNAPSHOT.term) == (42, 4)
    founded = replace(SNAPSHOT, voters=None)
    assert Snapshot.decode(founded.encode()) == founded


def test_every_flipped_byte_and_every_cut_is_noticed() -> None:
    content = SNAPSHOT.encode()
    for position in range(len(content)):
        damaged = bytearray(content)
        damaged[position] ^= 1
        with pytest.raises(DecodeError):
            Snapshot.decode(bytes(damaged))
        with pytest.raises(DecodeError):
            Snapshot.decode(content[:position])


def test_a_file_is_replaced_durably() -> None:
    vfs = MemoryVfs()
    vfs.mkdirs("/q")
    vfs.fsync_dir("/")
    assert load_snapshot(vfs, "/q") is None
    write_snapshot(vfs, "/q", SNAPSHOT.encode())
    vfs.power_cut()
    assert load_snapshot(vfs, "/q") == (SNAPSHOT, SNAPSHOT.encode())


def test_a_damaged_file_refuses_the_start() -> None:
    vfs = MemoryVfs()
    vfs.mkdirs("/q")
    vfs.open("/q/snapshot", OpenMode.CREATE).write(SNAPSHOT.encode()[:-1])
    with pytest.raises(ConfigError, match="/q/snapshot is damaged .*: do not start this voter"):
        load_snapshot(vfs, "/q")


@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 1000])
def test_pieces_join(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(module, "PIECE_BYTES_MAX", 100)
    content = random.Random(size).randbytes(size)
    outgoing, incoming = OutgoingSnapshot(42, 4, content), IncomingSnapshot()
    found = None
    for _ in range(size // 100 + 1):
        piece, first, last = outgoing.next_piece()
        assert first == (found is None and incoming._identity is None)
        found = incoming.feed(piece)
        if last:
            break
    assert found == content


def test_a_gap_waits_for_the_next_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIECE_BYTES_MAX", 10)
    content = bytes(range(30))
    pieces = [OutgoingSnapshot(42, 4, content) for _ in range(2)]
    first = [pieces[0].next_piece()[0] for _ in range(3)]
    second = [pieces[1].next_piece()[0] for _ in range(3)]
    incoming = IncomingSnapshot()
    assert incoming.feed(first[0]) is None
    assert incoming.feed(first[2]) is None
    assert incoming.feed(first[1]) is None
    assert [incoming.feed(piece) for piece in second] == [None, None, content]


def test_pieces_of_two_snapshots_do_not_mix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIECE_BYTES_MAX", 10)
    older, newer = OutgoingSnapshot(42, 4, bytes(20)), OutgoingSnapshot(43, 4, bytes(20))
    newer.next_piece()
    incoming = IncomingSnapshot()
    assert incoming.feed(older.next_piece()[0]) is None
    assert incoming.feed(newer.next_piece()[0]) is None


def test_absurd_pieces_are_refused() -> None:
    with pytest.raises(DecodeError, match="too short"):
        IncomingSnapshot().feed(b"abc")
    huge = module._PIECE.pack(1, 1, 1 << 40, 0)
    with pytest.raises(DecodeError, match="announced"):
        IncomingSnapshot().feed(huge)
