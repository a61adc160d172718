"""A quorum of one in its own thread, on a disk in memory: the seam between loop and engine."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from controller.quorum import raft_log as module
from controller.quorum.bootstrap import format_voter
from controller.quorum.metadata_log import (
    CommandTooLarge,
    Leadership,
    NotLeader,
    ProposalLost,
    QuorumBusy,
)
from controller.quorum.raft_log import RaftMetadataLog
from ottla.core.errors import ConfigError, InvariantError
from storage.vfs import MemoryVfs
from tests.support.raft_simulation import History

WAIT_MS = 10_000


class Node:
    """One voter that is its own quorum."""

    def __init__(self, vfs: MemoryVfs | None = None) -> None:
        self.vfs = vfs or MemoryVfs()
        if not self.vfs.exists("/q/voter.mark"):
            format_voter("/q", "test", 1, [1], vfs=self.vfs)
        self.machine = History()
        self.changes: list[Leadership] = []
        self.leads = asyncio.Event()
        self.log = RaftMetadataLog(
            1,
            {1: ("127.0.0.1", 0)},
            ("127.0.0.1", 0),
            "/q",
            self.machine,
            asyncio.get_running_loop(),
            self.vfs,
        )
        self.log.add_leadership_listener(self.listen)

    def listen(self, leadership: Leadership) -> None:
        self.changes.append(leadership)
        if leadership.is_self:
            self.leads.set()

    async def ready(self) -> RaftMetadataLog:
        self.log.start()
        async with asyncio.timeout(10):
            await self.leads.wait()
        return self.log


def _run(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(story())


def test_a_proposal_gives_index_term_and_result() -> None:
    async def story() -> None:
        node = Node()
        log = await node.ready()
        found = await log.propose(b"hello", WAIT_MS)
        assert found.result == b"done hello"
        assert (found.index, found.term, "hello") in node.machine.applied
        assert (log.leader_id, log.term, log.last_applied) == (1, found.term, found.index)
        await log.stop()

    _run(story)


def test_leadership_is_announced_once_the_no_op_is_applied() -> None:
    async def story() -> None:
        node = Node()
        log = await node.ready()
        applied = log.last_applied
        assert applied >= 2  # the library's first entry, and the no-op
        assert [change.is_self for change in node.changes][-1]
        late: list[Leadership] = []
        log.add_leadership_listener(late.append)
        assert late == [node.changes[-1]]
        await log.stop()
        await asyncio.sleep(0)
        assert node.changes[-1] == Leadership(None, log.term, False)

    _run(story)


def test_everything_is_there_after_a_restart() -> None:
    async def story() -> None:
        node = Node()
        log = await node.ready()
        for number in range(10):
            await log.propose(b"%d" % number, WAIT_MS)
        term = log.term
        await log.stop()
        node.vfs.power_cut()
        again = Node(node.vfs)
        log = await again.ready()
        assert again.machine.commands == [str(number) for number in range(10)]
        assert log.term > term
        await log.stop()

    _run(story)


def test_proposals_of_many_tasks_are_applied_once_each() -> None:
    async def story() -> None:
        node = Node()
        log = await node.ready()
        commands = [b"%d" % number for number in range(200)]
        found = await asyncio.gather(*(log.propose(one, WAIT_MS) for one in commands))
        assert sorted(node.machine.commands, key=int) == [str(number) for number in range(200)]
        assert len({one.index for one in found}) == 200
        await log.stop()

    _run(story)


def test_before_the_start_and_after_the_stop_nobody_leads() -> None:
    async def story() -> None:
        node = Node()
        with pytest.raises(NotLeader):
            await node.log.propose(b"x", WAIT_MS)
        log = await node.ready()
        await log.stop()
        await log.run()
        with pytest.raises(NotLeader):
            await log.propose(b"x", WAIT_MS)
        await log.stop()

    _run(story)


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        node = Node()
        log = await node.ready()
        monkeypatch.setattr(module, "COMMAND_BYTES_MAX", 10)
        with pytest.raises(CommandTooLarge, match="divide the request"):
            await log.propose(bytes(11), WAIT_MS)
        monkeypatch.setattr(module, "WAITING_COMMANDS_MAX", 0)
        with pytest.raises(QuorumBusy):
            await log.propose(b"x", WAIT_MS)
        await log.stop()

    _run(story)


def test_a_proposal_that_takes_too_long_is_lost_not_refused() -> None:
    async def story() -> None:
        node = Node()
        log = await node.ready()
        with pytest.raises(ProposalLost, match="may still be applied"):
            await log.propose(b"x", 0)
        await log.propose(b"y", WAIT_MS)  # and the wait is not counted any more
        assert log._waiting_commands == 0
        assert node.machine.commands == ["x", "y"]
        await log.stop()

    _run(story)


def test_a_failing_disk_ends_the_voter_and_says_why() -> None:
    async def story() -> None:
        node = Node()
        log = await node.ready()
        await log.propose(b"w", WAIT_MS)
        node.vfs.fail("fsync", errno.EIO)
        with pytest.raises(ProposalLost):
            await log.propose(b"x", WAIT_MS)
        with pytest.raises(OSError, match="Input/output"):
            await log.run()
        with pytest.raises(NotLeader):
            await log.propose(b"y", WAIT_MS)
        assert node.changes[-1].is_self is False
        await log.stop()

    _run(story)


def test_a_state_machine_that_raises_is_an_invariant_error() -> None:
    async def story() -> None:
        node = Node()
        node.machine.fail_on = "boom"
        log = await node.ready()
        with pytest.raises(InvariantError):
            await log.propose(b"boom", WAIT_MS)
        await log.propose(b"after", WAIT_MS)
        await log.stop()

    _run(story)


def test_one_process_at_a_time() -> None:
    async def story() -> None:
        node = Node()
        log = await node.ready()
        other = Node(node.vfs)
        with pytest.raises(ConfigError, match="in use by another process"):
            other.log.start()
        await log.stop()
        await (await other.ready()).stop()  # the failed start left nothing behind

    _run(story)


def test_a_refused_start_gives_the_lock_back() -> None:
    async def story() -> None:
        node = Node()
        node.vfs.unlink("/q/voter.mark")
        for _ in range(2):
            with pytest.raises(ConfigError, match="never formatted"):
                node.log.start()

    _run(story)


def test_a_large_command_is_one_command() -> None:
    async def story() -> None:
        node = Node()
        log = await node.ready()
        await log.propose(b"z" * 1_000_000, WAIT_MS)
        assert node.machine.commands == ["z" * 1_000_000]
        await log.stop()

    _run(story)


def test_the_directory_is_committed_once() -> None:
    async def story() -> None:
        node = Node()
        log = await node.ready()
        first = await log.propose(b"one", WAIT_MS)
        second = await log.propose(b"two", WAIT_MS)
        known = (await log.describe(WAIT_MS)).voter_set.voters[1].directory_id
        assert known is not None
        assert second.index <= first.index + 2
        assert log._voter.fault_of(1, known) is None
        fault = log._voter.fault_of(1, b"x" * 16)
        assert fault is not None
        assert "start it with its own disk" in fault
        await log.stop()

    _run(story)
