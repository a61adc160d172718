"""Carrying one change of an ISR to the controller until it is settled."""

from __future__ import annotations

import asyncio
import logging
import random

from broker.replication.isr import IsrChange
from broker.replication.partition import Partition
from broker.replication.seams import IsrController, IsrProposal, view_of
from ottla.core.errors import ErrorCode, ProtocolError

logger = logging.getLogger(__name__)

PAUSE_MS_MIN = 50
PAUSE_MS_MAX = 1_000

REFUSALS = frozenset({ErrorCode.INELIGIBLE_REPLICA, ErrorCode.OPERATION_NOT_ATTEMPTED})
"""The controller says that it changed nothing. Every other error leaves open what it did, or says
that metadata we do not have yet has overtaken the change; then metadata settles it."""


async def settle(
    partition: Partition, change: IsrChange, controller: IsrController, rng: random.Random
) -> None:
    """Propose `change` again and again while it is the partition's pending one.

    A repeat does no harm: both epochs are compared. A time-out settles nothing, the replica may be
    in (or out) already.
    """
    proposal = IsrProposal(
        partition.topic_id,
        partition.index,
        change.leader_epoch,
        change.partition_epoch,
        change.isr,
    )
    pause_ms = PAUSE_MS_MIN
    while partition.machine.pending_change is change:
        try:
            info = await controller.alter_partition(proposal)
        except ProtocolError as error:
            logger.info("the ISR %s of %r was not taken: %s", change.isr, partition, error)
            if error.code in REFUSALS:
                partition.isr_refused(change)
                return
        else:
            logger.info("%r: ISR is %s", partition, info.isr)
            partition.isr_accepted(change, view_of(info))
            return
        await asyncio.sleep(pause_ms * rng.uniform(0.5, 1.0) / 1000)
        pause_ms = min(2 * pause_ms, PAUSE_MS_MAX)
