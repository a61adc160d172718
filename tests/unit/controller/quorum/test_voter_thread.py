"""What the voter's thread publishes, and the order in which it takes events."""

from __future__ import annotations

import threading
from typing import cast

import pytest

from controller.quorum.bootstrap import format_voter
from controller.quorum.engine import GuardedSyncObj
from controller.quorum.inbox import Resign, Stop, Submitted
from controller.quorum.metadata_log import Leadership
from controller.quorum.outcomes import Applied, Outcome, Refused
from controller.quorum.timings import Timings
from controller.quorum.voter_thread import VoterThread
from storage.vfs import MemoryVfs
from tests.support.raft_simulation import History

WAIT_SECONDS = 10


class Watch:
    """A voter that is its own quorum, and what it tells."""

    def __init__(self) -> None:
        self.vfs = MemoryVfs()
        format_voter("/q", "test", 1, [1], vfs=self.vfs)
        self.changes: list[Leadership] = []
        self.leads = threading.Event()
        self.failures: list[BaseException | None] = []
        self.machine = History()
        self.voter = VoterThread(
            1,
            {1: ("127.0.0.1", 0)},
            self.machine,
            publish=self.publish,
            ended=self.failures.append,
        )

    def publish(self, leadership: Leadership) -> None:
        self.changes.append(leadership)
        if leadership.is_self:
            self.leads.set()

    def start(self) -> None:
        self.voter.start(
            ("127.0.0.1", 0), "/q", self.vfs, tls=None, timings=Timings(election_min_ms=300)
        )
        assert self.leads.wait(WAIT_SECONDS)

    def stop(self) -> None:
        self.voter.post(Stop())
        self.voter.join()


def test_deposed_and_elected_again_within_one_turn_is_told_as_two_changes() -> None:
    watch = Watch()
    watch.voter._publish(Leadership(1, 1, True))
    watch.voter._publish(Leadership(1, 3, True))
    assert watch.changes == [
        Leadership(1, 1, True),
        Leadership(None, 3, False),
        Leadership(1, 3, True),
    ]


@pytest.mark.parametrize("has_noop", [False, True])
def test_nobody_is_told_to_lead_before_its_no_op_is_applied(has_noop: bool) -> None:
    class Engine:
        raftCurrentTerm = 4  # noqa: N815 - the library's name

        def leader_id(self) -> int:
            return 1

        def is_leading(self) -> bool:
            return True

        def is_ready_leader(self) -> bool:
            return has_noop

    told = Watch().voter._leadership(cast(GuardedSyncObj, Engine()))
    assert told == (Leadership(1, 4, True) if has_noop else Leadership(None, 4, False))


def test_events_are_taken_in_order_up_to_the_stop() -> None:
    watch = Watch()
    watch.start()
    told: list[Outcome] = []
    for number in range(2000):  # more than one turn takes
        watch.voter.post(Submitted([b"\x01%d" % number], told.append))
    watch.voter.post(Stop())
    watch.voter.post(Submitted([b"\x01late"], told.append))
    watch.voter.join()
    assert watch.failures == [None]
    assert watch.machine.commands == [str(number) for number in range(len(watch.machine.commands))]
    applied = [one for one in told if isinstance(one, Applied)]
    assert len(applied) == len(watch.machine.commands)
    assert isinstance(told[-1], Refused)
    assert watch.changes[-1].is_self is False
    assert not watch.voter.is_leading


def test_commands_are_refused_while_leadership_is_handed_over() -> None:
    watch = Watch()
    watch.start()
    told: list[Outcome] = []
    done = threading.Event()

    def tell(outcome: Outcome) -> None:
        told.append(outcome)
        done.set()

    watch.voter.post(Resign(True))
    watch.voter.post(Submitted([b"\x01no"], tell))
    assert done.wait(WAIT_SECONDS)
    done.clear()
    watch.voter.post(Resign(False))
    watch.voter.post(Submitted([b"\x01yes"], tell))
    assert done.wait(WAIT_SECONDS)
    watch.stop()
    assert isinstance(told[0], Refused)
    assert isinstance(told[1], Applied)
    assert watch.machine.commands == ["yes"]
