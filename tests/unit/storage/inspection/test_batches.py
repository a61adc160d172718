"""Walking over batches, also those that are too large to be held."""

from __future__ import annotations

import pytest

from storage.inspection import batches
from storage.inspection.batches import Damage, walk_batches
from storage.vfs import MemoryVfs, OpenMode, VfsFile
from tests.support.disk import batch, replicated

DATA = bytes(replicated(batch(1), batch(3), batch(2), base_offset=5))


def file_with(data: bytes) -> VfsFile:
    file = MemoryVfs().open("/a.log", OpenMode.CREATE)
    file.write(data)
    return file


@pytest.mark.parametrize("held", [64 << 20, 200])
@pytest.mark.parametrize("chunk", [1 << 20, 200])
def test_every_batch_is_given_whole_and_checked(
    monkeypatch: pytest.MonkeyPatch, held: int, chunk: int
) -> None:
    monkeypatch.setattr(batches, "HELD_BYTES_MAX", held)
    monkeypatch.setattr(batches, "CHUNK_BYTES", chunk)
    seen = [
        (b.position, b.header.base_offset, b.crc_ok, b.data and bytes(b.data))
        for b in walk_batches(file_with(DATA), 0, len(DATA))
    ]
    assert [offset for _, offset, _, _ in seen] == [5, 6, 9]
    assert all(ok for _, _, ok, _ in seen)
    ends = [position for position, *_ in seen[1:]] + [len(DATA)]
    for (position, _, _, data), end in zip(seen, ends, strict=True):
        assert data in (DATA[position:end], None)
        assert (data is None) == (end - position > held)


@pytest.mark.parametrize("held", [64 << 20, 100])
def test_a_wrong_crc_is_told_and_passed_over(monkeypatch: pytest.MonkeyPatch, held: int) -> None:
    monkeypatch.setattr(batches, "HELD_BYTES_MAX", held)
    damaged = DATA[:100] + bytes([DATA[100] ^ 1]) + DATA[101:]
    seen = list(walk_batches(file_with(damaged), 0, len(damaged)))
    assert [b.crc_ok for b in seen] == [False, True, True]


def test_damage_has_a_position() -> None:
    for data, position in ((DATA[:-1], 562), (DATA + bytes(70), len(DATA)), (DATA[:20], 0)):
        with pytest.raises(Damage) as caught:
            list(walk_batches(file_with(data), 0, len(data)))
        assert caught.value.position == position
