"""The product's log, which tells the ledger what it has done."""

from __future__ import annotations

from typing import Any

from storage.log import Append, Log
from storage.vfs import SimulatedCrash
from tests.simulation.disk import Disk
from tests.simulation.ledger import Ledger
from tests.simulation.records import batches_below


class ObservedLog(Log):
    """See the module; `ledger` is set by a subclass for each run."""

    ledger: Ledger

    def __init__(self, *, vfs: Any, **options: Any) -> None:
        super().__init__(vfs=vfs, **options)
        assert isinstance(vfs, Disk)
        self.broker_id = vfs.broker_id
        self.ledger.opened(self.broker_id, self)

    def append_as_leader(
        self, batch: memoryview, *, leader_epoch: int, timestamp_ms: int, internal: bool = False
    ) -> Append:
        try:
            result = super().append_as_leader(
                batch, leader_epoch=leader_epoch, timestamp_ms=timestamp_ms, internal=internal
            )
        except SimulatedCrash:
            self.ledger.maybe_appended(self, batch)
            raise
        if not result.duplicate:
            self.ledger.appended(self.broker_id, self, batch, leader=True)
        return result

    def append_as_follower(self, batches: memoryview) -> None:
        before = self.log_end_offset
        try:
            super().append_as_follower(batches)
        finally:
            if self.log_end_offset != before:
                taken = batches_below(batches, self.log_end_offset)
                self.ledger.appended(self.broker_id, self, taken, leader=False)

    def truncate_to(self, offset: int) -> None:
        try:
            super().truncate_to(offset)
        finally:
            self.ledger.truncated(self.broker_id, self, reset=False)

    def reset_to(self, offset: int) -> None:
        try:
            super().reset_to(offset)
        finally:
            self.ledger.truncated(self.broker_id, self, reset=True)
