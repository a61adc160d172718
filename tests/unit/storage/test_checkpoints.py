from __future__ import annotations

import threading

import pytest

from ottla.core.errors import DecodeError
from storage.checkpoints import Checkpoints, LogCheckpoint, LogKey, MemoryStore

KEY = LogKey(b"d" * 16, b"t" * 16, 3)
OTHER = LogKey(b"d" * 16, b"t" * 16, 4)
CHECKPOINT = LogCheckpoint(100, 90, 10, ((1, 0), (2, 50)))


def test_a_checkpoint_comes_back_from_its_bytes() -> None:
    assert LogCheckpoint.decode(CHECKPOINT.encode()) == CHECKPOINT
    assert LogCheckpoint.decode(LogCheckpoint(0, 0, 0, ()).encode()).epochs == ()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        CHECKPOINT.encode()[:-1],
        LogCheckpoint(1, 1, 1, ((2, 0), (2, 5))).encode(),
        LogCheckpoint(1, 1, 1, ((2, 5), (3, 5))).encode(),
    ],
)
def test_damaged_checkpoints_are_refused(data: bytes) -> None:
    with pytest.raises(DecodeError):
        LogCheckpoint.decode(data)
    store = MemoryStore()
    store.write({b"l" + KEY.encode(): data})
    assert Checkpoints(store).log(KEY) is None


def test_keys_are_short_enough_for_lmdb() -> None:
    assert len(KEY.encode()) + 1 + 8 <= 511


def test_what_is_noted_is_read_at_once_and_kept_by_a_commit() -> None:
    store = MemoryStore()
    checkpoints = Checkpoints(store)
    checkpoints.note_log(KEY, CHECKPOINT)
    checkpoints.note_high_watermark(KEY, 77)
    checkpoints.note_snapshot(KEY, 50, b"fifty")
    for reader in (checkpoints, checkpoints):
        assert reader.log(KEY) == CHECKPOINT
        assert reader.high_watermark(KEY) == 77
        assert reader.snapshot(KEY, 50) == b"fifty"
        checkpoints.commit()
    assert Checkpoints(store).log(KEY) == CHECKPOINT
    assert Checkpoints(store).log(OTHER) is None
    assert Checkpoints(store).high_watermark(OTHER) is None


def test_what_was_not_committed_is_lost() -> None:
    store = MemoryStore()
    checkpoints = Checkpoints(store)
    checkpoints.note_high_watermark(KEY, 1)
    checkpoints.commit()
    checkpoints.note_high_watermark(KEY, 2)
    assert Checkpoints(store).high_watermark(KEY) == 1


def test_snapshots_are_listed_and_dropped() -> None:
    checkpoints = Checkpoints(MemoryStore())
    checkpoints.note_snapshot(KEY, 300, b"x")
    checkpoints.commit()
    checkpoints.note_snapshot(KEY, 20, b"y")
    checkpoints.note_snapshot(OTHER, 7, b"z")
    assert checkpoints.snapshot_offsets(KEY) == [20, 300]
    checkpoints.drop_snapshots(KEY, [300])
    assert checkpoints.snapshot_offsets(KEY) == [20]
    assert checkpoints.snapshot(KEY, 300) is None
    checkpoints.commit()
    assert checkpoints.snapshot_offsets(KEY) == [20]


def test_a_damaged_snapshot_is_none() -> None:
    store = MemoryStore()
    checkpoints = Checkpoints(store)
    checkpoints.note_snapshot(KEY, 1, b"data")
    checkpoints.commit()
    (name,) = store.values
    store.values[name] = store.values[name][:-1] + b"?"
    assert checkpoints.snapshot(KEY, 1) is None
    store.values[name] = b"abc"
    assert checkpoints.snapshot(KEY, 1) is None


def test_forgetting_a_log() -> None:
    store = MemoryStore()
    checkpoints = Checkpoints(store)
    for key in (KEY, OTHER):
        checkpoints.note_log(key, CHECKPOINT)
        checkpoints.note_high_watermark(key, 1)
        checkpoints.note_snapshot(key, 1, b"")
    checkpoints.commit()
    checkpoints.forget(KEY)
    assert checkpoints.log(KEY) is None
    assert checkpoints.high_watermark(KEY) is None
    checkpoints.commit()
    assert len(store.values) == 3
    assert checkpoints.log(OTHER) == CHECKPOINT


def test_a_failed_commit_keeps_everything_noted() -> None:
    store = MemoryStore()
    checkpoints = Checkpoints(store)
    checkpoints.note_high_watermark(KEY, 1)
    checkpoints.note_high_watermark(OTHER, 1)
    store.failure = OSError("full")
    with pytest.raises(OSError, match="full"):
        checkpoints.commit()
    checkpoints.note_high_watermark(KEY, 2)
    store.failure = None
    checkpoints.commit()
    assert Checkpoints(store).high_watermark(KEY) == 2
    assert Checkpoints(store).high_watermark(OTHER) == 1


def test_reading_and_noting_while_a_commit_is_under_way() -> None:
    inside, go_on = threading.Event(), threading.Event()

    class SlowStore(MemoryStore):
        def write(self, changes: object) -> None:
            inside.set()
            assert go_on.wait(10)
            super().write(changes)  # type: ignore[arg-type]

    store = SlowStore()
    checkpoints = Checkpoints(store)
    checkpoints.note_high_watermark(KEY, 1)
    checkpoints.note_snapshot(KEY, 5, b"five")
    thread = threading.Thread(target=checkpoints.commit)
    thread.start()
    assert inside.wait(10)
    assert checkpoints.high_watermark(KEY) == 1
    assert checkpoints.snapshot_offsets(KEY) == [5]
    checkpoints.note_high_watermark(KEY, 2)
    assert checkpoints.high_watermark(KEY) == 2
    go_on.set()
    thread.join()
    assert Checkpoints(store).high_watermark(KEY) == 1
    assert checkpoints.high_watermark(KEY) == 2
    checkpoints.close()


def test_an_environment_that_failed_is_not_read_any_more() -> None:
    store = MemoryStore()
    checkpoints = Checkpoints(store)
    checkpoints.note_high_watermark(KEY, 7)
    checkpoints.commit()
    disowned: list[OSError] = []
    checkpoints.disown = disowned.append
    for _ in range(2):
        checkpoints.abandon(OSError(5, "broken"))
    assert len(disowned) == 1
    assert checkpoints.high_watermark(KEY) is None
    store.failure = OSError(5, "broken")
    checkpoints.note_high_watermark(KEY, 8)
    checkpoints.commit()
    checkpoints.commit()
    assert checkpoints.high_watermark(KEY) == 8
    checkpoints.forget(KEY)
    checkpoints.commit()
    assert checkpoints.high_watermark(KEY) is None


def test_an_environment_keeps_its_identity() -> None:
    store = MemoryStore()
    identity = Checkpoints(store).identify()
    assert len(identity) == 22
    assert Checkpoints(store).identify() == identity
    assert Checkpoints(MemoryStore()).identify() != identity


def test_forgetting_a_directory_leaves_the_others() -> None:
    checkpoints = Checkpoints(MemoryStore())
    other = LogKey(bytes(range(1, 17)), KEY.topic_id, KEY.partition)
    for key in (KEY, other):
        checkpoints.note_high_watermark(key, 7)
        checkpoints.note_snapshot(key, 3, b"x")
        checkpoints.note_log(key, LogCheckpoint(1, 1, 0, ()))
    checkpoints.commit()
    checkpoints.forget_directory(KEY.directory_id)
    assert checkpoints.high_watermark(KEY) is None
    assert checkpoints.log(KEY) is None
    assert checkpoints.snapshot_offsets(KEY) == []
    assert checkpoints.high_watermark(other) == 7
    assert checkpoints.snapshot_offsets(other) == [3]
