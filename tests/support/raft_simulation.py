"""A quorum of voters in one thread: virtual time, a network that misbehaves, disks that forget.

Voters are real engines over real journals on `MemoryVfs`; only clock, network and power are fake.
Time moves in steps of `STEP_SECONDS`; in each, due messages arrive and due turns are taken. After
every step the safety properties of Raft are checked over all that was ever applied anywhere.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable

from controller.generated import raft_pb2
from controller.quorum.applied import AppliedState
from controller.quorum.bootstrap import format_joiner, format_voter, open_voter
from controller.quorum.commands import encode_command
from controller.quorum.engine import GuardedSyncObj
from controller.quorum.messages import PROMISES, Message, decode_message, encode_message
from controller.quorum.outcomes import Applied, Outcome, Refused
from controller.quorum.snapshot_store import SnapshotStore
from controller.quorum.timings import Timings
from controller.quorum.voter_set import VoterNode, VoterSet, founders
from ottla.core.identifiers import NIL_UUID, Uuid
from storage.vfs import MemoryVfs, SimulatedCrash
from tests.support.raft_invariants import Invariants
from tests.support.raft_voter import (
    FOLDER,
    Clock,
    History,
    Voter,
    address_of,
    new_disk,
    virtual_time,
)

__all__ = ["Clock", "History", "Simulation", "Voter", "address_of", "virtual_time"]

STEP_SECONDS = 0.01


class Simulation:
    """`voters` are numbered from 1. Everything random comes from `seed`."""

    promises_checked = True

    def __init__(
        self, clock: Clock, voters: int = 3, seed: int = 0, timings: Timings | None = None
    ) -> None:
        self.clock = clock
        self.random = random.Random(seed)
        self.timings = timings or Timings()
        self.voters: dict[int, Voter] = {}
        self.cut: set[tuple[int, int]] = set()
        self.drop_share = 0.0
        self.duplicate_share = 0.0
        self.delay_seconds_max = 0.0
        self.slow_disk_seconds_max = 0.0
        self.counts: Counter[str] = Counter()
        self.sent: deque[tuple[int, int, Message]] = deque(maxlen=20_000)
        self._queue: list[tuple[float, int, int, int, bytes]] = []
        self._sequence = 0
        self.invariants = Invariants(range(1, voters + 1))
        self._redial = 0.0
        self._word = random.Random(seed)
        self.word_share = 0.7
        """Of the voters that see a process die, rather than lose their connection to it."""
        self._delivered: dict[tuple[int, int], int] = {}
        self._links: dict[tuple[int, int], Uuid] = {}
        settings = founders({voter_id: address_of(voter_id) for voter_id in range(1, voters + 1)})
        for voter_id in range(1, voters + 1):
            vfs = new_disk(seed * 100 + voter_id)
            mark = format_voter(
                FOLDER, "test", voter_id, range(1, voters + 1), vfs=vfs, source=self.random
            )
            self.voters[voter_id] = Voter(voter_id, vfs, mark.directory_id, settings)
        for voter_id in self.voters:
            self.start(voter_id)

    # Processes

    def start(self, voter_id: int) -> None:
        """Start a voter from its disk, again if it crashes while starting."""
        while True:
            try:
                return self._start(voter_id)
            except SimulatedCrash:
                self.voters[voter_id].vfs.power_cut()

    def _start(self, voter_id: int) -> None:
        voter = self.voters[voter_id]
        voter.machine = History()
        mark, journal = open_voter(FOLDER, voter_id, voter.vfs, preallocated_bytes=1 << 16)
        voter.state = AppliedState(voter.machine)
        voter.engine = GuardedSyncObj(
            voter_id,
            voter.settings,
            journal,
            voter.state,
            SnapshotStore(voter.vfs, FOLDER, self.timings),
            lambda peer, message: self._send(voter_id, peer, message),
            is_founder=mark.is_founder,
            timings=self.timings,
            source=random.Random(self.random.random()),
        )
        voter.due = self.clock.seconds
        self._connect()

    def crash(self, voter_id: int, *, power_cut: bool = True) -> None:
        """End a voter at once; what it had not synced may be gone."""
        voter = self.voters[voter_id]
        voter.engine = None
        if power_cut:
            voter.vfs.power_cut()
        else:
            voter.vfs.process_crash()
        self._connect()

    def add_node(self, voter_id: int) -> None:
        """Start a node that may become a voter, on an empty disk."""
        self.voters[voter_id] = Voter(voter_id, MemoryVfs(), NIL_UUID, VoterSet({}))
        self.replace_disk(voter_id)
        self.start(voter_id)

    def replace_disk(self, voter_id: int) -> None:
        """Give a stopped voter an empty disk, with which it may be added again, and settings that
        name the present voters; those of others stay what they were."""
        vfs = new_disk(self.random.randrange(1 << 30))
        mark = format_joiner(FOLDER, "test", voter_id, vfs=vfs, source=self.random)
        self.voters[voter_id].vfs = vfs
        self.voters[voter_id].directory_id = mark.directory_id
        _, present = self.invariants.sets[-1]
        self.voters[voter_id].settings = founders({one: address_of(one) for one in present.ids})

    def crash_soon(self, voter_id: int, operations: int) -> None:
        """Cut the power in the middle of the disk operation after that many more."""
        self.voters[voter_id].vfs.crash_after(operations)

    # Network

    def isolate(self, voter_id: int) -> None:
        """Cut a voter off from all others, both ways."""
        for peer_id in self.voters:
            if peer_id != voter_id:
                self.disconnect(voter_id, peer_id)
                self.disconnect(peer_id, voter_id)

    def heal(self) -> None:
        """Connect everybody again."""
        self.cut.clear()
        self._connect()

    def disconnect(self, source: int, target: int) -> None:
        self.cut.add((source, target))
        self._connect()

    def _connect(self) -> None:
        """Make and end connections as the transport does: both sides must admit each other."""
        links = {
            (source.voter_id, target.voter_id): target.directory_id
            for source in self.voters.values()
            for target in self.voters.values()
            if source is not target
            and source.engine is not None
            and target.engine is not None
            and (source.voter_id, target.voter_id) not in self.cut
            and target.voter_id in source.engine.peers()
            and source.engine.fault_of(target.voter_id, target.directory_id) is None
            and target.engine.fault_of(source.voter_id, source.directory_id) is None
        }
        for source in self.voters.values():
            for target in self.voters.values():
                self._maybe_tell(source, target)
        before, self._links = self._links, links
        for source_id, target_id in before:
            if links.get((source_id, target_id)) != before[source_id, target_id]:
                self._queue = [one for one in self._queue if one[2:4] != (source_id, target_id)]
                if (engine := self.voters[source_id].engine) is not None:
                    engine.peer_disconnected(target_id)
                    dead = self.voters[target_id].engine is None
                    if dead and self._word.random() < self.word_share:
                        self.counts["word of a death"] += 1
                        self.tell_gone(source_id, target_id)
        for (source_id, target_id), directory_id in links.items():
            if before.get((source_id, target_id)) != directory_id:
                self.voters[source_id].running.peer_connected(target_id, directory_id)

    def tell_gone(self, source_id: int, target_id: int) -> None:
        """What a voter sees, or believes to see, of the process of another."""
        source = self.voters[source_id]
        source.running.peer_gone(target_id)
        source.due = self.clock.seconds

    def _maybe_tell(self, source: Voter, target: Voter) -> None:
        """Whom a voter refuses, it tells of the committed set."""
        cut = (source.voter_id, target.voter_id) in self.cut
        if source.engine is None or target.engine is None or source is target or cut:
            return
        if (
            target.voter_id in source.engine.peers()
            and source.engine.fault_of(target.voter_id, target.directory_id) is None
            and target.engine.fault_of(source.voter_id, source.directory_id) is not None
        ):
            index, voters = target.engine.committed_voter_set()
            source.engine.learn_of(index, voters.encode())

    def _send(self, source: int, target: int, message: Message) -> None:
        self.sent.append((source, target, message))
        if message["type"] in PROMISES and self.promises_checked:
            journal = self.voters[source].running._journal
            assert journal.is_durable, "a promise left before the journal was synced"
        if (source, target) not in self._links:
            return
        data = encode_message(message).SerializeToString()
        if message.get("serialized"):
            self.counts["snapshot piece"] += 1
        if self.random.random() < self.drop_share:
            self.counts["drop"] += 1
            return
        copies = 2 if self.random.random() < self.duplicate_share else 1
        self.counts["duplicate"] += copies - 1
        for _ in range(copies):
            arrival = self.clock.seconds + self.random.random() * self.delay_seconds_max
            self.counts["delay"] += arrival >= self.clock.seconds + STEP_SECONDS
            self._sequence += 1
            self._queue.append((arrival, self._sequence, source, target, data))

    def _deliver(self) -> None:
        now = self.clock.seconds
        held = {one.voter_id for one in self.voters.values() if one.busy_until > now}
        arrived = sorted(one for one in self._queue if one[0] <= now and one[3] not in held)
        self._queue = [one for one in self._queue if one[0] > now or one[3] in held]
        for _, sequence, source, target, data in arrived:
            voter = self.voters[target]
            if voter.engine is not None and (source, target) in self._links:
                self.counts["message"] += 1
                self.counts["reorder"] += sequence < self._delivered.get((source, target), 0)
                self._delivered[source, target] = sequence
                message = decode_message(raft_pb2.Message.FromString(data))
                try:
                    voter.engine.receive(source, message)
                except SimulatedCrash:
                    self._crash_in_midst(target)
                voter.due = now

    def _crash_in_midst(self, voter_id: int) -> None:
        self.counts["crash within a disk operation"] += 1
        self.crash(voter_id)

    # Time

    def step(self) -> None:
        self.clock.seconds += STEP_SECONDS
        for _ in range(3):  # a message and its answer within one step
            self._deliver()
            for voter in self.voters.values():
                if voter.engine is not None and self.clock.seconds >= voter.due:
                    self._turn(voter, voter.engine)
            running = [one.engine for one in self.voters.values() if one.engine is not None]
            if any(engine.peers_changed for engine in running) or self.clock.seconds > self._redial:
                self._redial = self.clock.seconds + 1.0
                self._connect()
                for engine in running:
                    engine.peers_changed = False
        self.check()

    def _turn(self, voter: Voter, engine: GuardedSyncObj) -> None:
        now = self.clock.seconds
        if voter.busy_until > now:
            return
        generation = engine._journal.header.generation
        try:
            voter.due = now + engine.turn()
            self.counts["compaction"] += engine._journal.header.generation > generation
        except SimulatedCrash:
            self._crash_in_midst(voter.voter_id)
        if self.random.random() * 100 < self.slow_disk_seconds_max:
            self.counts["slow disk"] += 1
            voter.busy_until = now + self.random.random() * self.slow_disk_seconds_max

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP_SECONDS)):
            self.step()

    def run_until(self, condition: Callable[[], bool], seconds: float = 30.0) -> None:
        for _ in range(round(seconds / STEP_SECONDS)):
            if condition():
                return
            self.step()
        raise AssertionError("it did not happen in time")

    # Commands

    def leader(self) -> Voter:
        """The ready leader of the highest term; waits for one."""
        self.run_until(lambda: self.ready_leader() is not None)
        found = self.ready_leader()
        assert found is not None
        return found

    def ready_leader(self) -> Voter | None:
        ready = [
            voter
            for voter in self.voters.values()
            if voter.engine is not None and voter.engine.is_ready_leader()
        ]
        return max(ready, key=lambda voter: voter.running.raftCurrentTerm, default=None)

    def submit(self, voter: Voter, command: str) -> None:
        """Propose; the outcome appears in `voter.outcomes`."""

        def done(outcome: Outcome) -> None:
            assert command not in voter.outcomes, "an outcome is told once"
            voter.outcomes[command] = outcome

        voter.running.submit(encode_command(command.encode()), done)
        voter.due = self.clock.seconds

    def commit(self, command: str) -> None:
        """Propose to the leader until it is applied; a leader that falls may never tell."""
        while True:
            leader = self.leader()
            engine = leader.running
            leader.outcomes.pop(command, None)
            self.submit(leader, command)
            self.run_until(
                lambda: (
                    command in leader.outcomes  # noqa: B023 - used at once
                    or leader.engine is not engine  # noqa: B023
                    or not engine.is_leading()  # noqa: B023
                )
            )
            if isinstance(leader.outcomes.get(command), Applied):
                return

    def add_voter(self, voter_id: int, timeout: float = 10.0) -> Outcome:
        """Have the leader add a node that runs; what became of it."""
        return self._change(
            lambda leader, done: leader.running.changes.add(
                voter_id,
                VoterNode(self.voters[voter_id].directory_id, address_of(voter_id)),
                now=self.clock.seconds,
                deadline=self.clock.seconds + timeout,
                done=done,
            )
        )

    def remove_voter(self, voter_id: int, timeout: float = 10.0) -> Outcome:
        return self._change(
            lambda leader, done: leader.running.changes.remove(
                voter_id,
                None,
                now=self.clock.seconds,
                deadline=self.clock.seconds + timeout,
                done=done,
            )
        )

    def _change(self, ask: Callable[[Voter, Callable[[Outcome], None]], None]) -> Outcome:
        """Ask until a leader took it or declined it."""
        while True:
            outcomes: list[Outcome] = []
            ask(self.leader(), outcomes.append)
            self.run_until(lambda: bool(outcomes))  # noqa: B023 - used at once
            if not isinstance(outcomes[0], Refused):
                return outcomes[0]

    def converge(self) -> None:
        """Wait until all running voters have applied the same."""
        self.leader()

        def same() -> bool:
            running = [voter for voter in self.voters.values() if voter.engine is not None]
            last = {voter.running._last_index() for voter in running}
            applied = {voter.running.raftLastApplied for voter in running}
            return len(last) == 1 and applied == last

        self.run_until(same)

    def acknowledged(self) -> set[str]:
        return {
            command
            for voter in self.voters.values()
            for command, outcome in voter.outcomes.items()
            if isinstance(outcome, Applied)
        }

    # Safety

    def check(self) -> None:
        """See `Invariants`."""
        self.invariants.check(
            (voter.voter_id, voter.engine, voter.machine)
            for voter in self.voters.values()
            if voter.engine is not None
        )

    def check_logs(self) -> None:
        self.invariants.check_logs(
            voter.engine for voter in self.voters.values() if voter.engine is not None
        )

    def check_nothing_lost(self) -> None:
        """Every acknowledged command is in the state of every running voter, no refused one is."""
        refused = {
            command
            for voter in self.voters.values()
            for command, outcome in voter.outcomes.items()
            if isinstance(outcome, Refused)
        }
        for voter in self.voters.values():
            if voter.engine is not None:
                missing = self.acknowledged() - set(voter.machine.commands)
                assert not missing, f"voter {voter.voter_id} lost {sorted(missing)[0][:20]}"
                applied = (refused - self.acknowledged()) & set(voter.machine.commands)
                assert not applied, "a command that was refused is applied"
