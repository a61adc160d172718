"""`ottla log verify` and `ottla log dump`: looking at logs offline, without changing anything.

Exit codes: 0 fine, 1 problems found, 2 wrong usage.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from ottla.cli.common import JsonOption
from ottla.cli.output import fail, flush, print_json, print_table, say, write
from ottla.core.errors import ConfigError

if TYPE_CHECKING:
    from storage.inspection.places import LogFolder, Place

app = typer.Typer(no_args_is_help=True)

PROBLEMS_FOUND = 1
_PROGRESS_EVERY_SECONDS = 2.0


@app.callback()
def log() -> None:
    """Check and show logs on disk, offline."""


@app.command()
def verify(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="DIR…", help="Log directories (log.dirs), or folders of partitions in them."
        ),
    ],
    deep: Annotated[
        bool, typer.Option("--deep", help="Decompress every batch and walk over its records.")
    ] = False,
    compare: Annotated[
        bool,
        typer.Option(
            "--compare",
            help="Compare logs of the same name, or the folders given, whatever their topic ids.",
        ),
    ] = False,
    no_gaps: Annotated[
        bool,
        typer.Option("--no-gaps", help="Missing offsets are an error: nothing was compacted."),
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Check logs: batches, CRCs, indexes, epochs and producers; compare replicas.

    Nothing is changed and no lock is taken; it also works beside a running broker and on a mount
    that is read-only. Directories of several brokers may be given: the replicas of a partition are
    then compared batch by batch. What a crash may leave is a warning, and says what the next start
    does; exit code 1 means that there is an error.

    Examples:

      ottla log verify .ottla/node-1/log

      ottla log verify --deep .ottla/node-*/log

      ottla log verify .ottla/node-1/log/orders-0 --json
    """
    from storage.inspection import show
    from storage.inspection.compare import all_together, by_name, by_topic_id, compare_replicas
    from storage.inspection.directory_check import check_places
    from storage.inspection.log_check import CheckOptions
    from storage.inspection.places import find_places
    from storage.vfs import OsVfs

    vfs = OsVfs()
    try:
        places = find_places(vfs, paths)
        progress = _Progress(places)
        options = CheckOptions(deep=deep, gaps_allowed=not no_gaps)
        directories = check_places(
            vfs, places, options, on_log=progress.log, progress=progress.read
        )
        group_of = by_topic_id
        if compare:
            group_of = by_name if any(place.whole for place in places) else all_together
        comparisons = compare_replicas(
            vfs, directories, group_of=group_of, on_log=progress.compared
        )
    except ConfigError as error:
        raise typer.BadParameter(str(error)) from None
    except OSError as error:
        fail(_sentence(error))
        raise typer.Exit(PROBLEMS_FOUND) from None
    if json_output:
        print_json(
            {
                "directories": [directory.as_json() for directory in directories],
                "comparisons": [comparison.as_json() for comparison in comparisons],
            }
        )
    else:
        for directory in directories:
            say(show.directory_line(directory))
            if directory.logs:
                print_table(show.COLUMNS, show.table_rows(directory))
            for findings in [directory.findings, *(log.findings for log in directory.logs)]:
                for line in show.finding_lines(findings):
                    say(line)
        for comparison in comparisons:
            say(comparison.sentence())
        say(show.summary(directories, sum(c.differs for c in comparisons)))
    errors = sum(
        d.findings.errors + sum(log.findings.errors for log in d.logs) for d in directories
    )
    if errors or any(comparison.differs for comparison in comparisons):
        raise typer.Exit(PROBLEMS_FOUND)


@app.command()
def dump(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE…",
            help="Files ending in .log, .index, .timeindex or .txnindex; with --checkpoints: "
            "folders of partitions, or log directories.",
        ),
    ],
    records: Annotated[
        bool, typer.Option("--records", help="Print the records of each batch as well.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Keys and values at full length; with --json always.")
    ] = False,
    from_offset: Annotated[
        int, typer.Option("--from", min=0, metavar="OFFSET", help="Begin here.")
    ] = 0,
    max_rows: Annotated[
        int | None,
        typer.Option(
            "--max", "-n", min=0, metavar="N", help="So many batches, entries, or records a file."
        ),
    ] = None,
    checkpoints: Annotated[
        bool,
        typer.Option(
            "--checkpoints", help="What is remembered of logs: points, epochs, producers."
        ),
    ] = False,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print a JSON object in each line.")
    ] = False,
) -> None:
    """Print what is in the files of a log.

    Examples:

      ottla log dump .ottla/node-1/log/orders-0/00000000000000000000.log

      ottla log dump --records --from 42 --max 1 .ottla/node-1/log/orders-0/*.log

      ottla log dump --checkpoints .ottla/node-1/log/orders-0
    """
    from storage.inspection.checkpoint_rows import dump_checkpoints
    from storage.inspection.dump import DumpError, dump_file
    from storage.inspection.rows import row_json, row_text
    from storage.vfs import OsVfs

    vfs = OsVfs()
    sound = True
    for path in paths:
        try:
            if checkpoints:
                rows = dump_checkpoints(vfs, path)
            else:
                rows = dump_file(
                    vfs, path, from_offset=from_offset, max_rows=max_rows, records=records
                )
                if len(paths) > 1 and not json_output:
                    say(f"{path}:")
            for row in rows:
                sound = sound and row.get("crc_ok", True)
                shown = row_json(row) if json_output else row_text(row, full=full)
                write(shown.encode("utf-8", "replace") + b"\n")
        except ConfigError as error:
            raise typer.BadParameter(str(error)) from None
        except (DumpError, OSError) as error:
            flush()
            fail(_sentence(error))
            sound = False
    flush()
    if not sound:
        raise typer.Exit(PROBLEMS_FOUND)


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)


class _Progress:
    """One line to standard error every two seconds, for directories that take long."""

    def __init__(self, places: list[Place]) -> None:
        self._total = sum(len(place.logs) for place in places)
        self._logs = 0
        self._bytes = 0
        self._current = ""
        self._due = time.monotonic() + _PROGRESS_EVERY_SECONDS

    def log(self, folder: LogFolder) -> None:
        self._logs += 1
        self._current = folder.path
        self.read(0)

    def compared(self, name: str) -> None:
        self._current = f"comparing {name}"
        self.read(0)

    def read(self, count: int) -> None:
        self._bytes += count
        now = time.monotonic()
        if now >= self._due:
            self._due = now + _PROGRESS_EVERY_SECONDS
            done = f"{self._logs} of {self._total} logs, {self._bytes / 1e6:.0f} MB"
            sys.stderr.write(f"{done}: {self._current}\n")
            sys.stderr.flush()
