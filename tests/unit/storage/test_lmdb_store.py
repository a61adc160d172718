from __future__ import annotations

import errno
import threading
from pathlib import Path

import lmdb
import pytest

from ottla.core.errors import ConfigError
from storage import names
from storage.lmdb_store import LmdbStore


def test_values_survive_and_are_private(tmp_path: Path) -> None:
    path = str(tmp_path / "checkpoints.lmdb")
    store = LmdbStore(path)
    store.write({b"a1": b"one", b"a2": b"two", b"b": b"three"})
    store.write({b"a1": None, b"missing": None})
    assert store.read(b"a1") is None
    store.close()
    store = LmdbStore(path)
    assert store.read(b"a2") == b"two"
    assert store.read_prefix(b"a") == {b"a2": b"two"}
    assert store.read_prefix(b"z") == {}
    store.close()
    assert Path(path).stat().st_mode & 0o777 == 0o700
    assert (Path(path) / "data.mdb").stat().st_mode & 0o777 == 0o600


def test_the_map_grows_when_it_is_full_and_opens_again(tmp_path: Path) -> None:
    path = str(tmp_path / "c")
    store = LmdbStore(path, map_size=1 << 16)
    values = {f"k{number}".encode(): bytes([number]) * 20_000 for number in range(200)}
    store.write(values)
    assert store.read_prefix(b"k") == values
    store.close()
    store = LmdbStore(path, map_size=1 << 16)
    store.write({b"k0": b"x"})
    assert len(store.read_prefix(b"k")) == 200
    store.close()


def test_readers_in_other_threads_live_through_growth(tmp_path: Path) -> None:
    store = LmdbStore(str(tmp_path / "c"), map_size=1 << 16)
    store.write({b"steady": b"value"})
    stop = threading.Event()
    seen: set[bytes | None] = set()

    def read() -> None:
        while not stop.is_set():
            seen.add(store.read(b"steady"))

    thread = threading.Thread(target=read)
    thread.start()
    try:
        for number in range(20):
            store.write({f"k{number}".encode(): bytes(100_000)})
    finally:
        stop.set()
        thread.join()
    assert seen == {b"value"}
    store.close()


def test_an_environment_that_does_not_open_is_moved_aside(tmp_path: Path) -> None:
    path = tmp_path / "c"
    for number in range(2):
        path.mkdir(exist_ok=True)
        (path / "data.mdb").write_bytes(b"garbage" * 10_000)
        store = LmdbStore(str(path))
        assert store.read_prefix(b"k") == {}
        store.write({b"k": b"new"})
        store.close()
        aside = [found.name for found in tmp_path.glob("c.damaged*")]
        assert len(aside) == number + 1
        assert not any(map(names.parse_folder, aside))  # else it would be taken for a log


def test_a_newer_format_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = str(tmp_path / "c")
    store = LmdbStore(path)
    store.write({b"v": (9).to_bytes(4, "big")})
    store.close()
    with pytest.raises(ConfigError, match="has format 9, this version of Ottla reads 1"):
        LmdbStore(path)


class _Broken:
    """An environment whose transactions fail."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def begin(self, write: bool = False) -> None:
        raise self.error


def test_a_full_disk_may_be_tried_again_any_other_fault_not(tmp_path: Path) -> None:
    store = LmdbStore(str(tmp_path / "c"))
    environment = store._environment
    store._environment = _Broken(lmdb.DiskError("full"))
    with pytest.raises(OSError, match="full") as caught:
        store.write({b"k": b"v"})
    assert caught.value.errno == errno.ENOSPC
    store._environment = environment
    store.write({b"k": b"v"})
    store._environment = _Broken(lmdb.Error("input/output error"))
    with pytest.raises(OSError, match="input/output error"):
        store.write({b"k": b"w"})
    store._environment = environment
    with pytest.raises(OSError, match="input/output error"):
        store.write({b"k": b"w"})
    assert store.read(b"k") == b"v"
    store.close()


@pytest.mark.parametrize(
    ("error", "number"),
    [(lmdb.Error("Input/output error"), errno.EIO), (lmdb.DiskError("full"), errno.ENOSPC)],
)
def test_what_the_disk_does_not_give_stays_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: lmdb.Error, number: int
) -> None:
    path = tmp_path / "c"
    store = LmdbStore(str(path))
    store.write({b"k": b"v"})
    store.close()

    def fail(*_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(lmdb, "open", fail)
        with pytest.raises(OSError, match="LMDB") as caught:
            LmdbStore(str(path))
    assert caught.value.errno == number
    assert not list(tmp_path.glob("*.damaged*"))
    store = LmdbStore(str(path))
    assert store.read(b"k") == b"v"
    store.close()
