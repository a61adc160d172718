"""Checking logs: sound ones, and every kind of damage, above and below the recovery point."""

from __future__ import annotations

import contextlib
import errno

import pytest
from crc32c import crc32c

from ottla.core.identifiers import Uuid
from ottla.record.build import build_batch
from storage.checkpoints import Checkpoints, LogCheckpoint, LogKey
from storage.inspection.directory_check import check_places
from storage.inspection.log_check import CheckOptions
from storage.inspection.places import find_places
from storage.inspection.report import DirectoryReport, LogReport
from storage.log import Log
from storage.producers import ProducerState
from storage.vfs import OpenMode
from tests.support.compaction import COMPACTED, compact, keyed
from tests.support.disk import FOLDER, TOPIC_ID, Disk, append, batch, fill, marker, replicated
from tests.support.read_only_vfs import ReadOnlyVfs


def directory_of(
    disk: Disk, *, deep: bool = True, gaps_allowed: bool = True, stored: bool = True
) -> DirectoryReport:
    vfs = ReadOnlyVfs(disk.vfs)
    options = CheckOptions(deep=deep, gaps_allowed=gaps_allowed)
    store = Checkpoints(disk.store) if stored else None
    (report,) = check_places(vfs, find_places(vfs, ["/data"]), options, open_store=lambda _: store)
    return report


def check(
    disk: Disk, *, deep: bool = True, gaps_allowed: bool = True, stored: bool = True
) -> LogReport:
    (log,) = directory_of(disk, deep=deep, gaps_allowed=gaps_allowed, stored=stored).logs
    return log


def messages(report: LogReport, severity: str = "error") -> list[str]:
    return [f.message for f in report.findings.kept if f.severity.value == severity]


def change(disk: Disk, path: str, position: int, data: bytes) -> None:
    disk.vfs.open(path, OpenMode.WRITE).pwrite(data, position)


def stopped(batches: int = 20) -> Disk:
    """A log of several segments, cleanly stopped: all of it lies below the recovery point."""
    disk = Disk()
    fill(disk.open(), batches)
    disk.manager.close()
    return disk


def killed(batches: int = 20) -> Disk:
    """The same, killed before anything was synced."""
    disk = Disk()
    log = disk.open()
    fill(log, batches)
    disk.commit(log)
    disk.vfs.process_crash()
    return disk


def test_a_log_that_was_stopped_cleanly_is_sound() -> None:
    report = check(stopped())
    assert not report.findings.kept
    assert (report.segments, report.batches, report.records) == (4, 20, 20)
    assert (report.first_offset, report.log_end_offset) == (0, 20)
    assert (report.log_start_offset, report.recovery_point) == (0, 20)
    assert report.size == sum(size for name, size in stopped().files().items() if ".log" in name)


def test_a_log_that_a_broker_writes_is_sound() -> None:
    disk = Disk()
    fill(disk.open(), 20)
    directory = directory_of(disk)
    assert directory.in_use
    assert not directory.logs[0].findings.kept
    assert [f.message for f in directory.findings.kept] == [
        "a broker uses it: the ends of its logs are in flux"
    ]


def test_a_killed_brokers_log_is_sound() -> None:
    report = check(killed())
    assert not report.findings.kept
    assert report.recovery_point == 0


@pytest.mark.parametrize("more", [1, 4, 20])
def test_a_log_that_went_on_after_a_clean_stop_is_sound(more: int) -> None:
    disk = stopped(18)
    disk.start()
    log = disk.open()
    fill(log, more)
    assert not check(disk).findings.kept
    log.flush_sealed()
    disk.commit(log)
    assert not check(disk).findings.kept
    disk.vfs.process_crash()
    assert not check(disk).findings.kept


@pytest.mark.parametrize("base_offset", [0, 15])
def test_a_flipped_bit_below_the_recovery_point_is_an_error(base_offset: int) -> None:
    disk = stopped()
    change(disk, disk.path(base_offset), 100, b"\xff")
    report = check(disk)
    (message,) = messages(report)
    assert message == "a batch is damaged: its CRC is wrong"
    (finding,) = report.findings.kept
    assert (finding.position, finding.offset) == (0, base_offset)
    assert finding.path == disk.path(base_offset)
    assert report.batches == 20


def test_a_flipped_bit_above_the_recovery_point_is_cut_at_the_next_start() -> None:
    disk = killed()
    change(disk, disk.path(15), 100, b"\xff")
    report = check(disk)
    assert not messages(report)
    (message,) = messages(report, "warning")
    assert "the log is cut here at the next start" in message


def test_without_checkpoints_every_damage_is_an_error() -> None:
    disk = killed()
    change(disk, disk.path(15), 100, b"\xff")
    assert messages(check(disk, stored=False))


def test_a_log_that_is_too_new_for_a_checkpoint_may_hold_anything() -> None:
    disk = killed()
    disk.store.values.clear()
    disk.vfs.open(disk.path(15), OpenMode.WRITE).truncate(200)
    change(disk, disk.path(5), 100, b"\xff")
    report = check(disk)
    assert not messages(report)
    assert len(messages(report, "warning")) == 2


@pytest.mark.parametrize(
    ("tail", "cause"),
    [
        (bytes(100), "zeros instead of a batch"),
        (bytes([7] * 100), "message format version 7"),
        (bytes([7] * 10), "a record batch header has 61 bytes"),
    ],
)
def test_bytes_beyond_the_recovery_point_that_are_no_batch(tail: bytes, cause: str) -> None:
    for disk in (stopped(), killed()):
        disk.vfs.open(disk.path(15), OpenMode.WRITE).write(tail)
        report = check(disk)
        assert not messages(report)
        assert any(cause in message for message in messages(report, "warning"))


def test_a_batch_that_is_cut_off() -> None:
    for disk, severity in ((stopped(), "error"), (killed(), "warning")):
        file = disk.vfs.open(disk.path(15), OpenMode.WRITE)
        file.truncate(file.size() - 1)
        assert any("is cut off" in message for message in messages(check(disk), severity))


def test_what_follows_a_length_that_is_wrong_is_not_guessed_at() -> None:
    disk = stopped()
    change(disk, disk.path(0), 11, b"\xff")
    (message,) = messages(check(disk))
    assert message.startswith("a batch has a wrong CRC and no batch follows it")
    assert "bytes from here on were not read" in message


def test_an_offset_that_no_index_can_hold() -> None:
    disk = killed()
    change(disk, disk.path(15), 0, b"\x40")
    report = check(disk)
    assert any("too far away" in message for message in messages(report, "warning"))
    assert report.log_end_offset == 15


def test_an_epoch_that_falls_and_offsets_that_do() -> None:
    disk = Disk()
    log = disk.open()
    fill(log, 4, leader_epoch=3)
    disk.manager.close()
    change(disk, disk.path(0), 171 + 12, (2).to_bytes(4, "big"))
    change(disk, disk.path(0), 2 * 171, (0).to_bytes(8, "big"))
    found = messages(check(disk))
    assert any("its leader epoch is 2, after 3" in message for message in found)
    assert any("it begins at offset 0, below 2" in message for message in found)


def test_records_that_are_not_what_the_header_says_are_found_when_asked() -> None:
    disk = Disk()
    log = disk.open()
    data = batch(3)
    data[57:61] = (2).to_bytes(4, "big")
    data[17:21] = crc32c(bytes(data[21:])).to_bytes(4, "big")
    log.segments[-1].append(data)
    disk.vfs.process_crash()
    assert not messages(check(disk, deep=False, stored=False))
    (message,) = messages(check(disk, deep=True, stored=False))
    assert "left over after the last record" in message


def test_a_missing_segment_is_an_error() -> None:
    disk = stopped()
    disk.vfs.unlink(disk.path(5))
    report = check(disk)
    assert "the segment before ends at offset 5, this begins beyond it" in messages(report)


def test_a_missing_segment_of_another_program_may_be_the_work_of_its_compaction() -> None:
    disk = stopped()
    disk.vfs.unlink(disk.path(5))
    disk.vfs.unlink(disk.path(5, ".index"))
    disk.vfs.unlink(disk.path(5, ".timeindex"))
    assert not messages(check(disk, stored=False))
    assert check(disk, stored=False).compacted
    assert messages(check(disk, stored=False, gaps_allowed=False)) == ["offsets 5 to 9 are missing"]


@pytest.mark.parametrize("key", [b"k", None])
def test_a_gap_after_records_without_keys_is_not_the_work_of_a_compaction(key: bytes) -> None:
    disk = Disk()
    log = disk.open()
    data = memoryview(build_batch([(key, b"v", (), 1_000)]))
    log.append_as_follower(replicated(data, base_offset=0))
    log.append_as_follower(replicated(data, base_offset=3))
    disk.manager.close()
    report = check(disk)
    assert (report.gaps, report.log_end_offset) == (1, 4)
    assert len(messages(report)) == (key is None)


def aborted(commit: bool = False) -> Disk:
    """A log with a transaction at offset 0 that ends at 2, and one at 1 that is open."""
    disk = Disk()
    log = disk.open()
    for producer_id in (7, 8):
        append(log, batch(1, producer_id=producer_id, sequence=0, transactional=True))
    append(log, marker(7, commit=commit), internal=True)
    disk.manager.close()
    return disk


def test_aborted_transactions_are_in_their_index() -> None:
    disk = aborted()
    assert not check(disk).findings.kept
    path = disk.path(0, ".txnindex")
    for position, cause in (
        (9, "should be"),
        (17, "should be"),
        (25, "has no entry"),
        (1, "version"),
    ):
        data = disk.vfs.open(path, OpenMode.READ).pread(1, position)
        change(disk, path, position, bytes([data[0] ^ 1]))
        assert any(cause in message for message in messages(check(disk)))
        change(disk, path, position, data)
    disk.vfs.unlink(path)
    assert messages(check(disk)) == ["missing, although 1 transactions are aborted in its segment"]


def test_a_transaction_of_which_compaction_left_only_the_marker() -> None:
    disk = Disk(COMPACTED)
    log = disk.open()
    append(log, batch(1, producer_id=7, sequence=0, transactional=True))
    append(log, marker(7, commit=False), internal=True)
    append(log, keyed((b"k", b"v"), producer_id=7, sequence=1, transactional=True))
    append(log, marker(7), internal=True)
    for number in range(20):
        append(log, keyed((b"k%d" % number, b"v")))
    assert compact(disk, log)
    disk.manager.close()
    assert check(disk).gaps
    assert disk.size("00000000000000000000.txnindex")
    assert not messages(check(disk))
    change(disk, disk.path(0, ".txnindex"), 9, b"\x08")
    assert any("another producer" in message for message in messages(check(disk)))


def test_an_aborted_transaction_above_the_recovery_point_is_read_from_the_log() -> None:
    disk = aborted()
    disk.vfs.unlink(disk.path(0, ".txnindex"))
    disk.vfs.unlink("/data/stop.mark")
    remembered(disk, recovery_point=2)
    assert not messages(check(disk))


def test_a_committed_transaction_has_no_entry() -> None:
    disk = aborted(commit=True)
    assert not disk.vfs.exists(disk.path(0, ".txnindex"))
    assert not check(disk).findings.kept


def remembered(disk: Disk, **changes: object) -> None:
    """Replace what the checkpoints say of the log."""
    checkpoints = Checkpoints(disk.store)
    key = key_of(disk)
    known = checkpoints.log(key)
    assert known is not None
    fields = {
        "recovery_point": known.recovery_point,
        "index_point": known.index_point,
        "log_start_offset": known.log_start_offset,
        "epochs": known.epochs,
        **changes,
    }
    checkpoints.note_log(key, LogCheckpoint(**fields))  # type: ignore[arg-type]
    checkpoints.commit()


def key_of(disk: Disk) -> LogKey:
    return LogKey(disk.manager.directories[0].directory_id, Uuid(TOPIC_ID), 0)


def test_a_topic_id_that_is_missing_is_what_a_power_cut_may_leave() -> None:
    disk = stopped()
    disk.vfs.open(f"{FOLDER}/partition.metadata", OpenMode.WRITE).truncate(12)
    assert any("says no topic id" in message for message in messages(check(disk)))
    disk.vfs.unlink(f"{FOLDER}/partition.metadata")
    disk.vfs.unlink("/data/stop.mark")
    assert any("says no topic id" in message for message in messages(check(disk), "warning"))


def test_a_recovery_point_beyond_the_log() -> None:
    disk = stopped()
    remembered(disk, recovery_point=21)
    assert messages(check(disk)) == [
        "the log ends at offset 20, although everything below 21 was synced"
    ]


def test_a_clean_stop_synced_everything() -> None:
    disk = stopped()
    remembered(disk, recovery_point=15)
    assert messages(check(disk)) == [
        "the log ends at offset 20; when it was stopped it was synced up to 15"
    ]
    disk.vfs.unlink("/data/stop.mark")
    assert not messages(check(disk))


@pytest.mark.parametrize("epochs", [((1, 0),), ((0, 0), (1, 5)), ()])
def test_epochs_that_are_not_the_logs(epochs: tuple[tuple[int, int], ...]) -> None:
    disk = stopped()
    remembered(disk, epochs=epochs)
    assert messages(check(disk))


def test_epochs_above_the_recovery_point_are_read_from_the_log_anyway() -> None:
    disk = stopped()
    disk.vfs.unlink("/data/stop.mark")
    remembered(disk, recovery_point=3, epochs=((0, 0), (9, 3)))
    assert not messages(check(disk))


def with_producer() -> tuple[Disk, Log]:
    disk = Disk()
    log = disk.open()
    for sequence in range(8):
        append(log, batch(1, producer_id=7, sequence=sequence))
    append(log, batch(1, producer_id=8, sequence=0, transactional=True))
    return disk, log


def test_producers_are_held_against_the_log() -> None:
    disk, _ = with_producer()
    disk.manager.close()
    assert not check(disk).findings.kept
    checkpoints = Checkpoints(disk.store)
    lying = ProducerState()
    for producer_id in (7, 9):
        lying.end_transaction(producer_id, 5, 0, 3, 0)
    checkpoints.note_snapshot(key_of(disk), 9, lying.encode())
    checkpoints.commit()
    assert messages(check(disk)) == [
        "the producer snapshot at offset 9: producer 7 has epoch 5; its last batch has 0"
    ]


def test_a_snapshot_that_forgot_a_transaction() -> None:
    disk, log = with_producer()
    state = ProducerState.decode(log.producers.encode())
    append(log, marker(8), internal=True)
    disk.manager.close()
    checkpoints = Checkpoints(disk.store)
    checkpoints.note_snapshot(key_of(disk), 10, state.encode())
    checkpoints.commit()
    assert any("open transaction of producer 8" in message for message in messages(check(disk)))


@pytest.mark.parametrize(
    ("suffix", "position", "data", "cause"),
    [
        (".index", 4, (1).to_bytes(4, "big"), "no batch begins"),
        (".index", 0, (1).to_bytes(4, "big"), "it ends at"),
        (".timeindex", 0, (999_999).to_bytes(8, "big"), "brought the timestamp"),
    ],
)
def test_an_index_that_lies(suffix: str, position: int, data: bytes, cause: str) -> None:
    disk = stopped()
    change(disk, disk.path(0, suffix), position, data)
    assert any(cause in message for message in messages(check(disk)))


def test_entries_beyond_the_segment_are_what_a_truncation_that_was_cut_off_leaves() -> None:
    disk = stopped()
    for suffix, entry in ((".index", (99, 9_999)), (".timeindex", (0, 99_999, 99))):
        data = b"".join(number.to_bytes(4, "big") for number in entry)
        disk.vfs.open(disk.path(5, suffix), OpenMode.CREATE).write(data)
    assert len(messages(check(disk))) == 2
    disk.vfs.unlink("/data/stop.mark")
    report = check(disk)
    assert not messages(report)
    assert len(messages(report, "warning")) == 2


def test_an_index_above_the_index_point_is_made_again() -> None:
    disk = stopped()
    remembered(disk, index_point=0)
    change(disk, disk.path(0, ".index"), 4, (1).to_bytes(4, "big"))
    report = check(disk)
    assert not messages(report)
    assert all("made again at the next start" in m for m in messages(report, "warning"))
    assert messages(report, "warning")


def test_an_index_that_is_missing_or_cut_within_an_entry() -> None:
    disk = stopped()
    disk.vfs.unlink(disk.path(0, ".timeindex"))
    disk.vfs.open(disk.path(5, ".index"), OpenMode.WRITE).truncate(7)
    report = check(disk)
    assert messages(report, "warning") == ["missing; it is made again at the next start"]
    assert messages(report) == ["its 7 bytes are no whole entries of 8"]


def test_the_largest_timestamp_of_a_sealed_segment_is_in_its_last_entry() -> None:
    disk = stopped()
    file = disk.vfs.open(disk.path(0, ".timeindex"), OpenMode.WRITE)
    file.truncate(file.size() - 12)
    (message,) = messages(check(disk))
    assert message.startswith("its last entry has timestamp")


def test_a_segment_that_reaches_into_the_next_one() -> None:
    disk = stopped()
    disk.vfs.rename(disk.path(5), disk.path(4))
    assert any("reaches into the next segment" in message for message in messages(check(disk)))


def test_no_segments_although_something_was_synced() -> None:
    disk = stopped()
    for name in disk.vfs.listdir(FOLDER):
        if name.endswith(".log"):
            disk.vfs.unlink(f"{FOLDER}/{name}")
    assert "no segments, although 20 was synced" in messages(check(disk))


def test_what_our_own_compaction_left_is_sound() -> None:
    disk = Disk(COMPACTED)
    log = disk.open()
    for number in range(40):
        append(log, keyed((b"k%d" % (number % 3), b"v%d" % number)))
    assert compact(disk, log)
    assert not check(disk).findings.errors
    disk.manager.close()
    report = check(disk)
    assert not report.findings.errors
    assert report.compacted


def test_a_compaction_that_was_cut_off_while_it_replaced_segments() -> None:
    disk = Disk(COMPACTED)
    log = disk.open()
    for number in range(40):
        append(log, keyed((b"k%d" % (number % 3), b"v%d" % number)))
    disk.vfs.fail("rename", errno.EIO, path=".log.swap")
    with contextlib.suppress(OSError):
        compact(disk, log)
    disk.manager.close()
    disk.vfs.process_crash()
    assert any(name.endswith(".log.swap") for name in disk.vfs.listdir(FOLDER))
    assert not messages(check(disk))
