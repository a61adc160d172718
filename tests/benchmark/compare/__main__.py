"""`make bench-compare`: Ottla and Apache Kafka on this machine, in alternating rounds.

A round starts each system once and takes every measure from it; the order changes from round to
round. The results go to a JSON file, into which families that are measured alone are merged, and
from it to RESULTS.md.
"""

from __future__ import annotations

import argparse
import itertools
import math
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.benchmark.compare import (
    connections,
    consume,
    fail_over,
    latency,
    partitions,
    produce,
    rebalances,
    starts,
    topics,
    unclean_stop,
)
from tests.benchmark.compare.conditions import conditions
from tests.benchmark.compare.kafka_system import KafkaSystem
from tests.benchmark.compare.ottla_system import OttlaSystem
from tests.benchmark.compare.render import summary, write
from tests.benchmark.compare.samples import KAFKA, OTTLA, Results, load, save
from tests.benchmark.compare.session import Session
from tests.benchmark.compare.system import System

FOLDER = Path(__file__).parents[1]
"""Where RESULTS.md is."""
Family = Callable[[Session], None]
START = "start"
FAMILIES: dict[str, Family] = {
    START: starts.run,
    "produce": produce.run,
    "consume": consume.run,
    "latency": latency.run,
    "connections": connections.run,
    "groups": rebalances.run,
    "fail-over": fail_over.run,
    "unclean-stop": unclean_stop.run,
    "partitions": partitions.run,
    "topics": topics.run,
}
"""In this order on one cluster: what is hot comes first, what breaks it last."""
AIMS: dict[str, Family] = {
    START: starts.run,
    "produce": lambda session: produce.run(session, aims_only=True),
    "consume": consume.run,
    "latency": lambda session: latency.run(session, aims_only=True),
    "fail-over": fail_over.run,
}


class Comparison:
    """Takes `families` from the systems that `make` makes, one at a time; `save` is called after
    every family, so that a run that is ended keeps what it has."""

    def __init__(
        self,
        make: Callable[[str], System],
        families: dict[str, Family],
        systems: Sequence[str],
        save: Callable[[Results], None],
        *,
        is_short: bool = False,
        minutes: float = math.inf,
    ) -> None:
        self.results = Results()
        self._make = make
        self._families = families
        self._systems = systems
        self._save = save
        self._is_short = is_short
        self._ends_at = time.monotonic() + 60 * minutes

    def round(self, number: int) -> None:
        """The order of the systems changes from round to round."""
        for name in self._systems if number % 2 else reversed(self._systems):
            print(f"round {number}, {name}", flush=True)
            self._families_of(name, number)

    def _families_of(self, name: str, number: int) -> None:
        system: System | None = None
        try:
            for family, run in self._families.items():
                began = time.monotonic()
                if began >= self._ends_at:
                    self.results.failures.append(f"{family}: {name}, round {number}: no time left")
                    continue
                if family == START:
                    self._measured(family, run, self._make(name), number)
                    continue
                if system is None:
                    system = self._make(name)
                    system.spawn_all()
                    starts.wait_first_acknowledged(system, "warm")
                if not self._measured(family, run, system, number):
                    # What it left is nobody's: the next family has a cluster of its own.
                    system.close()
                    system = None
                print(f"  ({name}, {family}: {time.monotonic() - began:.0f} s)", flush=True)
        finally:
            if system is not None:
                system.close()
            self._save(self.results)

    def _measured(self, family: str, run: Family, system: System, number: int) -> bool:
        """Whether it could be; why not is printed and kept."""
        try:
            run(Session(system, self.results, number, self._is_short))
            return True
        except Exception as error:
            traceback.print_exc()
            self.results.failures.append(f"{family}: {system.name}, round {number}: {error!r:.300}")
            return False
        finally:
            self._save(self.results)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help=f"of {', '.join(FAMILIES)}")
    parser.add_argument("--aims", action="store_true", help="only what there are aims for")
    parser.add_argument("--systems", default=f"{OTTLA},{KAFKA}", help="or one of them")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=math.inf, help="nothing begins after them")
    parser.add_argument("--short", action="store_true", help="a tenth of the data")
    parser.add_argument("--render", action="store_true", help="RESULTS.md also after a part")
    parser.add_argument("--results", type=Path, default=Path(".bench-compare/results.json"))
    options = parser.parse_args()
    families = AIMS if options.aims else FAMILIES
    names = options.only.split(",") if options.only else [*families]
    if unknown := set(names) - set(families):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    chosen = {name: run for name, run in families.items() if name in names}
    made_under = conditions(options.rounds, is_short=options.short)
    before = load(options.results)

    def keep(newer: Results) -> None:
        newer.conditions = dict.fromkeys(chosen, made_under)
        results = Results.from_json(before.to_json())
        results.replace_families(newer, chosen)
        save(results, options.results)

    with tempfile.TemporaryDirectory(prefix="ottla-compare-") as folder:
        numbers = itertools.count(1)

        def make(name: str) -> System:
            kind = OttlaSystem if name == OTTLA else KafkaSystem
            return kind(Path(folder) / f"{name}-{next(numbers)}")

        comparison = Comparison(
            make,
            chosen,
            options.systems.split(","),
            keep,
            is_short=options.short,
            minutes=options.minutes,
        )
        for number in range(1, options.rounds + 1):
            comparison.round(number)
    for line in summary(load(options.results), chosen):
        print(line)
    print(f"results: {options.results}")
    if options.render or not (options.only or options.aims or options.short):
        print(f"table: {write(load(options.results), FOLDER)}")


if __name__ == "__main__":
    main()
