"""`ottla topic create | list | describe | delete | delete-records`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ottla.cli import common
from ottla.cli.common import BootstrapOption, JsonOption
from ottla.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from ottla.client.admin import Admin
    from ottla.client.model import (
        ConfigEntry,
        CreatedTopic,
        PartitionDescription,
        TopicDescription,
    )

app = typer.Typer(no_args_is_help=True)

NamesArgument = Annotated[list[str], typer.Argument(metavar="TOPIC", help="Names of topics.")]


@app.callback()
def topic() -> None:
    """Create, list, describe and delete topics, or their oldest records."""


@app.command()
def create(
    names: NamesArgument,
    partitions: Annotated[
        int | None,
        typer.Option("--partitions", "-p", min=1, help="Left out: the cluster's default."),
    ] = None,
    replication_factor: Annotated[
        int | None,
        typer.Option(
            "--replication-factor",
            "-r",
            min=1,
            help="Copies of each record, on different brokers. Left out: the cluster's default.",
        ),
    ] = None,
    config: Annotated[
        list[str] | None,
        typer.Option("--config", "-c", metavar="KEY=VALUE", help="May be given again."),
    ] = None,
    if_not_exists: Annotated[
        bool, typer.Option("--if-not-exists", help="A topic that is there already is no failure.")
    ] = False,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """Create topics.

    Examples:

      ottla topic create orders

      ottla topic create orders --partitions 6 --replication-factor 3

      ottla topic create audit -p 1 -c cleanup.policy=compact -c min.insync.replicas=2
    """
    from ottla.client.model import NewTopic
    from ottla.core.errors import ErrorCode, ProtocolError
    from ottla.core.identifiers import topic_name_fault, uuid_text

    configs = dict(_config(text) for text in config or [])
    for name in names:
        fault = topic_name_fault(name)
        if fault is not None:
            raise typer.BadParameter(f"'{name}' is no legal topic name: {fault}")
    results: list[dict[str, Any]] = []
    failure: ProtocolError | None = None
    with common.admin(bootstrap) as admin:
        for name in names:
            new = NewTopic(name, partitions or -1, replication_factor or -1, configs)
            try:
                (created,) = admin.create_topics([new])
            except ProtocolError as error:
                exists = error.code is ErrorCode.TOPIC_ALREADY_EXISTS
                if not (exists and if_not_exists):
                    failure = error
                    break
                results.append({"name": name, "created": False})
                if not json_output:
                    say(f"Topic {name} exists already.")
                continue
            results.append(
                {
                    "name": name,
                    "created": True,
                    "topic_id": uuid_text(created.topic_id),
                    "partitions": created.partitions,
                    "replication_factor": created.replication_factor,
                }
            )
            if not json_output:
                say(f"Created topic {name}{_numbers(created)}.")
    if json_output:
        print_json(results)
    if failure is not None:
        raise failure


@app.command(name="list")
def list_topics(
    internal: Annotated[
        bool, typer.Option("--internal", help="Also the cluster's own topics.")
    ] = False,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """List all topics.

    Examples:

      ottla topic list

      ottla topic list --internal --json
    """
    with common.admin(bootstrap) as admin:
        topics = admin.list_topics(internal=internal)
    if json_output:
        print_json([_topic_json(found) for found in topics])
    elif topics:
        print_table(
            ["Topic", "#Partitions", "#Replicas", "Health"],
            [
                [
                    found.name,
                    str(len(found.partitions)),
                    str(found.replication_factor),
                    _health(found),
                ]
                for found in topics
            ],
        )
    else:
        say("There are no topics; 'ottla topic create NAME' makes one.")


@app.command()
def describe(
    names: NamesArgument,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """Show the partitions of topics: leaders, replicas, which are in sync, offsets, settings.

    Examples:

      ottla topic describe orders

      ottla topic describe orders payments --json
    """
    with common.admin(bootstrap) as admin:
        topics = admin.describe_topics(names)
        details = [(found, _ends(admin, found), _own_configs(admin, found)) for found in topics]
    if json_output:
        print_json(
            [
                {
                    **_topic_json(found),
                    "configs": {entry.name: entry.value for entry in configs},
                    "partitions": [
                        _partition_json(partition, ends.get(partition.index))
                        for partition in found.partitions
                    ],
                }
                for found, ends, configs in details
            ]
        )
        return
    for found, ends, configs in details:
        say(f"Topic {found.name}: {_health(found)}")
        for entry in configs:
            say(f"  {entry.name}={entry.value}")
        print_table(
            ["#Partition", "#Leader", "Replicas", "In sync", "#Begins", "#Ends"],
            [
                [
                    str(partition.index),
                    "none" if partition.leader_id is None else str(partition.leader_id),
                    _ids(partition.replicas),
                    _ids(partition.isr),
                    *(str(end) for end in ends.get(partition.index, ("?", "?"))),
                ]
                for partition in found.partitions
            ],
        )


@app.command()
def delete(
    names: NamesArgument,
    if_exists: Annotated[
        bool, typer.Option("--if-exists", help="A topic that is not there is no failure.")
    ] = False,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """Delete topics with all their records.

    Examples:

      ottla topic delete orders

      ottla topic delete orders payments --if-exists
    """
    from ottla.core.errors import ErrorCode, ProtocolError

    results: list[dict[str, Any]] = []
    failure: ProtocolError | None = None
    with common.admin(bootstrap) as admin:
        for name in names:
            try:
                admin.delete_topic(name)
            except ProtocolError as error:
                missing = error.code is ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
                if not (missing and if_exists):
                    failure = error
                    break
                results.append({"name": name, "deleted": False})
                if not json_output:
                    say(f"Topic {name} does not exist.")
                continue
            results.append({"name": name, "deleted": True})
            if not json_output:
                say(f"Deleted topic {name}.")
    if json_output:
        print_json(results)
    if failure is not None:
        raise failure


@app.command(name="delete-records")
def delete_records(
    name: Annotated[str, typer.Argument(metavar="TOPIC", help="Name of the topic.")],
    before: Annotated[
        str,
        typer.Option(
            "--before",
            metavar="OFFSET",
            help="The first offset to keep; 'end' keeps nothing of what is committed now.",
        ),
    ],
    partition: Annotated[
        list[int] | None,
        typer.Option(
            "--partition",
            min=0,
            help="May be given again. Left out: all, where --before is 'end'.",
        ),
    ] = None,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """Delete the oldest records of a topic; the topic stays.

    Examples:

      ottla topic delete-records orders --before end

      ottla topic delete-records orders --partition 2 --before 1000
    """
    from ottla.client.model import OffsetSpec

    whole = before == "end"
    if not (whole or (before.isascii() and before.isdecimal())):
        raise typer.BadParameter(f"expected an offset or 'end', not '{before}'")
    if not (whole or partition):
        raise typer.BadParameter("an offset is one partition's: say which with --partition")
    offset = OffsetSpec.LATEST if whole else int(before)
    with common.admin(bootstrap) as admin:
        indexes = partition or [p.index for p in admin.describe_topic(name).partitions]
        kept = admin.delete_records({(name, index): offset for index in indexes})
    if json_output:
        print_json(
            [
                {"topic": name, "partition": index, "low_watermark": kept[name, index]}
                for index in sorted(indexes)
            ]
        )
        return
    for index in sorted(indexes):
        say(f"Partition {index} of {name} begins at offset {kept[name, index]}.")


def _config(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name.strip():
        raise typer.BadParameter(f"expected KEY=VALUE, not '{text}'", param_hint="--config")
    return name.strip(), value.strip()


def _numbers(created: CreatedTopic) -> str:
    if created.partitions < 0:
        return ""  # an old broker does not tell
    noun = "partition" if created.partitions == 1 else "partitions"
    return f": {created.partitions} {noun}, replication factor {created.replication_factor}"


def _ids(brokers: tuple[int, ...]) -> str:
    return ", ".join(str(broker) for broker in brokers) or "none"


def _health(found: TopicDescription) -> str:
    leaderless = sum(partition.leader_id is None for partition in found.partitions)
    behind = sum(partition.under_replicated for partition in found.partitions)
    if leaderless:
        return f"{leaderless} of {len(found.partitions)} without leader"
    if behind:
        return f"{behind} of {len(found.partitions)} under-replicated"
    return "in sync"


def _ends(admin: Admin, found: TopicDescription) -> dict[int, tuple[int | None, int | None]]:
    """First and next offset of each partition that has a leader to ask."""
    from ottla.client.model import OffsetSpec

    led = [p.index for p in found.partitions if p.leader_id is not None]
    if not led:
        return {}
    first = admin.list_offsets({(found.name, index): OffsetSpec.EARLIEST for index in led})
    last = admin.list_offsets({(found.name, index): OffsetSpec.LATEST for index in led})
    return {
        index: (first[found.name, index].offset, last[found.name, index].offset) for index in led
    }


def _own_configs(admin: Admin, found: TopicDescription) -> list[ConfigEntry]:
    """The settings that were made for this topic."""
    from ottla.client.configs import ConfigResource, ResourceKind

    entries = admin.describe_configs(ConfigResource(ResourceKind.TOPIC, found.name))
    return [entry for entry in entries if entry.source == "topic"]


def _topic_json(found: TopicDescription) -> dict[str, Any]:
    from ottla.core.identifiers import uuid_text

    return {
        "name": found.name,
        "topic_id": uuid_text(found.topic_id),
        "internal": found.internal,
        "partition_count": len(found.partitions),
        "replication_factor": found.replication_factor,
        "leaderless_partitions": sum(p.leader_id is None for p in found.partitions),
        "under_replicated_partitions": sum(p.under_replicated for p in found.partitions),
    }


def _partition_json(
    partition: PartitionDescription, ends: tuple[int | None, int | None] | None
) -> dict[str, Any]:
    first, last = ends or (None, None)
    return {
        "partition": partition.index,
        "leader": partition.leader_id,
        "leader_epoch": partition.leader_epoch,
        "replicas": list(partition.replicas),
        "isr": list(partition.isr),
        "log_start_offset": first,
        "end_offset": last,
    }
