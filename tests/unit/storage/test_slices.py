from __future__ import annotations

import os
from pathlib import Path

from ottla.protocol.parts import RecordsSource
from storage.slices import LogSlice
from storage.vfs import OpenMode, OsVfs


def test_a_slice_outlives_its_file(tmp_path: Path) -> None:
    vfs = OsVfs()
    path = str(tmp_path / "segment")
    file = vfs.open(path, OpenMode.CREATE)
    file.write(b"0123456789")
    piece = LogSlice(file, 2, 5, 40, 45)
    del file
    vfs.unlink(path)
    assert piece.read() == b"23456"
    assert os.pread(piece.fileno(), piece.size, piece.position) == b"23456"
    assert piece.base_offset == 40
    assert isinstance(piece, RecordsSource)


def test_its_descriptor_closes_with_the_last_slice(tmp_path: Path) -> None:
    file = OsVfs().open(str(tmp_path / "segment"), OpenMode.CREATE)
    first, second = LogSlice(file, 0, 1, 0, 1), LogSlice(file, 1, 1, 1, 2)
    descriptor = file.fileno()
    del file, first
    os.fstat(descriptor)
    del second
    assert not os.path.exists(f"/proc/self/fd/{descriptor}")
