"""The active controller: what it does of its own accord while it is in office.

Taking office is a command with the Raft term as its epoch; before it is applied nothing is decided.
Then every live broker gets a fresh lease and is dialed (SAFETY.md, rule 12), and from there on

    a lease ended                     → fence
    a stream was reset                → dial the broker; refused → fence, else wait for the lease
    a fenced broker is ready and has
      applied all up to its fencing   → unfence
    a preferred leader is back in sync→ elect it, every so often

All of them are commands, compared with the broker epoch when they are applied.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Final

from controller.fencing import REDIAL_PAUSES_MS, Refuses
from controller.generated import metadata_pb2 as pb
from controller.image import MetadataImage, Signal
from controller.leases import Leases
from controller.quorum.metadata_log import (
    Leadership,
    MetadataLog,
    NotLeader,
    ProposalLost,
    QuorumBusy,
)
from controller.sessions import BrokerSession, Sessions
from controller.settings import ControllerSettings
from controller.state import BrokerRegistration
from controller.tasks import single_error
from ottla.core.clock import Clock
from ottla.core.errors import ConfigError, ErrorCode, ProtocolError
from ottla.core.tasks import start_in

logger = logging.getLogger(__name__)

TICK_MS: Final = 50
STALL_MS: Final = 4 * TICK_MS
"""A tick that comes later than this means that the process stood still."""
PROPOSAL_MS: Final = 5_000
RETRY_MS: Final = 50


class Office:
    """See the module. `controller_epoch` is None while this node is not the active controller."""

    def __init__(
        self,
        log: MetadataLog,
        image: MetadataImage,
        sessions: Sessions,
        settings: ControllerSettings,
        clock: Clock,
        refuses: Refuses,
    ) -> None:
        self.controller_epoch: int | None = None
        self.changed = Signal()
        """Fires when this node enters or leaves office."""
        self._log = log
        self._image = image
        self._sessions = sessions
        self._settings = settings
        self._clock = clock
        self._refuses = refuses
        self._leases = Leases(settings.lease_ms)
        self._leadership = Leadership(None, 0, False)
        self._leadership_changed = asyncio.Event()
        self._must_reach: dict[int, int] = {}
        """Fenced brokers by the offset that they must have applied to be unfenced."""
        self._busy: set[int] = set()
        """Brokers about which a proposal is under way."""
        self._group: asyncio.TaskGroup | None = None
        image.add_broker_listener(self._on_broker)
        image.add_removal_listener(self._on_removal)
        log.add_leadership_listener(self._on_leadership)

    @property
    def leader_id(self) -> int | None:
        """The node that leads the quorum, as far as this one knows."""
        return self._leadership.leader_id

    def not_controller(self) -> ProtocolError:
        return ProtocolError(
            ErrorCode.NOT_CONTROLLER, f"node {self._settings.node_id} is not the active controller"
        )

    async def run(self) -> None:
        """Until cancelled. ConfigError when the metadata is of another cluster."""
        with single_error():
            await self._run()

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as group:
            self._group = group
            try:
                group.create_task(self._tick())
                group.create_task(self._restore_preferred_leaders())
                while True:
                    await self._leadership_changed.wait()
                    self._leadership_changed.clear()
                    if self._leadership.is_self:
                        await self._take_office(self._leadership.term)
            finally:
                self._group = None

    # ---- entering and leaving

    def _on_leadership(self, leadership: Leadership) -> None:
        self._leadership = leadership
        if self.controller_epoch is not None and not (
            leadership.is_self and leadership.term == self.controller_epoch
        ):
            logger.info("no longer the active controller (epoch %d)", self.controller_epoch)
            self.controller_epoch = None
            self._leases.clear()
            self._must_reach.clear()
            self._sessions.end_all(self.not_controller())
            self.changed.fire()
        self._leadership_changed.set()

    async def _take_office(self, term: int) -> None:
        """Commit the controller epoch, then act. Ends early when the leadership is lost."""
        command = pb.Command(
            controller_epoch=term,
            take_office=pb.TakeOffice(
                controller_id=self._settings.node_id,
                cluster_id=self._settings.cluster_id,
                default_min_insync_replicas=self._settings.min_insync_replicas,
                default_unclean_leader_election=self._settings.unclean_leader_election,
            ),
        )
        while self._leads(term):
            try:
                proposal = await self._log.propose(command.SerializeToString(), PROPOSAL_MS)
            except (NotLeader, ProposalLost, QuorumBusy) as error:
                logger.info("taking office at term %d: %s", term, error)
                await asyncio.sleep(RETRY_MS / 1000)
                continue
            result = pb.Result.FromString(proposal.result)
            if result.error_code == ErrorCode.INCONSISTENT_CLUSTER_ID:
                raise ConfigError(result.message)
            if result.error_code:
                logger.warning("cannot take office at term %d: %s", term, result.message)
                return
            await self._image.wait_index(proposal.index)
            if self._leads(term):
                self._enter(term)
            return

    def _leads(self, term: int) -> bool:
        return self._leadership.is_self and self._leadership.term == term

    def _enter(self, term: int) -> None:
        logger.info("active controller, epoch %d", term)
        self.controller_epoch = term
        now_ms = self._clock.now_ms()
        for broker in self._image.state.brokers.values():
            if broker.fenced:
                self._must_reach[broker.broker_id] = self._image.offset
            else:
                self._leases.renew(broker.broker_id, broker.broker_epoch, now_ms)
                self._spawn(self._fence_if_refused(broker, (0,)))
        self.changed.fire()

    # ---- what the sessions tell

    def session_heard(self, session: BrokerSession) -> None:
        """A sign of life; it may allow the broker to be unfenced."""
        broker = self._image.state.brokers.get(session.broker_id)
        if broker is None or broker.broker_epoch != session.broker_epoch:
            return
        if not broker.fenced:
            self._leases.renew(session.broker_id, session.broker_epoch, self._clock.now_ms())
            return
        reached = session.applied_offset >= self._must_reach.get(
            broker.broker_id, self._image.offset
        )
        if session.ready and reached and not broker.in_controlled_shutdown:
            kind = pb.Command(
                unfence_broker=pb.UnfenceBroker(
                    broker_id=broker.broker_id, broker_epoch=broker.broker_epoch
                )
            )
            self._spawn(self._propose_about(broker.broker_id, kind, "is ready: unfence it"))

    def session_lost(self, session: BrokerSession) -> None:
        """Its stream was reset, and there is no newer one."""
        broker = self._image.state.brokers.get(session.broker_id)
        if broker is not None and broker.broker_epoch == session.broker_epoch:
            self._spawn(self._fence_if_refused(broker, REDIAL_PAUSES_MS))

    def _on_broker(self, broker: BrokerRegistration) -> None:
        """A registration changed."""
        session = self._sessions.get(broker.broker_id)
        if session is not None and session.broker_epoch != broker.broker_epoch:
            session.end(
                ProtocolError(
                    ErrorCode.STALE_BROKER_EPOCH,
                    f"another process has registered as broker {broker.broker_id}",
                )
            )
        if self.controller_epoch is None:
            return
        if broker.fenced:
            self._leases.end(broker.broker_id)
            self._must_reach[broker.broker_id] = self._image.offset
        else:
            self._must_reach.pop(broker.broker_id, None)
            self._leases.renew(broker.broker_id, broker.broker_epoch, self._clock.now_ms())

    def _on_removal(self, broker_id: int) -> None:
        """A broker was unregistered; if it lives after all, it is to stop."""
        self._must_reach.pop(broker_id, None)
        session = self._sessions.get(broker_id)
        if session is not None:
            session.end(
                ProtocolError(ErrorCode.STALE_BROKER_EPOCH, f"broker {broker_id} was unregistered")
            )

    # ---- what it does

    async def _fence_if_refused(self, broker: BrokerRegistration, pauses: tuple[int, ...]) -> None:
        for pause_ms in pauses:
            await asyncio.sleep(pause_ms / 1000)
            if self._settled(broker):
                return
            if await self._refuses(broker.internal_host, broker.internal_port):
                if not self._settled(broker):
                    await self._fence(broker.broker_id, broker.broker_epoch, "is dead")
                return

    def _settled(self, broker: BrokerRegistration) -> bool:
        """Nothing is to be found out any more: fenced, replaced, or talking to us again."""
        now = self._image.state.brokers.get(broker.broker_id)
        return (
            self.controller_epoch is None
            or now is None
            or now.fenced
            or now.broker_epoch != broker.broker_epoch
            or self._sessions.get(broker.broker_id) is not None
        )

    async def _fence(self, broker_id: int, broker_epoch: int, why: str) -> None:
        kind = pb.Command(
            fence_broker=pb.FenceBroker(broker_id=broker_id, broker_epoch=broker_epoch)
        )
        await self._propose_about(broker_id, kind, f"{why}: fence it")

    async def _propose_about(self, broker_id: int, command: pb.Command, why: str) -> None:
        """Propose once; who sees the need again, proposes again."""
        if self.controller_epoch is None or broker_id in self._busy:
            return
        self._busy.add(broker_id)
        try:
            logger.info("broker %d %s", broker_id, why)
            command.controller_epoch = self.controller_epoch
            await self._propose(command)
        finally:
            self._busy.discard(broker_id)

    async def _propose(self, command: pb.Command) -> None:
        try:
            proposal = await self._log.propose(command.SerializeToString(), PROPOSAL_MS)
        except (NotLeader, ProposalLost, QuorumBusy) as error:
            logger.info("%s: %s", command.WhichOneof("kind"), error)
            return
        result = pb.Result.FromString(proposal.result)
        if result.error_code:
            logger.info("%s: %s", command.WhichOneof("kind"), result.message)
        await self._image.wait_index(proposal.index)

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        start_in(self._group, work)

    async def _tick(self) -> None:
        """Look for leases that have ended."""
        last_ms = self._clock.now_ms()
        while True:
            await asyncio.sleep(TICK_MS / 1000)
            now_ms = self._clock.now_ms()
            if now_ms - last_ms > STALL_MS:
                self._leases.extend(now_ms - last_ms)
            last_ms = now_ms
            if self.controller_epoch is None:
                continue
            for broker_id, broker_epoch in self._leases.expired(now_ms):
                if broker_id not in self._busy:
                    self._spawn(self._fence(broker_id, broker_epoch, "was not heard of"))

    async def _restore_preferred_leaders(self) -> None:
        while self._settings.auto_leader_rebalance:
            await asyncio.sleep(self._settings.leader_imbalance_check_ms / 1000)
            if self.controller_epoch is not None and self._imbalanced():
                command = pb.Command(
                    controller_epoch=self.controller_epoch,
                    elect_preferred_leaders=pb.ElectPreferredLeaders(),
                )
                await self._propose(command)

    def _imbalanced(self) -> bool:
        return any(
            p.leader_id != p.replicas[0] and p.replicas[0] in p.isr
            for topic in self._image.state.topics.values()
            for p in topic.partitions
        )
