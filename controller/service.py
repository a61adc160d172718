"""The gRPC service `Control`: brokers' commands and sessions (proto/control.proto).

Only the active controller serves; the others say NOT_CONTROLLER and who is. A command is proposed
to the metadata log, decided there, and answered once it is committed, or once every live broker has
applied it when the caller asks for that (with a bound: then it is answered all the same).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from typing import Final, TypeAlias

import grpc.aio

from controller.fencing import Refuses, refuses
from controller.generated import control_pb2 as pb
from controller.generated import control_pb2_grpc, metadata_pb2
from controller.image import MetadataImage
from controller.office import Office
from controller.quorum.metadata_log import (
    CommandTooLarge,
    MetadataLog,
    NotLeader,
    ProposalLost,
    QuorumAdmin,
    QuorumBusy,
)
from controller.sessions import BrokerSession, Sessions
from controller.settings import ControllerSettings
from controller.state_machine import Crossing
from controller.tasks import single_error
from controller.voters import VoterCalls
from ottla.core.clock import Clock
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import random_uuid

logger = logging.getLogger(__name__)

SessionContext: TypeAlias = grpc.aio.ServicerContext[pb.SessionRequest, pb.SessionResponse]

TIMEOUT_MS_MAX: Final = 120_000
AHEAD_MS_MAX: Final = 10_000
"""How long a broker that is ahead of this controller is waited for."""
EXECUTABLE: Final = frozenset(
    {
        "register_broker",
        "shut_down_broker",
        "alter_partitions",
        "create_topics",
        "delete_topics",
        "create_partitions",
        "alter_configs",
        "alter_quotas",
        "allocate_producer_ids",
        "elect_preferred_leaders",
        "report_log_ends",
        "report_replicas",
        "reassign_partitions",
        "elect_leaders",
        "unregister_broker",
        "update_features",
    }
)
"""Kinds of commands that come from outside; fencing and taking office are the controller's own."""


class ControllerService(control_pb2_grpc.ControlServicer):
    """See the module. `crossing` carries what the state machine of `log` applies to the loop.
    `voters`: where the voters of the quorum are changed."""

    def __init__(
        self,
        log: MetadataLog,
        crossing: Crossing,
        settings: ControllerSettings,
        clock: Clock,
        *,
        voters: QuorumAdmin | None = None,
        rng: random.Random | None = None,
        dial: Refuses | None = None,
    ) -> None:
        self.image = MetadataImage()
        self.sessions = Sessions()
        self._log = log
        self._settings = settings
        self._rng = rng or random.SystemRandom()
        self.office = Office(
            log,
            self.image,
            self.sessions,
            settings,
            clock,
            dial or refuses(settings.redial_ms),
        )
        self._voters = VoterCalls(
            voters, settings.cluster_id, self.office, self.image, self.sessions
        )
        crossing.connect(self.image.receive)

    def add_to_server(self, server: grpc.aio.Server) -> None:
        control_pb2_grpc.add_ControlServicer_to_server(self, server)

    async def run(self) -> None:
        """Until cancelled. ConfigError when the metadata belongs to another cluster."""
        try:
            with single_error():
                async with asyncio.TaskGroup() as group:
                    group.create_task(self.office.run())
                    group.create_task(self._wake_sessions())
        finally:
            self.sessions.end_all(self.office.not_controller())

    async def _wake_sessions(self) -> None:
        while True:
            await self.image.changed.wait()
            self.sessions.wake_all()

    # ---- Locate

    async def Locate(  # noqa: N802
        self, request: pb.LocateRequest, context: object
    ) -> pb.LocateResponse:
        controller_epoch = self.office.controller_epoch
        return pb.LocateResponse(
            node_id=self._settings.node_id,
            cluster_id=self._settings.cluster_id,
            active=controller_epoch is not None,
            controller_epoch=controller_epoch or 0,
            leader_id=self.office.leader_id,
            controllers=self._voters.controllers(),
        )

    # ---- voters

    async def DescribeQuorum(  # noqa: N802
        self, request: pb.DescribeQuorumRequest, context: object
    ) -> pb.DescribeQuorumResponse:
        return await self._voters.describe(request)

    async def AddVoter(  # noqa: N802
        self, request: pb.AddVoterRequest, context: object
    ) -> pb.ChangeVotersResponse:
        return await self._voters.add(request)

    async def RemoveVoter(  # noqa: N802
        self, request: pb.RemoveVoterRequest, context: object
    ) -> pb.ChangeVotersResponse:
        return await self._voters.remove(request)

    # ---- Execute

    async def Execute(  # noqa: N802
        self, request: pb.ExecuteRequest, context: object
    ) -> pb.ExecuteResponse:
        try:
            return await self._execute(request)
        except ProtocolError as error:
            return self._failed(error, outcome_unknown=False)
        except (ProposalLost, TimeoutError) as error:
            lost = ProtocolError(
                ErrorCode.REQUEST_TIMED_OUT, f"whether it happened is not known: {error}"
            )
            return self._failed(lost, outcome_unknown=True)

    def _failed(self, error: ProtocolError, *, outcome_unknown: bool) -> pb.ExecuteResponse:
        return pb.ExecuteResponse(
            error_code=error.code,
            message=error.message or "",
            controller_epoch=self.office.controller_epoch or 0,
            leader_id=self.office.leader_id,
            outcome_unknown=outcome_unknown,
        )

    async def _execute(self, request: pb.ExecuteRequest) -> pb.ExecuteResponse:
        command = request.command
        controller_epoch = self._check_caller(request.cluster_id, command.controller_epoch)
        kind = command.WhichOneof("kind")
        if kind not in EXECUTABLE:
            raise ProtocolError(ErrorCode.INVALID_REQUEST, f"{kind} is no command for a broker")
        command.controller_epoch = controller_epoch
        self._complete(command)
        timeout_ms = min(request.timeout_ms or TIMEOUT_MS_MAX, TIMEOUT_MS_MAX)
        async with asyncio.timeout(timeout_ms / 1000):
            result = await self._propose(command, timeout_ms)
        offset = self.image.offset
        if request.wait_for_brokers and not result.error_code:
            await self._wait_brokers(offset, min(timeout_ms, self._settings.brokers_wait_ms))
        return pb.ExecuteResponse(
            error_code=result.error_code,
            message=result.message,
            offset=offset,
            result=result,
            controller_epoch=controller_epoch,
        )

    def _check_caller(self, cluster_id: str, controller_epoch: int) -> int:
        """Our controller epoch. NOT_CONTROLLER, INCONSISTENT_CLUSTER_ID."""
        ours = self.office.controller_epoch
        if ours is None or ours < controller_epoch:
            raise self.office.not_controller()
        if cluster_id != self._settings.cluster_id:
            raise ProtocolError(
                ErrorCode.INCONSISTENT_CLUSTER_ID,
                f"this is a controller of cluster {self._settings.cluster_id}, not {cluster_id}: "
                "correct cluster.id or controller.quorum.bootstrap.servers",
            )
        return ours

    def _complete(self, command: metadata_pb2.Command) -> None:
        """Put in what is not deterministic, and the defaults that hold here."""
        match command.WhichOneof("kind"):
            case "create_topics":
                wanted = command.create_topics
                wanted.default_partition_count = self._settings.num_partitions
                wanted.default_replication_factor = self._settings.default_replication_factor
                wanted.placement_seed = self._rng.getrandbits(63)
                for topic in wanted.topics:
                    topic.topic_id = topic.topic_id or random_uuid(self._rng)
            case "create_partitions":
                command.create_partitions.placement_seed = self._rng.getrandbits(63)

    async def _propose(self, command: metadata_pb2.Command, timeout_ms: int) -> metadata_pb2.Result:
        """The result, once the image has it too."""
        try:
            proposal = await self._log.propose(command.SerializeToString(), timeout_ms)
        except NotLeader:
            raise self.office.not_controller() from None
        except QuorumBusy as error:
            raise ProtocolError(ErrorCode.THROTTLING_QUOTA_EXCEEDED, str(error)) from None
        except CommandTooLarge as error:
            raise ProtocolError(
                ErrorCode.INVALID_REQUEST, f"{error}; ask for less in one request"
            ) from None
        result = metadata_pb2.Result.FromString(proposal.result)
        if result.error_code == ErrorCode.STALE_CONTROLLER_EPOCH:
            raise self.office.not_controller()
        await self.image.wait_index(proposal.index)
        return result

    async def _wait_brokers(self, offset: int, timeout_ms: int) -> None:
        """Until every live broker has applied everything up to `offset`, or the time is up."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_ms / 1000):
                while any(
                    self.image.state.is_active(session.broker_id)
                    for session in self.sessions.behind(offset)
                ):
                    await self.sessions.changed.wait()

    # ---- Session

    # A coroutine that writes, not a generator: its end comes at once when the stream is reset.
    async def Session(  # type: ignore[override]  # noqa: N802
        self, request_iterator: object, context: SessionContext
    ) -> None:
        hello = await context.read()
        if not isinstance(hello, pb.SessionRequest):
            return  # the stream ended before it began
        try:
            session = await self._begin(hello)
        except ProtocolError as error:
            await context.write(self._refusal(error))
            return
        try:
            async with asyncio.TaskGroup() as group:
                reader = group.create_task(self._read(session, context))
                await self._write(session, context)
                reader.cancel()
        finally:
            if self.sessions.remove(session):
                self.office.session_lost(session)

    async def _begin(self, hello: pb.SessionRequest) -> BrokerSession:
        """NOT_CONTROLLER, INCONSISTENT_CLUSTER_ID, STALE_BROKER_EPOCH."""
        controller_epoch = self._check_caller(hello.cluster_id, hello.controller_epoch)
        try:
            async with asyncio.timeout(AHEAD_MS_MAX / 1000):
                await self.image.wait_offset(hello.applied_offset)
        except TimeoutError:
            raise self.office.not_controller() from None
        if self.office.controller_epoch != controller_epoch:
            raise self.office.not_controller()
        broker = self.image.state.brokers.get(hello.broker_id)
        if broker is None or broker.broker_epoch != hello.broker_epoch:
            raise ProtocolError(
                ErrorCode.STALE_BROKER_EPOCH,
                f"another process has registered as broker {hello.broker_id}",
            )
        session = BrokerSession(hello.broker_id, hello.broker_epoch, hello.applied_offset)
        replaced = ProtocolError(ErrorCode.NETWORK_EXCEPTION, "the broker has begun a new session")
        self.sessions.begin(session, replaced)
        session.heard(hello)
        self.office.session_heard(session)
        return session

    async def _read(
        self,
        session: BrokerSession,
        context: SessionContext,
    ) -> None:
        while isinstance(request := await context.read(), pb.SessionRequest):
            session.heard(request)
            self.office.session_heard(session)
            self.sessions.changed.fire()
        session.end(ProtocolError(ErrorCode.NETWORK_EXCEPTION, "the broker ended the session"))

    async def _write(
        self,
        session: BrokerSession,
        context: SessionContext,
    ) -> None:
        while session.ended is None:
            await session.wake.wait()
            session.wake.clear()
            controller_epoch = self.office.controller_epoch
            if controller_epoch is None or session.ended is not None:
                continue
            for message in session.next_messages(self.image, controller_epoch):
                await context.write(message)
        await context.write(self._refusal(session.ended))

    def _refusal(self, error: ProtocolError) -> pb.SessionResponse:
        return pb.SessionResponse(
            error_code=error.code,
            message=error.message or "",
            leader_id=self.office.leader_id,
            controller_epoch=self.office.controller_epoch or 0,
        )
