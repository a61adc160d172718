"""Running seeds, in processes of their own whose hashes do not differ from run to run."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from tests.simulation.ledger import Violation
from tests.simulation.loop import Unhandled
from tests.simulation.planted import PLANTED, Planted
from tests.simulation.report import EventLog, Report
from tests.simulation.settings import KINDS, Settings, settings_of
from tests.simulation.world import World

SEEN_ELSEWHERE = (
    "slow messages",
    "messages held by a cut",
    "calls or answers lost",
    "calls repeated by the network",
    "proposals lost or unanswered",
    "slow disk jobs",
    "clock skew",
)
"""What faults do, counted where it happens."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run. `violation` is empty when nothing was wrong."""

    seed: int
    report: Report | None
    violation: str
    seconds: float


def run_seed(
    seed: int,
    planted_name: str | None = None,
    log: EventLog | None = None,
    settings: Settings | None = None,
) -> Outcome:
    """One run in this process, which must have PYTHONHASHSEED=0 for the run to be repeatable."""
    planted = named(planted_name) if planted_name else None
    if settings is None:
        settings = settings_of(seed) if planted is None else planted.settings(seed)
    if log is None:
        logging.disable(logging.CRITICAL)
    start = time.process_time()
    report, violation = None, ""
    with nullcontext() if planted is None else planted.planted():
        try:
            report = World(seed, settings, log).run()
        except (Violation, Unhandled) as found:
            violation = str(found)
    gc.collect()
    return Outcome(seed, report, violation, time.process_time() - start)


def named(name: str) -> Planted:
    return next(planted for planted in PLANTED if planted.name == name)


def run_many(
    seeds: Iterable[int], jobs: int, tell: Callable[[int, Outcome], None] | None = None
) -> tuple[Report, list[Outcome]]:
    """The sum of all runs, and those that failed. `tell` hears of each with their number."""
    total, failed = Report(), []
    with _pool(jobs) as pool:
        running = [pool.submit(run_seed, seed) for seed in seeds]
        for number, future in enumerate(as_completed(running), 1):
            outcome = future.result()
            if outcome.report is not None:
                total.add(outcome.report)
            if outcome.violation:
                failed.append(outcome)
            if tell is not None:
                tell(number, outcome)
    return total, sorted(failed, key=lambda outcome: outcome.seed)


def replay(seed: int, path: Path, planted: str | None) -> Outcome:
    """One seed again, with its event log."""
    with _pool(1) as pool:
        return pool.submit(_replay, seed, path, planted).result()


def _replay(seed: int, path: Path, planted: str | None) -> Outcome:
    log = EventLog()
    root = logging.getLogger()
    root.addHandler(log)
    root.setLevel(logging.DEBUG)
    outcome = run_seed(seed, planted, log)
    path.write_text("\n".join(log.lines) + "\n")
    return outcome


def run_planted(
    chosen: Iterable[Planted], jobs: int
) -> Iterator[tuple[Planted, Outcome | None, float]]:
    """Each planted fault with the run that found it, and the CPU seconds that it took."""
    with _pool(jobs) as pool:
        running = [(planted, pool.submit(find_planted, planted.name)) for planted in chosen]
        for planted, future in running:
            found, seconds = future.result()
            yield planted, found, seconds


def find_planted(name: str) -> tuple[Outcome | None, float]:
    """The first of the stated seeds that finds it."""
    seconds = 0.0
    for seed in range(named(name).seeds):
        outcome = run_seed(seed, name)
        seconds += outcome.seconds
        if outcome.violation:
            return outcome, seconds
    return None, seconds


def missing_faults(report: Report) -> list[str]:
    """Kinds of faults that never happened."""
    return [kind for kind in (*KINDS, *SEEN_ELSEWHERE) if not report.faults[kind]]


def table(report: Report, seconds: float) -> str:
    """What happened, for people."""
    lines = [
        f"{'seeds':40} {report.seeds:12,}",
        f"{'virtual hours':40} {report.virtual_s / 3600:12.2f}",
        f"{'seconds':40} {seconds:12.1f}",
        *(f"{name:40} {report.counts[name]:12,}" for name in report.counts),
        "",
        "faults",
        *(f"  {name:38} {report.faults[name]:12,}" for name in sorted(report.faults)),
    ]
    return "\n".join(lines)


def _pool(jobs: int) -> ProcessPoolExecutor:
    os.environ["PYTHONHASHSEED"] = "0"  # of the children: sets of topic ids keep their order
    return ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"))
