"""One log on a disk in memory, for the storage tests."""

from __future__ import annotations

from ottla.core.clock import ManualClock
from ottla.record.batch import BatchHeader, iter_headers, patch_offset_and_epoch
from ottla.record.build import build_batch
from ottla.record.control import ControlRecordType, control_record_key, end_transaction_value
from storage.checkpoints import Checkpoints, MemoryStore
from storage.config import LogConfig
from storage.log import Append, Log
from storage.manager import LogManager
from storage.vfs import MemoryVfs, OpenMode

TOPIC_ID = bytes(range(16))
FOLDER = "/data/t-0"
SMALL = LogConfig(segment_bytes=1000, index_interval_bytes=200, file_delete_delay_ms=0)


def batch(
    count: int = 1,
    size: int = 100,
    timestamp_ms: int = 1_000,
    *,
    producer_id: int = -1,
    sequence: int = -1,
    producer_epoch: int | None = None,
    transactional: bool = False,
) -> memoryview:
    """A batch as a producer sends it; its records' timestamps rise by one."""
    if producer_epoch is None:
        producer_epoch = 0 if producer_id >= 0 else -1
    return memoryview(
        build_batch(
            [(b"k", bytes(size), (), timestamp_ms + i) for i in range(count)],
            producer_id=producer_id,
            producer_epoch=producer_epoch,
            base_sequence=sequence,
            transactional=transactional,
        )
    )


def marker(producer_id: int, *, producer_epoch: int = 0, commit: bool = True) -> memoryview:
    """A transaction marker as a coordinator writes it."""
    kind = ControlRecordType.COMMIT if commit else ControlRecordType.ABORT
    return memoryview(
        build_batch(
            [(control_record_key(kind), end_transaction_value(7), (), 1_000)],
            producer_id=producer_id,
            producer_epoch=producer_epoch,
            transactional=True,
            control=True,
        )
    )


def replicated(*batches: memoryview, base_offset: int, leader_epoch: int = 0) -> memoryview:
    """Batches as a leader sends them to its followers."""
    data = bytearray()
    for one in batches:
        copy = bytearray(one)
        patch_offset_and_epoch(copy, 0, base_offset=base_offset, leader_epoch=leader_epoch)
        base_offset = next(iter_headers(copy))[1].next_offset
        data += copy
    return memoryview(data)


def read_all(log: Log) -> list[BatchHeader]:
    """The header of every batch, read slice by slice."""
    offset, headers = log.log_start_offset, []
    while (piece := log.read(offset, 500, end_offset=log.log_end_offset)) is not None:
        found = [header for _, header in iter_headers(piece.read())]
        headers += found
        offset = found[-1].next_offset
    return headers


class Disk:
    """A disk, what is on it, and a broker that uses it."""

    def __init__(self, config: LogConfig = SMALL, seed: int = 0) -> None:
        self.config = config
        self.vfs = MemoryVfs(seed)
        self.vfs.mkdirs("/data")
        self.vfs.fsync_dir("/")
        self.store = MemoryStore()
        self.clock = ManualClock(timestamp_ms=1_000)
        self.manager = self.start()

    def start(self) -> LogManager:
        """A new process; the old one must be gone."""
        self.manager = LogManager.open(
            ["/data"],
            cluster_id="c",
            node_id=1,
            clock=self.clock,
            vfs=self.vfs,
            checkpoints=Checkpoints(self.store),
        )
        self.manager.mark_running(1)
        return self.manager

    def open(self) -> Log:
        return self.manager.open_log("t", 0, TOPIC_ID, self.config)

    def process_crash(self) -> Log:
        self.vfs.process_crash()
        self.start()
        return self.open()

    def power_cut(self) -> Log:
        self.vfs.power_cut()
        self.start()
        return self.open()

    def restart(self) -> Log:
        """Stop cleanly and start again."""
        self.manager.close()
        self.vfs.power_cut()
        self.start()
        return self.open()

    def commit(self, log: Log) -> None:
        """Write the log's checkpoint."""
        log.note_checkpoint()
        self.manager.checkpoints.commit()

    def files(self) -> dict[str, int]:
        """The log's files without leading zeros, and their sizes."""
        found = {}
        for name in self.vfs.listdir(FOLDER):
            short = name.lstrip("0")
            found[short if short[0] != "." else "0" + short] = self.size(name)
        return found

    def path(self, base_offset: int, suffix: str = ".log") -> str:
        return f"{FOLDER}/{base_offset:020d}{suffix}"

    def size(self, name: str) -> int:
        return self.vfs.open(f"{FOLDER}/{name}", OpenMode.READ).size()


def append(log: Log, data: memoryview, leader_epoch: int = 0, *, internal: bool = False) -> Append:
    return log.append_as_leader(
        data, leader_epoch=leader_epoch, timestamp_ms=5_000, internal=internal
    )


def fill(log: Log, count: int, size: int = 100, leader_epoch: int = 0) -> None:
    """Append that many batches of one record each, a millisecond apart."""
    for _ in range(count):
        append(log, batch(1, size, 1_000 + log.log_end_offset), leader_epoch)
