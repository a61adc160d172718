"""`ottla produce TOPIC`: one record a line."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from enum import StrEnum
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from ottla.cli import common
from ottla.cli.common import BootstrapOption, JsonOption
from ottla.cli.lines import ByteStream, read_lines
from ottla.cli.output import print_json, say
from ottla.core.errors import ConfigError, OttlaError

if TYPE_CHECKING:
    from ottla.client.producer import Acks, Producer


TRANSACTION_SECONDS = 900.0
"""The longest that brokers allow by default (transaction.max.timeout.ms): input may be slow."""


class AcksChoice(StrEnum):
    ALL = "all"
    LEADER = "1"
    NONE = "0"


class CompressionChoice(StrEnum):
    NONE = "none"
    GZIP = "gzip"
    SNAPPY = "snappy"
    LZ4 = "lz4"
    ZSTD = "zstd"


_ACKS: dict[AcksChoice, Acks] = {
    AcksChoice.ALL: "all",
    AcksChoice.LEADER: 1,
    AcksChoice.NONE: 0,
}


def produce(
    topic: Annotated[str, typer.Argument(help="Name of the topic.")],
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", help="Read lines from this file, not from standard input."),
    ] = None,
    key_separator: Annotated[
        str | None,
        typer.Option(
            "--key-separator",
            "-k",
            metavar="TEXT",
            help="What stands between key and value in each line; left out: no keys.",
        ),
    ] = None,
    partition: Annotated[
        int | None,
        typer.Option("--partition", min=0, help="Left out: chosen by the key, or spread."),
    ] = None,
    acks: Annotated[
        AcksChoice,
        typer.Option(help="Who confirms: all in-sync replicas, the leader alone, nobody."),
    ] = AcksChoice.ALL,
    compression: Annotated[CompressionChoice, typer.Option()] = CompressionChoice.NONE,
    transactional_id: Annotated[
        str | None,
        typer.Option(
            "--transactional-id",
            metavar="ID",
            help="Send all lines in one transaction: readers of committed records see all of them "
            "at the end, or none.",
        ),
    ] = None,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """Send lines as records: from standard input until it ends, or from a file.

    Examples:

      echo 'hello' | ottla produce orders

      ottla produce orders --file orders.txt --compression zstd

      printf 'alice:1\\nbob:2\\n' | ottla produce scores --key-separator :

      ottla produce transfers --file transfers.txt --transactional-id importer
    """
    if key_separator == "":
        raise typer.BadParameter("it cannot be empty", param_hint="--key-separator")
    if transactional_id is not None and acks is not AcksChoice.ALL:
        raise typer.BadParameter("a transaction needs --acks all", param_hint="--acks")
    separator = None if key_separator is None else key_separator.encode()
    from ottla.client.transactional_producer import TransactionalProducer

    started = time.monotonic()
    with (
        _input(file) as (stream, size),
        _progress(f"to {topic}", size) as progress,
        _producer(
            common.resolve_bootstrap(bootstrap), acks, compression, transactional_id
        ) as producer,
    ):
        # Ctrl-C is how people end their input.
        with contextlib.suppress(KeyboardInterrupt):
            for number, line in enumerate(read_lines(stream, producer.flush, progress), start=1):
                key, value = _split(line, separator, number, producer)
                producer.send(topic, value, key, partition=partition)
                if producer.failed:
                    break  # the rest would fail alike, each after its own deadline
        producer.flush()
        if isinstance(producer, TransactionalProducer):
            producer.commit()
    seconds = time.monotonic() - started
    if json_output:
        print_json({"topic": topic, "records": producer.delivered, "seconds": round(seconds, 3)})
    else:
        noun = "record" if producer.delivered == 1 else "records"
        say(f"{producer.delivered} {noun} sent to {topic} in {seconds:.1f} s.")


def _producer(
    bootstrap: str, acks: AcksChoice, compression: CompressionChoice, transactional_id: str | None
) -> Producer:
    """A producer, in a transaction that its end aborts unless it was committed before."""
    from ottla.client.producer import Producer
    from ottla.client.transactional_producer import TransactionalProducer

    options = common.client_options()
    if transactional_id is None:
        return Producer(bootstrap, acks=_ACKS[acks], compression=compression.value, options=options)
    producer = TransactionalProducer(
        bootstrap,
        transactional_id=transactional_id,
        transaction_seconds=TRANSACTION_SECONDS,
        compression=compression.value,
        options=options,
    )
    producer.init_transactions()
    producer.begin()
    return producer


def _split(
    line: bytes, separator: bytes | None, number: int, producer: Producer
) -> tuple[bytes | None, bytes]:
    if separator is None:
        return None, line
    key, found, value = line.partition(separator)
    if not found:
        producer.flush()
        outcome = f"the {producer.delivered} lines before it were sent"
        if producer.transactional_id is not None:
            outcome = "the transaction is aborted"
        raise OttlaError(f"line {number} has no key separator '{separator.decode()}'; {outcome}")
    return key, value


@contextlib.contextmanager
def _input(file: Path | None) -> Iterator[tuple[ByteStream, int | None]]:
    """The stream to read and its size, where it has one."""
    if file is None:
        yield cast(BufferedReader, sys.stdin.buffer), None
        return
    try:
        stream = open(file, "rb")  # noqa: SIM115
    except OSError as error:
        raise ConfigError(f"cannot read {file}: {error.strerror}") from None
    with stream:
        yield stream, file.stat().st_size


@contextlib.contextmanager
def _progress(description: str, size: int | None) -> Iterator[Callable[[int], None]]:
    """Called with bytes read: a bar on a terminal's standard error while input is not typed."""
    if not sys.stderr.isatty() or (size is None and sys.stdin.isatty()):
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TransferSpeedColumn,
    )

    with Progress(
        TextColumn(description, markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task("", total=size)
        yield lambda count: bar.advance(task, count)
