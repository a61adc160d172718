"""Planted faults: the product with one rule taken out, and in how many seeds that must be found.

Each entry replaces a function or two of the real code for the length of a run. `settings` may lean
towards the faults that make the rule matter. What is found may be another invariant than the one
whose guard is gone: a rule is broken first, and a record is lost later, if at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Literal
from unittest import mock

from tests.simulation import planted_patches as patches
from tests.simulation.broker_node import BrokerTimes
from tests.simulation.planted_patches import Patch
from tests.simulation.settings import Settings, settings_of


@dataclass(frozen=True, slots=True)
class Planted:
    """`rule` is what no longer holds; it must be found within `seeds` runs."""

    name: str
    rule: str
    patches: Callable[[], list[Patch]]
    seeds: int = 10
    settings: Callable[[int], Settings] = settings_of

    @contextmanager
    def planted(self) -> Iterator[None]:
        with ExitStack() as undo:
            for target, name, value in self.patches():
                undo.enter_context(mock.patch.object(target, name, value))
            yield


def lean(
    *,
    durable: bool = False,
    others: float = 0.2,
    times: BrokerTimes = BrokerTimes(),  # noqa: B008 - immutable
    quick: bool = False,
    patient: bool = False,
    slow_share: float = 1.0,
    controllers: int = 3,
    pause_s: float = 0.2,
    slow_links: Literal["all", "between brokers", "to controllers"] = "all",
    **weights: float,
) -> Callable[[int], Settings]:
    """A small cluster with more of these faults (underscores stand for spaces) than of others.

    `quick`: what was killed or lost its power is back soon, while slow links are very slow.
    `patient`: producers wait long for their answers."""
    named = {name.replace("_", " "): weight for name, weight in weights.items()}

    def settings(seed: int) -> Settings:
        drawn = settings_of(seed)
        unknown = named.keys() - drawn.weights.keys()
        assert not unknown, unknown
        if quick:
            drawn = replace(
                drawn,
                restart_s=(0.02, 0.3),
                power_s=(0.05, 0.4),
                slow_s=(0.5, 1.5),
                slow_both_share=0.9,
            )
        if patient:
            drawn = replace(drawn, timeouts_s=(10.0,), patience_s=(12.0,))
        return replace(
            drawn,
            topics=("events",),
            produce_pause_s=0.05,
            durable=durable,
            controllers=controllers,
            fault_pause_s=pause_s,
            slow_links=slow_links,
            slow_share=slow_share,
            leader_imbalance_check_ms=500,
            times=times,
            weights={kind: named.get(kind, others) for kind in drawn.weights},
        )

    return settings


PLANTED = (
    Planted(
        "acknowledge before replication",
        "acks=all is answered once the high watermark has passed",
        patches.acknowledge_before_replication,
    ),
    Planted(
        "waiter survives its epoch",
        "8: a waiter fails with its leader epoch, also when leadership comes back",
        patches.waiter_survives_its_epoch,
        seeds=20,
        settings=lean(others=0, pause_s=0.8, patient=True, controllers=1, cut_off=1),
    ),
    Planted(
        "duplicate answered at once",
        "8: a duplicate waits for the original",
        patches.duplicate_answered_at_once,
        settings=lean(calls_repeated=3, calls_lost=3, slow_link=3, cut_between_two=2),
    ),
    Planted(
        "sequences outlive a truncation",
        "17: producers are what the log says",
        patches.sequences_outlive_a_truncation,
        seeds=20,
        settings=lean(cut_between_two=3, cut_off=3, pause_of_a_broker=2, slow_link=2),
    ),
    Planted(
        "reads to the log end",
        "consumers read below the high watermark",
        patches.reads_to_the_log_end,
    ),
    Planted(
        "shrink counts at once",
        "5: a pending shrink counts with those who leave",
        patches.shrink_counts_at_once,
        settings=lean(slow_link=3, pause_of_a_broker=3, disk_full=2, calls_lost=2),
    ),
    Planted(
        "pending member does not count",
        "5: a pending member counts for the high watermark",
        patches.pending_member_does_not_count,
        seeds=15,
        settings=lean(
            times=BrokerTimes(silence=3_000),
            quick=True,
            controllers=1,
            others=0,
            pause_s=0.3,
            slow_link=1,
            crash=1,
        ),
    ),
    Planted(
        "high watermark below min ISR",
        "6: it stands still below min.insync.replicas",
        patches.high_watermark_below_min_isr,
    ),
    Planted(
        "unsynced counts in durable mode",
        "9: in durable mode an offset counts once synced",
        patches.unsynced_counts_in_durable_mode,
        settings=lean(durable=True, slow_disk=3),
    ),
    Planted(
        "prefix not proven",
        "10: nothing is sent before the prefix is proven by leader epoch",
        patches.prefix_not_proven,
        settings=lean(cut_between_two=2, cut_off=3, pause_of_a_broker=3, slow_link=2),
    ),
    Planted(
        "truncate by high watermark",
        "10: truncation by leader epoch, never by high watermark",
        patches.truncate_by_high_watermark,
    ),
    Planted(
        "late acknowledgement counts",
        "10: positions are forgotten with the stream, late words dropped",
        patches.late_acknowledgement_counts,
        seeds=30,
        settings=lean(
            times=BrokerTimes(handshake_max=5_000),
            slow_share=0.3,
            quick=True,
            controllers=1,
            others=0,
            pause_s=0.3,
            slow_links="between brokers",
            power_cut=1,
            slow_link=1,
        ),
    ),
    Planted(
        "positions maximised",
        "10: a position is set, never maximised",
        patches.positions_maximised,
        seeds=20,
        settings=lean(
            quick=True,
            slow_links="between brokers",
            controllers=1,
            others=0,
            pause_s=0.3,
            slow_link=1,
            power_cut=1,
        ),
    ),
    Planted(
        "follower appends anywhere",
        "10: a follower appends at its log end alone",
        patches.follower_appends_anywhere,
        seeds=20,
        settings=lean(
            quick=True,
            slow_links="between brokers",
            controllers=1,
            others=0,
            pause_s=0.3,
            slow_link=1,
            disk_full=1,
        ),
    ),
    Planted(
        "joins below the epoch start",
        "5: into the ISR at the start of the leader epoch",
        patches.joins_below_the_epoch_start,
        seeds=20,
        settings=lean(
            quick=True,
            slow_links="between brokers",
            controllers=1,
            others=0,
            pause_s=0.3,
            slow_link=1,
            crash=1,
            power_cut=1,
        ),
    ),
    Planted(
        "joins below the high watermark",
        "5: into the ISR at the high watermark",
        patches.joins_below_the_high_watermark,
        seeds=20,
        settings=lean(power_cut=3, slow_link=2, cut_between_two=2),
    ),
    Planted(
        "time-out settles a change",
        "5: a change stays pending until it is answered",
        patches.time_out_settles_a_change,
        seeds=10,
        settings=lean(
            times=BrokerTimes(alter_partitions=300),
            controllers=1,
            crash_of_a_controller=2,
            pause_of_a_broker=2,
            cut_off=2,
        ),
    ),
    Planted(
        "older metadata accepted",
        "13: metadata never goes backwards",
        patches.older_metadata_accepted,
        seeds=25,
        settings=lean(
            times=BrokerTimes(silence=3_000),
            quick=True,
            slow_links="to controllers",
            controllers=1,
            others=0,
            pause_s=0.3,
            slow_link=1,
            crash=1,
        ),
    ),
    Planted(
        "fenced member accepted",
        "5: no fenced member gets in (KIP-841)",
        patches.fenced_member_accepted,
        seeds=15,
        settings=lean(
            times=BrokerTimes(silence=3_000),
            quick=True,
            slow_links="to controllers",
            controllers=1,
            others=0,
            pause_s=0.3,
            slow_link=1,
            crash=1,
        ),
    ),
    Planted(
        "replaced incarnation accepted",
        "5: a member is an incarnation (KIP-903)",
        patches.replaced_incarnation_accepted,
        seeds=20,
        settings=lean(
            times=BrokerTimes(silence=3_000),
            quick=True,
            controllers=1,
            others=0,
            pause_s=0.3,
            slow_link=1,
            power_cut=1,
        ),
    ),
    Planted(
        "partition epoch not compared",
        "ISR changes are serial by partition epoch",
        patches.partition_epoch_not_compared,
    ),
    Planted(
        "restart keeps the leader epoch",
        "1: one leader epoch never spans two processes",
        patches.restart_keeps_the_leader_epoch,
    ),
    Planted(
        "eligible replicas ignored",
        "an eligible leader replica is elected before all others (KIP-966)",
        patches.eligible_replicas_ignored,
        settings=lean(crash=3, power_cut=1),
    ),
    Planted(
        "unclean election without leave",
        "an unclean election only where the topic allows it",
        patches.unclean_election_without_leave,
        settings=lean(crash=3, power_cut=1),
    ),
    Planted(
        "unclean directory keeps membership",
        "2: an unclean directory ends membership of ISR and ELR",
        patches.unclean_directory_keeps_membership,
        settings=lean(power_cut=3, crash=2),
    ),
    Planted(
        "power cut taken for a crash",
        "2: another boot is an unclean stop",
        patches.power_cut_taken_for_a_crash,
        settings=lean(power_cut=3, crash=2),
    ),
    Planted(
        "folder of an earlier topic opened",
        "4: a folder is opened by its topic id alone",
        patches.folder_of_an_old_topic_opened,
        settings=lean(topic_made_anew=4, crash=3),
    ),
)
