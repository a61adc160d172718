"""What commands print: tables for people, JSON for programs, errors as one sentence.

Results go to standard output, progress and errors to standard error. A reader that goes away
(``| head``) ends the command quietly.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import typer

_WIDTH_MAX = 10_000
_REPORT_AFTER_SECONDS = 1.0
_REPORT_EVERY_SECONDS = 5.0


def fail(message: str) -> None:
    """Print an error to standard error."""
    text = " ".join(message.split()) if "\n" not in message else message
    with contextlib.suppress(OSError):
        sys.stderr.write(f"error: {text}\n")
        sys.stderr.flush()


def write(data: bytes) -> None:
    """Bytes to standard output as they are; unflushed."""
    with _reader_may_leave():
        sys.stdout.buffer.write(data)


def flush() -> None:
    with _reader_may_leave():
        sys.stdout.flush()


def say(text: str) -> None:
    """One line of plain text to standard output."""
    with _reader_may_leave():
        sys.stdout.write(text + "\n")
        sys.stdout.flush()


def print_json(value: Any) -> None:
    """A value, indented, to standard output."""
    say(json.dumps(value, indent=2, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table; the columns whose name begins with '#' hold numbers and stand to the right."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in columns:
        right = name.startswith("#")
        table.add_column(name.lstrip("#"), justify="right" if right else "left", no_wrap=right)
    for row in rows:
        # Names of topics are data: brackets in them are no markup.
        table.add_row(*(Text(cell) for cell in row))
    console = Console()
    if not console.is_terminal:
        # A pipe has no width: cutting cells to 80 columns would lose what a script looks for.
        console = Console(width=Console(width=_WIDTH_MAX).measure(table).maximum)
    with _reader_may_leave():
        console.print(table)


@contextlib.contextmanager
def _reader_may_leave() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        # What is still buffered would raise again when the interpreter ends.
        with contextlib.suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise ReaderGone from None


class ReaderGone(typer.Exit):
    """Nobody reads standard output any more: the end, and no failure."""

    def __init__(self) -> None:
        super().__init__(0)


class RetryReporter:
    """Tells standard error what is being retried: after a second, then every five."""

    def __init__(self) -> None:
        self._first: float | None = None
        self._last = 0.0

    def __call__(self, message: str) -> None:
        now = time.monotonic()
        if self._first is None or now - self._last > 10 * _REPORT_EVERY_SECONDS:
            self._first = now
            self._last = now - _REPORT_EVERY_SECONDS + _REPORT_AFTER_SECONDS
        if now - self._last >= _REPORT_EVERY_SECONDS:
            self._last = now
            with contextlib.suppress(OSError):
                sys.stderr.write(f"{message}\n")
                sys.stderr.flush()
