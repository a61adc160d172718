"""`make simulate`: many seeds, a table of what happened, and what was found."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.simulation.campaign import Outcome, missing_faults, replay, run_many, run_planted, table
from tests.simulation.planted import PLANTED


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many, from --first on")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, help="this one alone, with its event log")
    parser.add_argument("--log", type=Path, default=Path("simulation.log"), metavar="FILE")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument(
        "--planted", nargs="?", const="", metavar="NAME", help="find the planted faults instead"
    )
    options = parser.parse_args(arguments)
    if options.seed is not None:
        return _replay(options.seed, options.log, options.planted)
    if options.planted is not None:
        return _planted(options.planted, options.jobs)
    return _many(range(options.first, options.first + options.seeds), options.jobs)


def _replay(seed: int, log: Path, planted: str | None) -> int:
    outcome = replay(seed, log, planted or None)
    print(f"seed {seed}: {outcome.violation or 'nothing is wrong'}\nevents: {log}")
    return 1 if outcome.violation else 0


def _many(seeds: range, jobs: int) -> int:
    start = time.monotonic()

    def tell(done: int, outcome: Outcome) -> None:
        if outcome.violation:
            print(f"\nseed {outcome.seed}: {outcome.violation}", flush=True)
            print(f"  again, with events: make simulate SEED={outcome.seed}", flush=True)
        elif sys.stdout.isatty():
            print(f"\r{done} of {len(seeds)} seeds", end="", flush=True)

    report, failed = run_many(seeds, jobs, tell)
    print()
    print(table(report, time.monotonic() - start))
    missing = missing_faults(report)
    if missing:
        print(f"never happened: {', '.join(missing)}: take more seeds")
    print(f"{len(failed)} of {len(seeds)} seeds failed")
    return 1 if failed or missing else 0


def _planted(name: str, jobs: int) -> int:
    chosen = [planted for planted in PLANTED if name in planted.name]
    print(f"{'planted fault':36} {'found in seed':>13} {'of':>4} {'CPU s':>6}  what was found")
    lost = 0
    for planted, found, seconds in run_planted(chosen, jobs):
        if found is None:
            lost += 1
            print(f"{planted.name:36} {'-':>13} {planted.seeds:4} {seconds:6.1f}  NOT FOUND")
        else:
            text = found.violation.splitlines()[0]
            print(f"{planted.name:36} {found.seed:13} {planted.seeds:4} {seconds:6.1f}  {text}")
    print(f"{len(chosen) - lost} of {len(chosen)} found")
    return 1 if lost else 0


if __name__ == "__main__":
    raise SystemExit(main())
