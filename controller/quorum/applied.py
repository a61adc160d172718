"""Everything that the log is applied to: the controller's state machine, the parts of a command
that is not whole yet, and the set of voters."""

from __future__ import annotations

import logging

from controller.quorum.commands import Assembler, Command
from controller.quorum.journal import Entry
from controller.quorum.metadata_log import StateMachine
from controller.quorum.snapshot import Snapshot
from controller.quorum.voter_set import VoterSet
from ottla.core.errors import DecodeError

_log = logging.getLogger(__name__)


class AppliedState:
    """One mutator, `apply`; total, since an exception would make the library apply the entry again
    for ever."""

    def __init__(self, machine: StateMachine) -> None:
        self._machine = machine
        self._assembler = Assembler()
        self.voters: tuple[int, VoterSet] | None = None
        """The last set of voters that was applied, and its index; None: the founders."""

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
            case VoterSet():
                self.voters = (index, found)
                return b""
            case Command(data):
                try:
                    return self._machine.apply(index, term, data)
                except Exception as error:
                    _log.critical("the state machine raised at entry %d", index, exc_info=True)
                    return error

    def snapshot(self, previous: Entry, last: Entry) -> Snapshot:
        """The state after `last`, the entry applied last."""
        kept = self._assembler
        partial = Assembler(kept.term, kept.next_index, kept.count, kept.parts, kept.received)
        return Snapshot(previous, last, partial, self.voters, self._machine.snapshot())

    def restore(self, snapshot: Snapshot) -> None:
        kept = snapshot.partial
        self._assembler = Assembler(
            kept.term, kept.next_index, kept.count, kept.parts, kept.received
        )
        self.voters = snapshot.voters
        self._machine.restore(snapshot.state)
