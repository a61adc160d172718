"""Everything that the log is applied to: the controller's state machine, the parts of a command
that is not whole yet, and which directory each voter's log is in."""

from __future__ import annotations

import logging

from controller.quorum.commands import Assembler, Command, SetDirectory
from controller.quorum.journal import Entry
from controller.quorum.metadata_log import StateMachine
from controller.quorum.snapshot import Snapshot
from ottla.core.errors import DecodeError
from ottla.core.identifiers import Uuid

_log = logging.getLogger(__name__)


class AppliedState:
    """One mutator, `apply`; total, since an exception would make the library apply the entry again
    for ever."""

    def __init__(self, machine: StateMachine) -> None:
        self._machine = machine
        self._assembler = Assembler()
        self.directories: dict[int, Uuid] = {}

    def apply(self, index: int, term: int, entry: bytes) -> bytes | Exception:
        """The result of the command that ends at `entry` (empty when none does), or what the state
        machine raised against its contract: the entry counts as applied all the same."""
        try:
            found = self._assembler.feed(index, term, entry)
        except DecodeError as error:
            _log.critical("entry %d cannot be read and is skipped: %s", index, error)
            return error
        match found:
            case None:
                return b""
            case SetDirectory(voter_id, directory_id):
                self._set_directory(voter_id, directory_id)
                return b""
            case Command(data):
                try:
                    return self._machine.apply(index, term, data)
                except Exception as error:
                    _log.critical("the state machine raised at entry %d", index, exc_info=True)
                    return error

    def _set_directory(self, voter_id: int, directory_id: Uuid | None) -> None:
        """The first directory stays until it is forgotten: a second one is a replaced disk."""
        if directory_id is None:
            self.directories.pop(voter_id, None)
        else:
            self.directories.setdefault(voter_id, directory_id)

    def snapshot(self, previous: Entry, last: Entry) -> Snapshot:
        """The state after `last`, the entry applied last."""
        kept = self._assembler
        partial = Assembler(kept.term, kept.next_index, kept.count, kept.parts, kept.received)
        return Snapshot(previous, last, partial, dict(self.directories), self._machine.snapshot())

    def restore(self, snapshot: Snapshot) -> None:
        kept = snapshot.partial
        self._assembler = Assembler(
            kept.term, kept.next_index, kept.count, kept.parts, kept.received
        )
        self.directories = dict(snapshot.directories)
        self._machine.restore(snapshot.state)
