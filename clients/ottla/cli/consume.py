"""`ottla consume TOPIC`: values as they are, one a line."""

from __future__ import annotations

import base64
import contextlib
import json
import signal
from collections.abc import Iterator
from enum import StrEnum
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ottla.cli import common
from ottla.cli.common import BootstrapOption
from ottla.cli.output import flush, write

if TYPE_CHECKING:
    from ottla.client.consumer import Consumer
    from ottla.client.fetcher import ConsumerRecord
    from ottla.client.model import Isolation

_POLL_SECONDS = 0.5
_RECORDS_MAX = 500


class IsolationChoice(StrEnum):
    READ_UNCOMMITTED = "read_uncommitted"
    READ_COMMITTED = "read_committed"


_ISOLATION: dict[IsolationChoice, Isolation] = {
    IsolationChoice.READ_UNCOMMITTED: "read_uncommitted",
    IsolationChoice.READ_COMMITTED: "read_committed",
}


def consume(
    topic: Annotated[str, typer.Argument(help="Name of the topic.")],
    from_beginning: Annotated[
        bool,
        typer.Option(
            "--from-beginning", help="Begin at the oldest record, not with what comes from now on."
        ),
    ] = False,
    group: Annotated[
        str | None,
        typer.Option(
            "--group", "-g", help="Share the topic with this group, and go on where it stopped."
        ),
    ] = None,
    max_messages: Annotated[
        int | None, typer.Option("--max-messages", "-n", min=0, help="Stop after so many.")
    ] = None,
    timeout: Annotated[
        float | None,
        typer.Option(min=0, metavar="SECONDS", help="Stop when none has come for so long."),
    ] = None,
    partition: Annotated[
        int | None, typer.Option("--partition", "-p", min=0, help="Read this one alone.")
    ] = None,
    offset: Annotated[
        int | None,
        typer.Option("--offset", "-o", min=0, help="Begin here; needs --partition."),
    ] = None,
    isolation: Annotated[
        IsolationChoice,
        typer.Option(
            help="With read_committed nothing of an aborted transaction is printed, and nothing "
            "from an open one on."
        ),
    ] = IsolationChoice.READ_UNCOMMITTED,
    key: Annotated[
        bool, typer.Option("--key", help="Print the key and a tab before each value.")
    ] = False,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print each record as a JSON object in a line.")
    ] = False,
    bootstrap: BootstrapOption = None,
) -> None:
    """Print records: their values as they are, each followed by a newline.

    It goes on until Ctrl-C, --max-messages or --timeout.

    Examples:

      ottla consume orders --from-beginning

      ottla consume orders --group billing --json

      ottla consume orders --partition 0 --offset 42 --max-messages 1

      ottla consume transfers --from-beginning --isolation read_committed
    """
    if group is not None and (partition is not None or offset is not None):
        raise typer.BadParameter("a group chooses its partitions and offsets by itself")
    if offset is not None and partition is None:
        raise typer.BadParameter("an offset belongs to a partition: add --partition")
    if offset is not None and from_beginning:
        raise typer.BadParameter("--offset and --from-beginning exclude each other")
    from ottla.client.consumer import Consumer

    consumer = Consumer(
        common.resolve_bootstrap(bootstrap),
        group=group,
        offset_reset="earliest" if from_beginning else (None if offset is not None else "latest"),
        isolation=_ISOLATION[isolation],
        options=common.client_options(),
    )
    with _until_interrupted() as interrupted, consumer:
        _choose(consumer, topic, group, partition, offset, from_beginning=from_beginning)
        left = max_messages
        idle = 0.0
        while not interrupted and (left is None or left > 0):
            wait = _POLL_SECONDS if timeout is None else min(_POLL_SECONDS, timeout - idle)
            records = consumer.poll(max(0.0, wait), min(left or _RECORDS_MAX, _RECORDS_MAX))
            for record in records:
                write(_line(record, with_key=key, as_json=json_output))
            flush()
            if left is not None:
                left -= len(records)
            idle = 0.0 if records else idle + wait
            if timeout is not None and not records and idle >= timeout:
                break


def _choose(
    consumer: Consumer,
    topic: str,
    group: str | None,
    partition: int | None,
    offset: int | None,
    *,
    from_beginning: bool,
) -> None:
    from ottla.client.model import OffsetSpec

    if group is not None:
        consumer.subscribe([topic])
        return
    start = OffsetSpec.EARLIEST if from_beginning else OffsetSpec.LATEST
    consumer.assign_topic(topic, int(start) if offset is None else offset)
    if partition is not None:
        chosen = (topic, partition)
        count = len(consumer.assignment())
        if chosen not in consumer.assignment():
            raise typer.BadParameter(
                f"topic '{topic}' has partitions 0–{count - 1}", param_hint="--partition"
            )
        consumer.assign({chosen: int(start) if offset is None else offset})


@contextlib.contextmanager
def _until_interrupted() -> Iterator[list[int]]:
    """A list that the first Ctrl-C fills; the second one interrupts as usual.

    An exception in the middle of a poll would leave open which records have been printed.
    """
    interrupted: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        interrupted.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, note)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


def _line(record: ConsumerRecord, *, with_key: bool, as_json: bool) -> bytes:
    if as_json:
        return json.dumps(_json(record), ensure_ascii=False).encode() + b"\n"
    value = (record.value or b"") + b"\n"
    return (record.key or b"") + b"\t" + value if with_key else value


def _json(record: ConsumerRecord) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.timestamp,
    }
    shown.update(_text("key", record.key))
    shown.update(_text("value", record.value))
    shown["headers"] = [{"name": name, **_text("value", value)} for name, value in record.headers]
    return shown


def _text(name: str, data: bytes | None) -> dict[str, str | None]:
    """Bytes as text; what is no UTF-8 as base64 under another name."""
    if data is None:
        return {name: None}
    try:
        return {name: data.decode("utf-8")}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(data).decode("ascii")}
