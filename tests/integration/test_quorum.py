"""Real voters in one process: gRPC over loopback, journals on the real disk."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path

import grpc
import pytest

from controller.generated import raft_pb2, raft_pb2_grpc
from controller.quorum.bootstrap import format_joiner, format_voter
from controller.quorum.listening import CALLS_MAX, WARNINGS_MAX, RaftListener
from controller.quorum.metadata_log import Leadership, NotLeader
from controller.quorum.raft_log import RaftMetadataLog
from controller.quorum.tls import QuorumTls
from controller.quorum.voter_set import VoterNode, VoterSet
from ottla.core.errors import ConfigError, ErrorCode, ProtocolError
from storage.vfs import OsVfs
from tests.support.certificates import Authority
from tests.support.raft_simulation import History

WAIT_SECONDS = 20
PROPOSE_MS = 10_000


class ObservedHistory(History):
    def __init__(self, poke: Callable[[], None]) -> None:
        super().__init__()
        self._poke = poke

    def apply(self, index: int, term: int, command: bytes) -> bytes:
        result = super().apply(index, term, command)
        self._poke()
        return result

    def restore(self, data: bytes) -> None:
        super().restore(data)
        self._poke()


class Voters:
    """Voters that can be started, stopped and waited for."""

    def __init__(self, folder: Path, count: int, tls: dict[int, QuorumTls] | None = None) -> None:
        self.folder = folder
        self.tls = tls or {}
        self.loop = asyncio.get_running_loop()
        self.addresses = dict(zip(range(1, count + 1), _free_addresses(count), strict=True))
        self.logs: dict[int, RaftMetadataLog] = {}
        self.machines: dict[int, ObservedHistory] = {}
        self.leaderships: dict[int, Leadership] = {}
        self._changed = asyncio.Event()
        for voter_id in self.addresses:
            self.format(voter_id)

    def format(self, voter_id: int, name: str | None = None) -> None:
        folder = str(self.folder / (name or str(voter_id)))
        format_voter(folder, "test", voter_id, self.addresses)

    def format_joiner(self, voter_id: int, name: str | None = None) -> bytes:
        folder = str(self.folder / (name or str(voter_id)))
        return format_joiner(folder, "test", voter_id).directory_id

    def start(
        self, voter_id: int, name: str | None = None, known: Sequence[int] | None = None
    ) -> RaftMetadataLog:
        """`known`: the voters that its settings name; without it, all that there ever were."""

        def poke() -> None:
            self.loop.call_soon_threadsafe(self._changed.set)

        def listen(leadership: Leadership) -> None:
            self.leaderships[voter_id] = leadership
            self._changed.set()

        machine = ObservedHistory(poke)
        log = RaftMetadataLog(
            voter_id,
            {one: self.addresses[one] for one in known or self.addresses},
            self.addresses[voter_id],
            str(self.folder / (name or str(voter_id))),
            machine,
            self.loop,
            OsVfs(),
            self.tls.get(voter_id),
        )
        log.add_leadership_listener(listen)
        log.start()
        self.logs[voter_id], self.machines[voter_id] = log, machine
        return log

    async def voter_set(self) -> VoterSet:
        return (await self.logs[await self.leader()].describe(PROPOSE_MS)).voter_set

    async def directories_known(self) -> None:
        """Until each voter's directory is in the committed set."""
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                await self.commit("more")
                found = await self.voter_set()
                if all(node.directory_id for node in found.voters.values()):
                    return

    async def add(self, node_id: int, directory_id: bytes, timeout_ms: int = PROPOSE_MS) -> None:
        node = VoterNode(directory_id, self.addresses[node_id])
        await self._change(lambda log: log.add_voter(node_id, node, timeout_ms))

    async def remove(self, node_id: int) -> None:
        await self._change(lambda log: log.remove_voter(node_id, None, PROPOSE_MS))

    async def _change(self, ask: Callable[[RaftMetadataLog], Awaitable[None]]) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                try:
                    return await ask(self.logs[await self.leader()])
                except NotLeader:
                    await asyncio.sleep(0)

    async def stop(self, voter_id: int) -> None:
        await self.logs.pop(voter_id).stop()
        self.machines.pop(voter_id)
        self.leaderships.pop(voter_id, None)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_SECONDS):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def leader(self) -> int:
        """A voter that has announced itself as the leader."""
        await self.until(lambda: any(known.is_self for known in self.leaderships.values()))
        return max(
            (known.term, voter_id) for voter_id, known in self.leaderships.items() if known.is_self
        )[1]

    async def commit(self, command: str) -> int:
        """Propose until it is applied; the index."""
        while True:
            try:
                found = await self.logs[await self.leader()].propose(command.encode(), PROPOSE_MS)
            except NotLeader:
                await asyncio.sleep(0)
                continue
            assert found.result == f"done {command[:40]}".encode()
            return found.index

    async def applied_everywhere(self, command: str) -> None:
        await self.until(
            lambda: all(command in machine.commands for machine in self.machines.values())
        )


def _free_addresses(count: int) -> list[tuple[str, int]]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    addresses = [("127.0.0.1", one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return addresses


@asynccontextmanager
async def running(
    folder: Path, count: int, tls: dict[int, QuorumTls] | None = None
) -> AsyncIterator[Voters]:
    voters = Voters(folder, count, tls)
    try:
        for voter_id in voters.addresses:
            voters.start(voter_id)
        yield voters
    finally:
        for voter_id in list(voters.logs):
            await voters.stop(voter_id)


def test_three_voters_commit_fail_over_and_come_back(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path, 3) as voters:
            first = await voters.leader()
            await voters.commit("one")
            await voters.applied_everywhere("one")
            large = "x" * 500_000
            await voters.commit(large)
            await voters.applied_everywhere(large)
            follower = next(one for one in voters.logs if one != first)
            with pytest.raises(NotLeader) as refused:
                await voters.logs[follower].propose(b"no", PROPOSE_MS)
            assert refused.value.leader_id in (None, first)

            await voters.stop(first)  # hands over
            await voters.commit("two")
            assert await voters.leader() != first

            voters.start(first)
            await voters.commit("three")
            await voters.applied_everywhere("three")
            histories = {tuple(machine.applied) for machine in voters.machines.values()}
            assert len(histories) == 1
            assert voters.machines[first].commands == ["one", large, "two", "three"]

    asyncio.run(story())


def test_a_quorum_of_one_is_durable(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path, 1) as voters:
            await voters.commit("one")
            await voters.stop(1)
            log = voters.start(1)
            await voters.applied_everywhere("one")
            assert await voters.commit("two") == log.last_applied
            assert log.leader_id == 1
            assert log.port == 0  # nobody to listen to
            assert await log.resign(100) is False

    asyncio.run(story())


def test_a_voter_on_an_empty_disk_stays_out_until_it_is_removed_and_added_again(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        async with running(tmp_path, 3) as voters:
            await voters.commit("one")
            await voters.applied_everywhere("one")
            leader = await voters.leader()
            lost = next(one for one in voters.logs if one != leader)
            await voters.directories_known()
            await voters.stop(lost)
            with pytest.raises(ConfigError, match="never formatted"):
                voters.start(lost, "empty")

            directory_id = voters.format_joiner(lost, "other")
            voters.start(lost, "other")
            await voters.commit("two")
            assert voters.machines[lost].applied == []

            with pytest.raises(ProtocolError, match="remove that one first") as refused:
                await voters.add(lost, directory_id)
            assert refused.value.code == ErrorCode.DUPLICATE_VOTER
            await voters.remove(lost)
            await voters.add(lost, directory_id)
            await voters.commit("three")
            await voters.applied_everywhere("three")
            assert (await voters.voter_set()).voters[lost].directory_id == directory_id

    asyncio.run(story())


def test_a_fourth_voter_joins_a_dead_one_goes_and_the_quorum_goes_on(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path, 3) as voters:
            await voters.commit("one")
            await voters.directories_known()
            voters.addresses[4] = _free_addresses(1)[0]
            directory_id = voters.format_joiner(4)
            voters.start(4)
            await voters.add(4, directory_id)
            assert (await voters.voter_set()).ids == (1, 2, 3, 4)
            await voters.applied_everywhere("one")

            leader = await voters.leader()
            dead = next(one for one in (1, 2, 3) if one != leader)
            await voters.stop(dead)
            await voters.remove(dead)
            first = await voters.leader()
            await voters.commit("two")
            # Of the three that remain two are enough, the new one among them.
            await voters.stop(first)
            await voters.commit("three")
            await voters.applied_everywhere("three")

            # Each starts again with settings from before the changes: what is committed counts.
            for voter_id in sorted(voters.logs):
                await voters.stop(voter_id)
            for voter_id in {1, 2, 3, 4} - {dead}:
                voters.start(voter_id, known=(1, 2, 3))
            await voters.commit("four")
            await voters.applied_everywhere("four")
            assert (await voters.voter_set()).ids == tuple(sorted({1, 2, 3, 4} - {dead}))

            # Whoever leads is removed too, by its successor.
            leader = await voters.leader()
            await voters.remove(leader)
            await voters.commit("five")
            assert await voters.leader() != leader

    asyncio.run(story())


def test_a_quorum_of_one_grows(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path, 1) as voters:
            await voters.commit("one")
            voters.addresses[2] = _free_addresses(1)[0]
            directory_id = voters.format_joiner(2)
            with pytest.raises(ProtocolError, match="was not reached with directory") as late:
                await voters.add(2, directory_id, 300)
            assert late.value.code == ErrorCode.REQUEST_TIMED_OUT
            voters.start(2)
            await voters.add(2, directory_id)
            await voters.applied_everywhere("one")
            await voters.remove(1)
            await voters.stop(1)
            await voters.commit("two")
            assert voters.machines[2].commands == ["one", "two"]

    asyncio.run(story())


def test_a_stranger_gets_nothing_done(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path, 3) as voters:
            target = await voters.leader()
            address = voters.addresses[target]
            term = voters.leaderships[target].term
            right = raft_pb2.Hello(
                protocol_version=1,
                cluster_id="test",
                sender_id=next(one for one in voters.logs if one != target),
                receiver_id=target,
                directory_id=b"another directory"[:16],
                incarnation=1 << 60,
                connection=1,
            )
            wrong: list[raft_pb2.Hello | None] = [None]
            for name, value in {
                "protocol_version": 9,
                "cluster_id": "other",
                "sender_id": 77,
                "receiver_id": 77,
            }.items():
                hello = raft_pb2.Hello.FromString(right.SerializeToString())
                setattr(hello, name, value)
                wrong.append(hello)
            for attempt in wrong:
                code = await asyncio.to_thread(_call, address, attempt)
                assert code == grpc.StatusCode.PERMISSION_DENIED
            await voters.commit("one")
            assert voters.leaderships[target] == Leadership(target, term, True)

    asyncio.run(story())


def test_a_replayed_handshake_is_stale(tmp_path: Path) -> None:
    """Whoever recorded a voter's handshake gets nothing by saying it again."""

    async def story() -> None:
        async with running(tmp_path, 3) as voters:
            await voters.commit("one")
            target = await voters.leader()
            listener = _listener_of(voters.logs[target])
            peer_id, link = next(iter(listener._links.items()))
            replayed = raft_pb2.Hello(
                protocol_version=1,
                cluster_id="test",
                sender_id=peer_id,
                receiver_id=target,
                directory_id=link.directory_id,
                incarnation=link.number[0],
                connection=link.number[1],
            )
            term = voters.leaderships[target].term
            code = await asyncio.to_thread(_call, voters.addresses[target], replayed)
            assert code == grpc.StatusCode.ABORTED
            await voters.commit("two")
            assert voters.leaderships[target] == Leadership(target, term, True)

    asyncio.run(story())


def test_garbage_and_silence_change_nothing_and_occupy_little(tmp_path: Path) -> None:
    settings = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])  # an empty SETTINGS frame of HTTP/2
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings
    openings = [
        b"",  # half-open: connects and says nothing
        b"\x00" * 1000,
        bytes(range(256)) * 40,
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        preface,
        preface + b"\xff\xff\xff\x00\x00\x00\x00\x00\x01" + b"x" * 100,  # 16 MiB announced
    ]

    async def story() -> None:
        async with running(tmp_path, 3) as voters:
            await voters.commit("one")
            target = await voters.leader()
            term = voters.leaderships[target].term
            listener = _listener_of(voters.logs[target])
            links = dict(listener._links)
            with ExitStack() as undo:
                for opening in openings * 20:
                    stranger = undo.enter_context(
                        socket.create_connection(voters.addresses[target], WAIT_SECONDS)
                    )
                    with suppress(OSError):
                        stranger.sendall(opening)
                await voters.commit("two")
                await voters.applied_everywhere("two")
                # No call, no thread, no state came of any of them.
                assert listener._links == links
                assert listener._pool._work_queue.qsize() == 0
                assert len(listener._pool._threads) <= CALLS_MAX
                assert len(listener._warned) <= WARNINGS_MAX
            assert voters.leaderships[target] == Leadership(target, term, True)

    asyncio.run(story())


def test_a_flood_of_refused_calls_leaves_little_behind(tmp_path: Path) -> None:
    async def story() -> None:
        async with running(tmp_path, 3) as voters:
            await voters.commit("one")
            target = await voters.leader()
            listener = _listener_of(voters.logs[target])
            term = voters.leaderships[target].term
            for number in range(2 * WARNINGS_MAX):
                hello = raft_pb2.Hello(
                    protocol_version=1,
                    cluster_id=f"other {number}",
                    sender_id=number,
                    receiver_id=target,
                )
                code = await asyncio.to_thread(_call, voters.addresses[target], hello)
                assert code == grpc.StatusCode.PERMISSION_DENIED
            assert len(listener._warned) <= WARNINGS_MAX
            assert set(listener._links) <= {1, 2, 3}
            await voters.commit("two")
            assert voters.leaderships[target] == Leadership(target, term, True)

    asyncio.run(story())


def _listener_of(log: RaftMetadataLog) -> RaftListener:
    transport = log._voter._transport
    assert transport is not None
    return transport._listener


def _call(address: tuple[str, int], hello: raft_pb2.Hello | None) -> grpc.StatusCode:
    """Ask for a vote at an absurd term; how the call ended."""
    batch = raft_pb2.Batch(
        messages=[raft_pb2.Message(request_vote=raft_pb2.RequestVote(term=1 << 40))]
    )
    metadata = () if hello is None else (("ottla-hello-bin", hello.SerializeToString()),)
    with grpc.insecure_channel(f"{address[0]}:{address[1]}") as channel:
        call = raft_pb2_grpc.RaftStub(channel).Exchange(
            iter([batch]), metadata=metadata, timeout=WAIT_SECONDS
        )
        with suppress(grpc.RpcError):
            list(call)
        code: grpc.StatusCode = call.code()
        return code


def test_with_tls_only_the_certificate_of_a_voter_counts(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    proofs = {
        1: _signed(authority, "node-1"),
        2: _signed(authority, "node-2"),
        3: _signed(authority, "node-9"),  # of the same authority, another node
    }

    async def story() -> None:
        async with running(tmp_path, 3, proofs) as voters:
            await voters.commit("one")
            await voters.until(
                lambda: all("one" in voters.machines[one].commands for one in (1, 2))
            )
            assert await voters.leader() != 3
            assert voters.machines[3].applied == []
            target = voters.addresses[1]
            plain = await asyncio.to_thread(_call, target, None)
            assert plain == grpc.StatusCode.UNAVAILABLE

    asyncio.run(story())


def _signed(authority: Authority, name: str) -> QuorumTls:
    signed = authority.sign(name)
    return QuorumTls(
        signed.authority.read_bytes(), signed.certificate.read_bytes(), signed.key.read_bytes()
    )
