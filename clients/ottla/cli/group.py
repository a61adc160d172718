"""`ottla group list | describe | reset-offsets | delete`."""

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

app = typer.Typer(no_args_is_help=True)

GroupArgument = Annotated[str, typer.Argument(metavar="GROUP", help="Id of the group.")]
ExecuteOption = Annotated[
    bool, typer.Option("--execute", help="Do it; without this it is only shown.")
]
_IDLE = ("Empty", "Dead")


@app.callback()
def group() -> None:
    """Show consumer groups and their lag; set their offsets; delete them."""


@app.command(name="list")
def list_(
    state: Annotated[
        list[str] | None,
        typer.Option("--state", metavar="STATE", help="Only these, as Stable; may be repeated."),
    ] = None,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """List the groups of all brokers.

    Examples:

      ottla group list

      ottla group list --state Empty --json
    """
    wanted = {one.lower() for one in state or ()}
    with common.admin(bootstrap) as admin:
        groups = [g for g in admin.list_groups() if not wanted or g.state.lower() in wanted]
    if json_output:
        print_json(
            [
                {
                    "group": one.group_id,
                    "type": one.type,
                    "protocol_type": one.protocol_type,
                    "state": one.state,
                }
                for one in groups
            ]
        )
        return
    print_table(
        ["Group", "Type", "Protocol type", "State"],
        [[one.group_id, one.type, one.protocol_type, one.state] for one in groups],
    )


@app.command()
def describe(
    group_id: GroupArgument,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """Show a group's state, its members, and how far it is behind in each partition.

    Examples:

      ottla group describe payments

      ottla group describe payments --json
    """
    with common.admin(bootstrap) as admin:
        found = admin.describe_group(group_id)
        committed = admin.committed_offsets(group_id)
        owners = {p: member.member_id for member in found.members for p in member.partitions}
        partitions = sorted({*committed, *owners})
        ends = _ends(admin, partitions)
    lags = {p: ends[p] - committed[p] for p in committed if p in ends}
    if json_output:
        _print_description(found, committed, ends, owners)
        return
    say(
        f"Group {found.group_id} is {found.state}"
        + (f", protocol {found.protocol}" if found.protocol else "")
        + f"; broker {found.coordinator_id} coordinates; lag {sum(lags.values())} in all."
    )
    if found.members:
        print_table(
            ["Member", "Instance", "Client", "Host", "#Partitions"],
            [
                [
                    m.member_id,
                    m.instance_id or "",
                    m.client_id,
                    m.client_host,
                    str(len(m.partitions)),
                ]
                for m in found.members
            ],
        )
    print_table(
        ["Topic", "#Partition", "#Committed", "#Log end", "#Lag", "Member"],
        [
            [
                topic,
                str(index),
                _number(committed.get((topic, index))),
                _number(ends.get((topic, index))),
                _number(lags.get((topic, index))),
                owners.get((topic, index), ""),
            ]
            for topic, index in partitions
        ],
    )


@app.command(name="reset-offsets")
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
        starts, ends = _starts(admin, partitions), _ends(admin, partitions)
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
                        "lag": ends[name, index] - plan[name, index],
                    }
                    for name, index in plan
                ],
            }
        )
        return
    print_table(
        ["Topic", "#Partition", "#Current", "#New", "#Lag then"],
        [
            [
                name,
                str(index),
                _number(committed.get((name, index))),
                str(new),
                str(ends[name, index] - new),
            ]
            for (name, index), new in plan.items()
        ],
    )
    say("Done." if execute else "Nothing is changed yet: add --execute to do it.")


@app.command()
def delete(
    group_ids: Annotated[list[str], typer.Argument(metavar="GROUP…", help="Ids of groups.")],
    execute: ExecuteOption = False,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """Delete groups without members, with their committed offsets.

    Without --execute it shows what would go.

    Example:

      ottla group delete payments --execute
    """
    rows = []
    with common.admin(bootstrap) as admin:
        for group_id in group_ids:
            found = admin.describe_group(group_id)
            offsets = admin.committed_offsets(group_id)
            rows.append((group_id, found.state, len(found.members), len(offsets)))
        if execute:
            admin.delete_groups(group_ids)
    if json_output:
        print_json(
            [
                {"group": g, "state": state, "members": m, "offsets": o, "deleted": execute}
                for g, state, m, o in rows
            ]
        )
        return
    print_table(
        ["Group", "State", "#Members", "#Offsets"],
        [[g, state, str(m), str(o)] for g, state, m, o in rows],
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
        name, colon, listed = text.partition(":")
        if not colon:
            found += [(name, p.index) for p in admin.describe_topic(name).partitions]
            continue
        for part in listed.split(","):
            if not (part.isascii() and part.isdecimal()):
                raise typer.BadParameter(f"'{text}': expected TOPIC:0,1 with partition numbers")
            found.append((name, int(part)))
    return sorted(set(found))


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


def _ends(admin: Admin, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
    from ottla.client.model import OffsetSpec

    listed = admin.list_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
    return {p: one.offset or 0 for p, one in listed.items()}


def _starts(admin: Admin, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
    from ottla.client.model import OffsetSpec

    listed = admin.list_offsets(dict.fromkeys(partitions, OffsetSpec.EARLIEST))
    return {p: one.offset or 0 for p, one in listed.items()}


# ---- output


def _print_description(
    found: GroupDescription,
    committed: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
    owners: Mapping[TopicPartition, str],
) -> None:
    print_json(
        {
            "group": found.group_id,
            "state": found.state,
            "protocol_type": found.protocol_type,
            "protocol": found.protocol,
            "coordinator": found.coordinator_id,
            "members": [
                {
                    "member": m.member_id,
                    "instance": m.instance_id,
                    "client": m.client_id,
                    "host": m.client_host,
                    "partitions": [{"topic": t, "partition": p} for t, p in m.partitions],
                }
                for m in found.members
            ],
            "offsets": [
                {
                    "topic": topic,
                    "partition": index,
                    "committed": committed.get((topic, index)),
                    "log_end": ends[topic, index],
                    "lag": ends[topic, index] - committed[topic, index]
                    if (topic, index) in committed
                    else None,
                    "member": owners.get((topic, index)),
                }
                for topic, index in sorted({*committed, *owners})
            ],
        }
    )


def _number(value: int | None) -> str:
    return "-" if value is None else str(value)
