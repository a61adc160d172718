"""python -m tests.conformance.compatibility [--clients a,b] [--scenarios x,y] [--out FILE]"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import date
from pathlib import Path

from tests.conformance.compatibility.outcomes import Cell, read_known
from tests.conformance.compatibility.program import build, load_clients, places
from tests.conformance.compatibility.report import Column, made_text, page
from tests.conformance.compatibility.run import TableRun, in_order, table_cluster
from tests.conformance.compatibility.scenarios import SCENARIOS
from tests.support.apache_kafka import JARS_VARIABLE

_ERRORS_SHOWN = 1_500


def main() -> int:
    parser = argparse.ArgumentParser(prog="make compatibility")
    parser.add_argument("--clients", help="folders, with commas; all unless told")
    parser.add_argument("--scenarios", help="names, with commas; all unless told")
    parser.add_argument("--out", type=Path, help="where the page goes; not written unless told")
    arguments = parser.parse_args()
    programs = {program.id: program for program in load_clients()}
    known = read_known(programs)
    chosen = _chosen(arguments.clients, list(programs))
    scenarios = _chosen(arguments.scenarios, list(SCENARIOS))
    jars = os.environ.get(JARS_VARIABLE)
    found = places(Path(jars) if jars else None)
    built = {}
    for name in chosen:
        print(f"building {name}", flush=True)
        built[name] = build(programs[name], found)
    columns = [
        Column(name, programs[name].name, programs[name].language, client.version())
        for name, client in built.items()
    ]
    with (
        table_cluster() as cluster,
        TableRun(cluster, built, in_order(chosen, scenarios), known, _tell) as run,
    ):
        cells = {key: future.result() for key, future in run.cells.items()}
    if arguments.out:
        arguments.out.write_text(page(columns, cells, made_text(date.today())), "utf-8")
    surprises = [cell for cell in cells.values() if not cell.outcome.is_expected]
    print(f"{len(cells)} cells, {len(surprises)} that were not expected")
    return 1 if surprises else 0


def _chosen(named: str | None, every: list[str]) -> list[str]:
    names = named.split(",") if named else every
    if unknown := set(names) - set(every):
        sys.exit(f"no such client or scenario: {', '.join(sorted(unknown))}")
    return names


def _tell(cell: Cell) -> None:
    said = f"{cell.client} {cell.scenario}: {cell.outcome.value}"
    if cell.verdict is not None:
        said += f" in {cell.verdict.seconds:.1f} s: {cell.verdict.detail}"
        if not cell.outcome.is_expected:
            said += "\n" + cell.verdict.errors[-_ERRORS_SHOWN:]
    print(said, flush=True)


if __name__ == "__main__":
    sys.exit(main())
