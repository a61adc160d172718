"""One simulated voter: what the library takes for time, what the log is applied to, a disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from controller.quorum import library
from controller.quorum.applied import AppliedState
from controller.quorum.engine import GuardedSyncObj
from controller.quorum.outcomes import Outcome
from controller.quorum.voter_set import VoterSet
from ottla.core.identifiers import Uuid
from storage.vfs import MemoryVfs

FOLDER = "/data"


class Clock:
    """Virtual seconds, in place of the library's clock."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@contextmanager
def virtual_time() -> Iterator[Clock]:
    """Let the library live by a virtual clock within the block."""
    real = library.syncobj.monotonicTime
    clock = Clock()
    library.syncobj.monotonicTime = clock
    try:
        yield clock
    finally:
        library.syncobj.monotonicTime = real


class History:
    """A state machine that is the list of what was applied to it."""

    def __init__(self) -> None:
        self.applied: list[tuple[int, int, str]] = []
        self.fail_on: str | None = None
        self.apply_calls = 0

    def apply(self, index: int, term: int, command: bytes) -> bytes:
        self.apply_calls += 1
        text = command.decode()
        self.applied.append((index, term, text))
        if self.fail_on is not None and text == self.fail_on:
            raise RuntimeError("the state machine failed")
        return f"done {text[:40]}".encode()

    def snapshot(self) -> bytes:
        return json.dumps(self.applied).encode()

    def restore(self, data: bytes) -> None:
        self.applied = [(index, term, text) for index, term, text in json.loads(data)]

    @property
    def commands(self) -> list[str]:
        return [text for _, _, text in self.applied]


@dataclass
class Voter:
    """One voter: its disk lives on when its engine does not."""

    voter_id: int
    vfs: MemoryVfs
    directory_id: Uuid
    settings: VoterSet
    machine: History = field(default_factory=History)
    engine: GuardedSyncObj | None = None
    due: float = 0.0
    busy_until: float = 0.0
    state: AppliedState | None = None
    outcomes: dict[str, Outcome] = field(default_factory=dict)

    @property
    def running(self) -> GuardedSyncObj:
        assert self.engine is not None
        return self.engine


def address_of(voter_id: int) -> tuple[str, int]:
    return (f"voter-{voter_id}", 1)


def new_disk(seed: int) -> MemoryVfs:
    vfs = MemoryVfs(seed=seed)
    vfs.mkdirs(FOLDER)
    vfs.fsync_dir("/")
    return vfs
