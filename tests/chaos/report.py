"""What a campaign is told as: a table by kind of fault, JSON, and files to look into afterwards."""

from __future__ import annotations

import json
import re
import statistics
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.availability import Injury, longest_gap
from tests.chaos.checker import Kind, Violation
from tests.chaos.history import (
    Commit,
    GroupHistory,
    Observation,
    Place,
    Resume,
    TopicHistory,
    key_and_number,
)


@dataclass
class Row:
    """One kind of fault: how often, what was acknowledged and lost while it held, and, by fault,
    the longest time that some partition could not be written until the cluster was whole again.
    Faults that overlap share what they did."""

    times: int = 0
    seconds: float = 0.0
    acknowledged: int = 0
    lost: int = 0
    unavailable_seconds: list[float] = field(default_factory=list)


@dataclass
class Result:
    """A campaign that ended. `failure`: why it could not go on."""

    seed: int
    seconds: float
    where: str
    rounds: int = 0
    sent: int = 0
    acknowledged: int = 0
    read: int = 0
    commits: int = 0
    assignments: int = 0
    skipped: int = 0
    topics_churned: int = 0
    load: float = 1.0
    rows: dict[str, Row] = field(default_factory=dict)
    violations: list[Violation] = field(default_factory=list)
    failure: str | None = None
    logs: str = ""

    @property
    def is_clean(self) -> bool:
        return not self.violations and self.failure is None

    def as_json(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "violations": [
                {"kind": v.kind.value, "place": v.place, "detail": v.detail, "at": v.at}
                for v in self.violations
            ],
        }


def rows_of(
    injuries: Sequence[Injury],
    times: Mapping[Place, Sequence[float]],
    patient: Collection[Place],
    violations: Sequence[Violation],
) -> dict[str, Row]:
    """By kind of fault. `times`: acknowledgements of each partition, in order; for how long they
    were unavailable is told by those that are `patient`."""
    rows: dict[str, Row] = defaultdict(Row)
    lost = [v.at for v in violations if v.kind is Kind.LOST and v.at is not None]
    for injury in injuries:
        healed_at = injury.healed_at if injury.healed_at is not None else injury.began_at
        row = rows[injury.kind]
        row.times += 1
        row.seconds += healed_at - injury.began_at
        row.lost += sum(injury.began_at <= at <= healed_at for at in lost)
        row.acknowledged += sum(
            bisect_left(each, healed_at) - bisect_left(each, injury.began_at)
            for each in times.values()
        )
        window = (injury.began_at, injury.whole_at or healed_at)
        row.unavailable_seconds.append(
            max((longest_gap(times[place], window) for place in patient), default=0.0)
        )
    return dict(rows)


def table(rows: Mapping[str, Row]) -> str:
    """A line a kind."""
    lines = [
        f"{'fault':<23}{'times':>6}{'held s':>9}{'acknowledged':>14}{'lost':>6}"
        f"{'unavailable s: median':>23}{'worst':>8}"
    ]
    for name, row in sorted(rows.items()):
        gaps = row.unavailable_seconds or [0.0]
        lines.append(
            f"{name:<23}{row.times:>6}{row.seconds:>9.1f}{row.acknowledged:>14,}{row.lost:>6}"
            f"{statistics.median(gaps):>23.2f}{max(gaps):>8.2f}"
        )
    return "\n".join(lines)


def summary(result: Result) -> str:
    """A few sentences and, where something is wrong, the first of each kind of violation."""
    lines = [
        f"{result.rounds} rounds, {sum(r.times for r in result.rows.values())} faults "
        f"({result.skipped} left out); {result.sent:,} messages sent, {result.acknowledged:,} "
        f"acknowledged, {result.read:,} read; {result.commits:,} commits in {result.assignments} "
        f"assignments; {result.topics_churned} topics made, grown or deleted; load at most "
        f"{result.load:.1f} a core",
        result.logs,
    ]
    if result.is_clean:
        lines.append("nothing lost, moved, duplicated, reordered, phantom or unavailable too long")
    counts = Counter(violation.kind for violation in result.violations)
    for kind, count in counts.items():
        shown = [str(v) for v in result.violations if v.kind is kind][:3]
        lines += [f"VIOLATED {kind.value}: {count}", *(f"    {line}" for line in shown)]
    if result.failure is not None:
        lines.append(f"FAILED: {result.failure}")
    return "\n".join(lines)


def told_by_logs(logs: Sequence[str]) -> str:
    """What the nodes say about themselves: changes in office, fences, loops that stood still."""
    text = "".join(logs)
    stalls = [int(ms) for ms in re.findall(r"the event loop stood still for (\d+) ms", text)]
    return (
        f"{text.count('active controller, epoch')} times a controller took office; fenced "
        f"{text.count('is dead: fence it')} times as dead and "
        f"{text.count('was not heard of: fence it')} times by lease; "
        f"{len(stalls)} stalls of a loop, the longest {max(stalls, default=0)} ms"
    )


def write_history(
    folder: Path,
    topics: Sequence[TopicHistory],
    group: GroupHistory,
    injuries: Sequence[Injury],
    result: Result,
) -> None:
    """Files for who looks for the cause; times are those of the faults, monotonic seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result.json").write_text(json.dumps(result.as_json(), indent=1))
    (folder / "violations.txt").write_text("".join(f"{v.at} {v}\n" for v in result.violations))
    (folder / "faults.txt").write_text(
        "".join(
            f"{i.began_at:.3f} {i.healed_at or 0.0:.3f} {i.kind}: {i.about}\n" for i in injuries
        )
    )
    told: list[tuple[float, str, Commit | Resume | Observation]] = [
        *(
            (commit.at, f"commit {'acknowledged' if commit.is_acknowledged else 'failed'}", commit)
            for commit in group.commits
        ),
        *((resume.at, "assigned, resumed", resume) for resume in group.resumes),
        *((seen.at, f"told, asked at {seen.asked_at:.3f}", seen) for seen in group.observations),
    ]
    (folder / "group.txt").write_text(
        "".join(
            f"{at:.3f} {event.place[0]}-{event.place[1]} {event.offset} {what}\n"
            for at, what, event in sorted(told, key=lambda each: each[0])
        )
    )
    for topic in topics:
        with open(folder / f"{topic.name}-acknowledged.txt", "w") as file:
            for ack in topic.acks:
                key, number = key_and_number(ack.identity)
                file.write(f"{ack.at:.3f} {ack.partition}@{ack.offset} {key}/{number}\n")
        for (reader, partition), reads in topic.reads.items():
            with open(folder / f"{topic.name}-{partition}-{reader}.txt", "w") as file:
                for offset, identity in zip(reads.offsets, reads.identities, strict=False):
                    key, number = key_and_number(identity)
                    file.write(f"{offset} {key}/{number}\n")
