"""`ottla group reset-offsets | delete-offsets`: where a group goes on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ottla.cli import common
from ottla.cli.common import BootstrapOption, JsonOption
from ottla.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from ottla.client.admin import Admin
    from ottla.client.leaders import TopicPartition
    from ottla.client.model import GroupDescription

GroupArgument = Annotated[str, typer.Argument(metavar="GROUP", help="Id of the group.")]
ExecuteOption = Annotated[
    bool, typer.Option("--execute", help="Do it; without this it is only shown.")
]
_IDLE = ("Empty", "Dead")


def reset_offsets(
    group_id: GroupArgument,
    topic: Annotated[
        list[str] | None,
        typer.Option(
            "--topic", metavar="TOPIC[:P,P…]", help="Its partitions, or some; may be repeated."
        ),
    ] = None,
    all_topics: Annotated[
        bool, typer.Option("--all-topics", help="All that the group has committed.")
    ] = False,
    to_earliest: Annotated[bool, typer.Option("--to-earliest", help="To the log's start.")] = False,
    to_latest: Annotated[bool, typer.Option("--to-latest", help="To the log's end.")] = False,
    to_datetime: Annotated[
        str | None,
        typer.Option(
            "--to-datetime",
            metavar="ISO",
            help="To the first record from then on, as 2026-01-31T12:00:00+01:00; without an "
            "offset it is local time.",
        ),
    ] = None,
    shift_by: Annotated[
        int | None,
        typer.Option("--shift-by", metavar="N", help="So many records on; back if negative."),
    ] = None,
    to_offset: Annotated[
        int | None, typer.Option("--to-offset", metavar="OFFSET", min=0, help="To this offset.")
    ] = None,
    execute: ExecuteOption = False,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """Set where a group goes on; its consumers must be stopped.

    Without --execute it shows what it would do. Offsets stay within what the log has.

    Examples:

      ottla group reset-offsets payments --topic orders --to-earliest

      ottla group reset-offsets payments --all-topics --shift-by -100 --execute
    """
    given = [to_earliest, to_latest, to_datetime is not None, shift_by is not None]
    if sum([*given, to_offset is not None]) != 1:
        raise typer.BadParameter(
            "give one of --to-earliest, --to-latest, --to-datetime, --shift-by, --to-offset"
        )
    if bool(topic) == all_topics:
        raise typer.BadParameter("say which partitions: --topic, or --all-topics")
    moment_ms = None if to_datetime is None else _moment_ms(to_datetime)
    with common.admin(bootstrap) as admin:
        found = _described(admin, group_id)
        committed = {} if found is None else admin.committed_offsets(group_id)
        partitions = sorted(committed) if all_topics else _partitions(admin, topic or [])
        if not partitions:
            raise typer.BadParameter(
                f"group {group_id} has committed no offsets; name the topics with --topic"
            )
        starts, ends = _starts(admin, partitions), ends_of(admin, partitions)
        targets = _targets(
            admin, partitions, committed, starts, ends, to_earliest, moment_ms, shift_by, to_offset
        )
        plan = {p: min(max(target, starts[p]), ends[p]) for p, target in targets.items()}
        if execute and plan:
            if found is not None and found.state not in _IDLE:
                raise typer.BadParameter(
                    f"group {group_id} is {found.state} with {len(found.members)} members; stop "
                    "its consumers first"
                )
            admin.set_offsets(group_id, plan)
    if json_output:
        print_json(
            {
                "group": group_id,
                "executed": execute,
                "offsets": [
                    {
                        "topic": name,
                        "partition": index,
                        "current": committed.get((name, index)),
                        "new": plan[name, index],
                        "difference": _difference(plan, committed, (name, index)),
                        "lag_before": _difference(ends, committed, (name, index)),
                        "lag": ends[name, index] - plan[name, index],
                    }
                    for name, index in plan
                ],
            }
        )
        return
    print_table(
        ["Topic", "#Partition", "#Current", "#Lag", "#New", "#Difference", "#Lag then"],
        [
            [
                name,
                str(index),
                number(committed.get((name, index))),
                number(_difference(ends, committed, (name, index))),
                str(new),
                _signed(_difference(plan, committed, (name, index))),
                str(ends[name, index] - new),
            ]
            for (name, index), new in plan.items()
        ],
    )
    say("Done." if execute else "Nothing is changed yet: add --execute to do it.")


def delete_offsets(
    group_id: GroupArgument,
    topics: Annotated[
        list[str],
        typer.Argument(metavar="TOPIC[:P,P…]…", help="All that is committed there, or some."),
    ],
    execute: ExecuteOption = False,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """Forget what a group has committed for topics that none of its members reads.

    A consumer that reads them again begins where auto.offset.reset says. Without --execute it shows
    what would go.

    Examples:

      ottla group delete-offsets payments orders

      ottla group delete-offsets payments orders:0,1 --execute
    """
    with common.admin(bootstrap) as admin:
        committed = admin.committed_offsets(group_id)
        chosen = _committed_in(committed, group_id, topics)
        if execute:
            admin.delete_offsets(group_id, chosen)
    if json_output:
        print_json(
            {
                "group": group_id,
                "executed": execute,
                "offsets": [
                    {"topic": name, "partition": index, "committed": committed[name, index]}
                    for name, index in chosen
                ],
            }
        )
        return
    print_table(
        ["Topic", "#Partition", "#Committed"],
        [[name, str(index), str(committed[name, index])] for name, index in chosen],
    )
    say("Deleted." if execute else "Nothing is deleted yet: add --execute to do it.")


# ---- what is asked for


def _described(admin: Admin, group_id: str) -> GroupDescription | None:
    """None for a group that does not exist yet."""
    from ottla.core.errors import ErrorCode, ProtocolError

    try:
        found = admin.describe_group(group_id)
    except ProtocolError as error:
        if error.code is ErrorCode.GROUP_ID_NOT_FOUND:
            return None
        raise
    return found


def _partitions(admin: Admin, topics: list[str]) -> list[TopicPartition]:
    """``TOPIC`` or ``TOPIC:0,1`` as partitions."""
    found: list[TopicPartition] = []
    for text in topics:
        name, indexes = _topic_and_partitions(text)
        if indexes is None:
            indexes = [p.index for p in admin.describe_topic(name).partitions]
        found += [(name, index) for index in indexes]
    return sorted(set(found))


def _topic_and_partitions(text: str) -> tuple[str, list[int] | None]:
    """``TOPIC`` or ``TOPIC:0,1``; None stands for all partitions."""
    name, colon, listed = text.partition(":")
    if not colon:
        return name, None
    parts = listed.split(",")
    if not all(part.isascii() and part.isdecimal() for part in parts):
        raise typer.BadParameter(f"'{text}': expected TOPIC:0,1 with partition numbers")
    return name, [int(part) for part in parts]


def _committed_in(
    committed: Mapping[TopicPartition, int], group_id: str, topics: list[str]
) -> list[TopicPartition]:
    """Those of the committed offsets that `topics` name; each has to name some."""
    from ottla.core.errors import OttlaError

    chosen: set[TopicPartition] = set()
    for text in topics:
        name, indexes = _topic_and_partitions(text)
        if indexes is None:
            indexes = [index for topic, index in committed if topic == name]
        found = [(name, index) for index in indexes]
        lacking = [str(index) for topic, index in found if (topic, index) not in committed]
        if not found or lacking:
            where = f"partitions {', '.join(lacking)} of topic" if lacking else "topic"
            raise OttlaError(
                f"group '{group_id}' has committed nothing for {where} '{name}'; "
                f"'ottla group describe {group_id}' shows what it has"
            )
        chosen.update(found)
    return sorted(chosen)


def _targets(
    admin: Admin,
    partitions: list[TopicPartition],
    committed: Mapping[TopicPartition, int],
    starts: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
    to_earliest: bool,
    moment_ms: int | None,
    shift_by: int | None,
    to_offset: int | None,
) -> dict[TopicPartition, int]:
    if to_earliest:
        return dict(starts)
    if moment_ms is not None:
        listed = admin.list_offsets(dict.fromkeys(partitions, moment_ms))
        # No record from then on: whatever comes is later.
        return {p: ends[p] if one.offset is None else one.offset for p, one in listed.items()}
    if shift_by is not None:
        return {p: committed.get(p, starts[p]) + shift_by for p in partitions}
    if to_offset is not None:
        return dict.fromkeys(partitions, to_offset)
    return dict(ends)


def _moment_ms(text: str) -> int:
    try:
        return round(datetime.fromisoformat(text).timestamp() * 1000)
    except ValueError:
        raise typer.BadParameter(
            f"'{text}' is no date and time; write 2026-01-31T12:00:00+01:00"
        ) from None


def ends_of(admin: Admin, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
    from ottla.client.model import OffsetSpec

    listed = admin.list_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
    return {p: one.offset or 0 for p, one in listed.items()}


def _starts(admin: Admin, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
    from ottla.client.model import OffsetSpec

    listed = admin.list_offsets(dict.fromkeys(partitions, OffsetSpec.EARLIEST))
    return {p: one.offset or 0 for p, one in listed.items()}


# ---- output


def _difference(
    of: Mapping[TopicPartition, int],
    committed: Mapping[TopicPartition, int],
    partition: TopicPartition,
) -> int | None:
    """How far `of` is beyond what is committed; None where nothing is."""
    return of[partition] - committed[partition] if partition in committed else None


def _signed(value: int | None) -> str:
    return "-" if value is None else f"{value:+d}"


def number(value: int | None) -> str:
    return "-" if value is None else str(value)
