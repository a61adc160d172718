"""What happened in a run, counted and line by line."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.simulation.loop import PROCESS

if TYPE_CHECKING:
    from tests.simulation.world import World


@dataclass
class Report:
    """What happened in one run, or in many."""

    seeds: int = 0
    virtual_s: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)

    def add(self, other: Report) -> None:
        self.seeds += other.seeds
        self.virtual_s += other.virtual_s
        self.counts.update(other.counts)
        self.faults.update(other.faults)


def report_of(world: World) -> Report:
    """The counts of one run."""
    network, ledger, oracle, quorum = world.network, world.ledger, world.oracle, world.quorum
    loop = world.loop
    counts = Counter(world.counts)
    counts["messages delivered"] = network.delivered
    counts["timers fired"] = loop.timers_fired
    counts["disk jobs done"] = loop.jobs_done
    counts["delivered events"] = network.delivered + loop.timers_fired + loop.jobs_done
    counts["callbacks, each checked"] = loop.callbacks
    counts["records acknowledged (acks=all)"] = ledger.acknowledged
    counts["records committed"] = ledger.committed_records
    counts["records consumed"] = sum(consumer.records for consumer in world.consumers)
    counts["producers' retries"] = sum(producer.retries for producer in world.producers)
    counts["high watermark moves"] = ledger.high_watermark_moves
    counts["truncations"] = ledger.truncations
    counts["records truncated"] = ledger.truncated_records
    counts["leader elections"] = oracle.leader_elections
    counts["elections from the ELR"] = oracle.elr_elections
    counts["elections by log ends"] = oracle.last_known_elections
    counts["ISR changes"] = oracle.isr_changes
    counts["reassignments that ended"] = oracle.reassigned
    counts["fencings"] = oracle.fencings
    counts["registrations"] = oracle.registrations
    counts["metadata commands"] = oracle.commands
    counts["controller elections"] = quorum.elections
    faults = Counter(world.faults)
    faults["slow messages"] += network.slow_deliveries
    faults["messages held by a cut"] += network.held_for_cut
    faults["calls or answers lost"] += network.lost_calls
    faults["calls repeated by the network"] += network.duplicated_calls
    faults["proposals lost or unanswered"] += quorum.lost_proposals
    faults["slow disk jobs"] += sum(node.disk.slow_jobs for node in world.brokers.values())
    return Report(1, loop.now, counts, faults)


class EventLog(logging.Handler):
    """What happened, one line an event, the product's own log lines included."""

    def __init__(self) -> None:
        super().__init__()
        self.world: World | None = None
        self.lines: list[str] = []

    def note(self, who: str, text: str, *args: object) -> None:
        now = 0.0 if self.world is None else self.world.loop.now
        self.lines.append(f"{now:10.4f} {who:9} {text % args if args else text}")

    def emit(self, record: logging.LogRecord) -> None:
        process = PROCESS.get()
        who = "world" if process is None else process.host
        self.note(who, "%s", record.getMessage())
