"""Carrying a plan out: throttle, begin, watch the bytes arrive, take the throttle away.

It may be ended at any time, and begun again: what is under way goes on in the cluster, and what is
done already is found so.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from ottla.cli.cluster_places import latest_sizes
from ottla.cli.move_throttle import MoveThrottle
from ottla.cli.output import say
from ottla.core.errors import ProtocolError
from ottla.reassignment.amounts import bytes_text, time_text
from ottla.reassignment.progress import Copying, Measure, Pace

if TYPE_CHECKING:
    from ottla.client.admin import Admin
    from ottla.reassignment.plan_file import Targets

POLL_SECONDS: Final = 0.5
LINE_EVERY_SECONDS: Final = 5.0
"""Of progress, where standard error is no terminal."""
LAST_LOOKS_MAX: Final = 10
"""When all has ended and a broker does not tell what it has."""
_BAR: Final = 30


def carry_out(admin: Admin, targets: Targets, rate: int | None) -> int:
    """Move partitions to their targets and wait; how many bytes were copied. Progress goes to
    standard error."""
    before = _replicas(admin, targets)
    moving = {key: target for key, target in targets.items() if before[key] != target}
    ongoing = {(one.topic, one.index): one for one in admin.list_reassignments()}
    copying = []
    for (topic, index), target in moving.items():
        one = ongoing.get((topic, index))
        original = before[topic, index]
        if one is not None:
            original = tuple(b for b in one.replicas if b not in one.adding)
        adding = tuple(b for b in target if b not in original)
        copying.append(Copying(topic, index, adding, original))
    throttle = MoveThrottle(admin, targets)
    if rate is not None:
        throttle.begin(copying, rate)
    wanted = {key: target for key, target in moving.items() if not _is_begun(ongoing, key, target)}
    if wanted:
        try:
            admin.alter_reassignments(wanted)
        except ProtocolError:
            throttle.end()
            raise
    done = _watch(admin, copying)
    throttle.end()
    return done


def _is_begun(
    ongoing: Mapping[tuple[str, int], object], key: tuple[str, int], target: object
) -> bool:
    return getattr(ongoing.get(key), "target", None) == target


def _replicas(admin: Admin, targets: Targets) -> dict[tuple[str, int], tuple[int, ...]]:
    """What each partition has now. ProtocolError for a topic that is not there."""
    topics = admin.describe_topics(sorted({topic for topic, _ in targets}))
    found = {(t.name, p.index): p.replicas for t in topics for p in t.partitions}
    return {key: found.get(key, ()) for key in targets}


# ---- progress


def _watch(admin: Admin, copying: list[Copying]) -> int:
    """Until none of them is under way any more."""
    measures = [Measure(one) for one in copying]
    keys = {one.key for one in copying}
    pace = Pace()
    sizes: dict[int, dict[tuple[str, int], int]] = {}
    looks_left = LAST_LOOKS_MAX
    with _progress_line() as show:
        while True:
            open_keys = keys & {(one.topic, one.index) for one in admin.list_reassignments()}
            live = [b.broker_id for b in admin.describe_cluster().brokers if not b.fenced]
            answered = latest_sizes(admin, live, sizes)
            for measure in measures:
                measure.note(sizes, answered, is_open=measure.copying.key in open_keys)
            there = sum(measure.there for measure in measures)
            whole = sum(measure.whole for measure in measures)
            pace.note(there, int(time.monotonic() * 1_000))
            show(_line(there, whole, len(keys) - len(open_keys), len(keys), pace))
            if not open_keys:
                looks_left -= 1
                if looks_left == 0 or all(measure.is_measured for measure in measures):
                    return there
            time.sleep(POLL_SECONDS)


def _line(there: int, whole: int, ended: int, count: int, pace: Pace) -> str:
    share = 1.0 if whole == 0 and ended == count else there / whole if whole else 0.0
    filled = round(share * _BAR)
    rate = pace.bytes_per_second
    left = pace.seconds_left(whole - there)
    speed = "" if not rate else f"  {bytes_text(rate)}/s"
    rest = "" if ended == count else f"  {time_text(left)} left"
    return (
        f"[{'#' * filled}{'.' * (_BAR - filled)}] {share:4.0%}  {bytes_text(there)} of "
        f"{bytes_text(whole)}{speed}{rest}  {ended} of {count} partitions done"
    )


class _Show:
    """Over the last line on a terminal, else a line now and then."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()
        self._width = 0
        self._next = 0.0
        self._last = ""

    def __call__(self, line: str) -> None:
        self._last = line
        if self._is_terminal:
            sys.stderr.write("\r" + line.ljust(self._width))
            self._width = len(line)
        elif time.monotonic() >= self._next:
            self._next = time.monotonic() + LINE_EVERY_SECONDS
            sys.stderr.write(line + "\n")
            self._last = ""
        sys.stderr.flush()

    def end(self) -> None:
        sys.stderr.write("\n" if self._is_terminal else f"{self._last}\n" if self._last else "")
        sys.stderr.flush()


@contextlib.contextmanager
def _progress_line() -> Iterator[_Show]:
    show = _Show()
    try:
        yield show
    except KeyboardInterrupt:
        show.end()
        say("The cluster goes on by itself; the same command again shows how far it is.")
        raise
    else:
        show.end()
