"""`ottla group list | describe | reset-offsets | delete-offsets | delete`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from ottla.cli import common
from ottla.cli.common import BootstrapOption, JsonOption
from ottla.cli.group_offsets import (
    ExecuteOption,
    GroupArgument,
    delete_offsets,
    ends_of,
    number,
    reset_offsets,
)
from ottla.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from ottla.client.leaders import TopicPartition
    from ottla.client.model import GroupDescription

app = typer.Typer(no_args_is_help=True)


class GroupType(StrEnum):
    """The protocol of a group's members (KIP-848)."""

    CLASSIC = "classic"
    CONSUMER = "consumer"


@app.callback()
def group() -> None:
    """Show consumer groups and their lag; set their offsets; delete them."""


@app.command(name="list")
def list_(
    state: Annotated[
        list[str] | None,
        typer.Option("--state", metavar="STATE", help="Only these, as Stable; may be repeated."),
    ] = None,
    kind: Annotated[
        list[GroupType] | None,
        typer.Option("--type", help="Only those of this protocol; may be repeated."),
    ] = None,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """List the groups of all brokers.

    Examples:

      ottla group list

      ottla group list --state Empty --json

      ottla group list --type consumer
    """
    wanted = {one.lower() for one in state or ()}
    kinds = set(kind or ())
    with common.admin(bootstrap) as admin:
        groups = [
            one
            for one in admin.list_groups()
            if (not wanted or one.state.lower() in wanted)
            and (not kinds or one.type.lower() in kinds)
        ]
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
        ends = ends_of(admin, partitions)
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
                number(committed.get((topic, index))),
                number(ends.get((topic, index))),
                number(lags.get((topic, index))),
                owners.get((topic, index), ""),
            ]
            for topic, index in partitions
        ],
    )


app.command(name="reset-offsets")(reset_offsets)
app.command(name="delete-offsets")(delete_offsets)


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
