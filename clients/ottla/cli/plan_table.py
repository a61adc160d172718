"""A plan as a table for people, and as JSON for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ottla.cli.output import print_table, say
from ottla.reassignment.amounts import bytes_text

if TYPE_CHECKING:
    from ottla.reassignment.planner import Change


def ids_text(ids: Sequence[int]) -> str:
    return ", ".join(str(broker) for broker in ids) or "none"


def show_plan(changes: Sequence[Change]) -> None:
    """The table, and a sentence with the sum."""
    if not changes:
        say("Nothing to do: the replicas and leaders are where they should be.")
        return
    print_table(
        ["Topic", "#Partition", "Replicas now", "Replicas then", "Added", "Removed", "#To move"],
        [
            [
                change.topic,
                str(change.index),
                ids_text(change.before),
                ids_text(change.after),
                ids_text(change.added),
                ids_text(change.removed),
                bytes_text(change.bytes_to_move),
            ]
            for change in changes
        ],
    )
    added = sum(len(change.added) for change in changes)
    say(
        f"{len(changes)} partitions change, {added} replicas are copied: "
        f"{bytes_text(sum(change.bytes_to_move for change in changes))} to move."
    )


def plan_json(changes: Sequence[Change]) -> list[dict[str, Any]]:
    return [
        {
            "topic": change.topic,
            "partition": change.index,
            "before": [*change.before],
            "after": [*change.after],
            "bytes_to_move": change.bytes_to_move,
        }
        for change in changes
    ]
