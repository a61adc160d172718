"""`ottla txn list | describe | producers | find-hanging | abort`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ottla.cli import common
from ottla.cli.common import BootstrapOption, JsonOption
from ottla.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from ottla.client.admin import Admin
    from ottla.client.transactions import ActiveProducer

app = typer.Typer(no_args_is_help=True)

OLDER_SECONDS = 900.0
"""The longest that transactions may be open where nobody changed transaction.max.timeout.ms."""

TopicOption = Annotated[
    str | None, typer.Option("--topic", metavar="TOPIC", help="Left out: all topics.")
]
PartitionOption = Annotated[
    int | None, typer.Option("--partition", min=0, help="Left out: all of the topic.")
]


@app.callback()
def txn() -> None:
    """Show transactions; find those that hang, and abort them."""


@app.command(name="list")
def list_(
    state: Annotated[
        list[str] | None,
        typer.Option("--state", metavar="STATE", help="Only these, as Ongoing; may be repeated."),
    ] = None,
    longer_than: Annotated[
        float,
        typer.Option("--longer-than", metavar="SECONDS", help="Only those open for longer."),
    ] = -1,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """List the transactional ids of all brokers.

    Examples:

      ottla txn list

      ottla txn list --state Ongoing --longer-than 60
    """
    duration_ms = -1 if longer_than < 0 else round(longer_than * 1000)
    with common.admin(bootstrap) as admin:
        found = admin.list_transactions(state or [], duration_ms)
    if json_output:
        print_json(
            [
                {
                    "transactional_id": one.transactional_id,
                    "coordinator": one.coordinator_id,
                    "producer_id": one.producer_id,
                    "state": one.state,
                }
                for one in found
            ]
        )
        return
    print_table(
        ["Transactional id", "#Coordinator", "#Producer id", "State"],
        [
            [one.transactional_id, str(one.coordinator_id), str(one.producer_id), one.state]
            for one in found
        ],
    )


@app.command()
def describe(
    transactional_id: Annotated[str, typer.Argument(metavar="TRANSACTIONAL_ID")],
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """Show what the coordinator knows of a transactional id.

    Example:

      ottla txn describe transfers-1
    """
    with common.admin(bootstrap) as admin:
        one = admin.describe_transaction(transactional_id)
    if json_output:
        print_json(
            {
                "transactional_id": one.transactional_id,
                "coordinator": one.coordinator_id,
                "producer_id": one.producer_id,
                "producer_epoch": one.producer_epoch,
                "state": one.state,
                "timeout_ms": one.timeout_ms,
                "start_timestamp_ms": one.start_timestamp_ms,
                "partitions": [{"topic": t, "partition": p} for t, p in one.partitions],
            }
        )
        return
    since = "" if one.start_timestamp_ms is None else f" since {_time(one.start_timestamp_ms)}"
    say(
        f"{transactional_id} is {one.state}{since}; producer {one.producer_id}, epoch "
        f"{one.producer_epoch}; time-out {one.timeout_ms} ms; broker {one.coordinator_id} "
        "coordinates."
    )
    if one.partitions:
        print_table(["Topic", "#Partition"], [[t, str(p)] for t, p in sorted(one.partitions)])


@app.command()
def producers(
    topic: Annotated[str, typer.Option("--topic", metavar="TOPIC")],
    partition: PartitionOption = None,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """Show who writes to the partitions of a topic, as their leaders know.

    Example:

      ottla txn producers --topic orders --partition 0
    """
    with common.admin(bootstrap) as admin:
        found = _producers(admin, topic, partition)
    _print_producers(found, json_output=json_output)


@app.command(name="find-hanging")
def find_hanging(
    topic: TopicOption = None,
    partition: PartitionOption = None,
    older_than: Annotated[
        float,
        typer.Option(
            "--older-than",
            metavar="SECONDS",
            min=0,
            help="Since the last record; at least the longest time-out of transactions.",
        ),
    ] = OLDER_SECONDS,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """Find transactions that no coordinator knows of: readers of committed records wait for them.

    Example:

      ottla txn find-hanging --topic orders
    """
    with common.admin(bootstrap) as admin:
        found = _producers(admin, topic, partition)
        hanging = admin.find_hanging_transactions(found, round(older_than * 1000))
    _print_producers(hanging, json_output=json_output)
    if not json_output:
        say(
            f"{len(hanging)} hang; 'ottla txn abort' ends one."
            if hanging
            else "No transaction hangs."
        )


@app.command()
def abort(
    topic: Annotated[str, typer.Option("--topic", metavar="TOPIC")],
    partition: Annotated[int, typer.Option("--partition", min=0)],
    start_offset: Annotated[
        int,
        typer.Option(
            "--start-offset", metavar="OFFSET", min=0, help="Where it begins, as find-hanging says."
        ),
    ],
    execute: Annotated[
        bool, typer.Option("--execute", help="Do it; without this it is only shown.")
    ] = False,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """Abort a transaction that hangs in one partition. One that its coordinator knows would be
    ended twice: such a transaction is refused.

    Example:

      ottla txn abort --topic orders --partition 0 --start-offset 17 --execute
    """
    from ottla.core.errors import ErrorCode, ProtocolError

    with common.admin(bootstrap) as admin:
        found = [
            producer
            for producer in _producers(admin, topic, partition)
            if producer.transaction_start_offset == start_offset
        ]
        if not found:
            raise ProtocolError(
                ErrorCode.INVALID_TXN_STATE,
                f"no open transaction of {topic}-{partition} begins at offset {start_offset}; "
                "'ottla txn producers' shows those that are open",
            )
        if not admin.find_hanging_transactions(found, 0):
            raise ProtocolError(
                ErrorCode.INVALID_TXN_STATE,
                f"producer {found[0].producer_id}'s coordinator knows this transaction and will "
                "end it; only one that hangs is aborted so",
            )
        if execute:
            admin.abort_transaction(found[0])
    _print_producers(found, json_output=json_output)
    if not json_output:
        say("Aborted." if execute else "Nothing is changed yet: add --execute to abort it.")


def _producers(admin: Admin, topic: str | None, partition: int | None) -> list[ActiveProducer]:
    if partition is not None and topic is None:
        raise typer.BadParameter("a partition is one of a topic: say which with --topic")
    topics = admin.list_topics(internal=True) if topic is None else [admin.describe_topic(topic)]
    wanted = [
        (one.name, p.index)
        for one in topics
        for p in one.partitions
        if partition is None or p.index == partition
    ]
    return admin.describe_producers(wanted)


def _print_producers(found: list[ActiveProducer], *, json_output: bool) -> None:
    if json_output:
        print_json([_json(one) for one in found])
        return
    print_table(
        ["Topic", "#Partition", "#Producer id", "#Epoch", "#Open since offset", "Last record"],
        [
            [
                one.topic,
                str(one.partition),
                str(one.producer_id),
                str(one.producer_epoch),
                "-" if one.transaction_start_offset is None else str(one.transaction_start_offset),
                _time(one.last_timestamp_ms),
            ]
            for one in found
        ],
    )


def _json(one: ActiveProducer) -> dict[str, Any]:
    return {
        "topic": one.topic,
        "partition": one.partition,
        "producer_id": one.producer_id,
        "producer_epoch": one.producer_epoch,
        "coordinator_epoch": one.coordinator_epoch,
        "last_timestamp_ms": one.last_timestamp_ms,
        "transaction_start_offset": one.transaction_start_offset,
    }


def _time(timestamp_ms: int) -> str:
    if timestamp_ms < 0:
        return "-"
    return datetime.fromtimestamp(timestamp_ms / 1000, UTC).isoformat(timespec="seconds")
