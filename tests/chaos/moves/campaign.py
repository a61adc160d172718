"""A loaded topic moves from brokers 1-3 to 2-4 and back, throttled; brokers are killed meanwhile.

On the way out it is broker 3 that is killed, which sends; on the way back broker 1, which takes.
What must hold is said by `Leg.faults` and `Result.faults`; an empty list is a clean run.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ottla.client.admin import Admin
from ottla.client.configs import ConfigResource, ResourceKind
from ottla.testing import Cluster
from tests.chaos.moves.counted import EVERY_SECONDS, RECEIVED, WINDOW_SECONDS, Counted
from tests.chaos.moves.load import VALUE, Delivered, Load, missing_or_moved

TOPIC = "loaded"
BROKERS = (1, 2, 3, 4)
HOME, AWAY = (1, 2, 3), (2, 3, 4)
DOWN_SECONDS = 2.0
KILLED_AT = 0.4
"""Of what is to move."""
LATE_SECONDS_MAX = 2.5
"""How old a line of progress may be: every broker has answered by then, or has not in 2 s."""
LEG_SECONDS_MAX = 900.0
FAST, FAST_MEAN = 1.4, 1.15
"""Times the rate asked, in the busiest window and on the whole: the burst of a second at the start,
and what is under way from three leaders."""
OTTLA = str(Path(sys.executable).with_name("ottla"))
_SHOWN = re.compile(r"\]\s+\d+%\s+([\d.]+) (B|kB|MB|GB) of")
_UNITS = {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9}


@dataclass
class Leg:
    """One way; bytes, seconds."""

    name: str
    rate: int
    takes: int
    """The broker that is added."""
    killed: int
    seconds: float = 0.0
    said: int = 0
    """Bytes moved, as `ottla reassign apply` says in the end."""
    throttled: float = 0.0
    """Bytes that the added replicas took until they were in sync."""
    received: float = 0.0
    """Bytes that they took in all; in sync too, until the whole move had ended."""
    on_disk: int = 0
    """Bytes of their logs then."""
    taken_mean: float = 0.0
    taken_fastest: float = 0.0
    sent_fastest: float = 0.0
    worst_progress: float = 0.0
    """The most by which a line of progress differed from what was counted then."""
    progress_lines: int = 0
    leftovers: list[str] = field(default_factory=list)

    @property
    def slack(self) -> float:
        """What may have been counted between the last look and a kill, and what is on its way."""
        return 4 * EVERY_SECONDS * self.rate

    def faults(self) -> list[str]:
        found = [f"{self.name}: {text}" for text in self.leftovers]
        for what, fastest in (("taken", self.taken_fastest), ("sent", self.sent_fastest)):
            if fastest > FAST * self.rate:
                found.append(f"{self.name}: {fastest:,.0f} bytes a second were {what}")
        if not 0.5 * self.rate < self.taken_mean < FAST_MEAN * self.rate:
            found.append(
                f"{self.name}: {self.taken_mean:,.0f} bytes a second were taken on the whole"
            )
        slack = self.slack
        if not self.throttled - slack <= self.said <= self.received + slack:
            found.append(
                f"{self.name}: {self.said:,} bytes said, {self.throttled:,.0f} to "
                f"{self.received:,.0f} counted"
            )
        if abs(self.received - self.on_disk) > slack:
            found.append(
                f"{self.name}: {self.received:,.0f} bytes counted, {self.on_disk:,} on the disk"
            )
        if not self.progress_lines:
            found.append(f"{self.name}: no progress was shown")
        elif self.worst_progress > slack + LATE_SECONDS_MAX * self.rate:
            found.append(f"{self.name}: progress was wrong by {self.worst_progress:,.0f} bytes")
        return found


@dataclass
class Result:
    """A campaign that ended."""

    partitions: int
    bytes_before: int
    legs: list[Leg]
    delivered: Delivered
    wrong: list[str]
    seconds: float

    def faults(self) -> list[str]:
        found = [fault for leg in self.legs for fault in leg.faults()]
        found += self.delivered.failures[:10] + self.delivered.out_of_order[:10] + self.wrong[:10]
        return found


def run(
    *, partitions: int, records: int, per_second: int, rate: int, say: Callable[[str], None]
) -> Result:
    """`records` are in each partition before the first move, `per_second` come in all."""
    began_s = time.monotonic()
    with Cluster(brokers=len(BROKERS)) as cluster:
        with Admin(cluster.bootstrap) as admin:
            admin.create_topic(TOPIC, partitions=partitions, replication_factor=3)
        folder = Path(cluster.directory)
        _apply(cluster, _plan(cluster, folder, HOME))
        load = Load(cluster.bootstrap, TOPIC, partitions, per_second)
        load.fill(records)
        before = _size(cluster, HOME[0])
        say(f"{before / 1e6:.0f} MB in {partitions} partitions; the load begins")
        load.start()
        legs = []
        for name, home, takes, killed in (("out", AWAY, 4, 3), ("back", HOME, 1, 1)):
            leg = Leg(name, rate, takes, killed)
            legs.append(leg)
            _move(cluster, folder, leg, home, say)
        load.stop()
        say("the load has ended; everything is read")
        wrong = missing_or_moved(cluster.bootstrap, TOPIC, load.delivered.acknowledged)
        spent_s = time.monotonic() - began_s
        return Result(partitions, before, legs, load.delivered, wrong, spent_s)


def _move(
    cluster: Cluster, folder: Path, leg: Leg, home: tuple[int, ...], say: Callable[[str], None]
) -> None:
    plan = _plan(cluster, folder, home)
    expected = sum(change["bytes_to_move"] for change in json.loads(_shown(cluster, home)))
    counted = Counted(cluster, BROKERS, TOPIC)
    counted.start()
    began_s = time.monotonic()
    with subprocess.Popen(
        [
            *(OTTLA, "reassign", "apply", str(plan), "--throttle", f"{leg.rate}B/s", "--json"),
            *("--bootstrap", cluster.bootstrap),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as applying:
        shown: list[tuple[float, str]] = []
        reader = threading.Thread(target=_note_lines, args=(applying, shown), daemon=True)
        reader.start()
        try:
            deadline = began_s + LEG_SECONDS_MAX
            while (
                counted.of(leg.takes, "follower") < KILLED_AT * expected and applying.poll() is None
            ):
                assert time.monotonic() < deadline, "it does not come to be killed"
                time.sleep(0.05)
            counted.look([leg.killed])  # its counts go with it
            cluster.kill(leg.killed)
            say(f"{leg.name}: broker {leg.killed} was killed")
            time.sleep(DOWN_SECONDS)
            cluster.start(leg.killed)
            applying.wait(LEG_SECONDS_MAX)
        finally:
            applying.kill()
        reader.join(5)
        leg.seconds = time.monotonic() - began_s
        assert applying.stdout is not None
        output = applying.stdout.read()
    leg.on_disk = _size(cluster, leg.takes)
    counted.stop()
    if applying.returncode != 0:
        leg.leftovers.append(f"apply failed: {[line for _, line in shown[-3:]]}")
    else:
        leg.said = json.loads(output)["bytes_moved"]
    leg.throttled = counted.of(leg.takes, "follower")
    leg.received = counted.of(leg.takes, RECEIVED)
    leg.taken_mean = counted.mean(leg.takes, "follower")
    leg.taken_fastest = max(counted.fastest(b, "follower") for b in BROKERS)
    leg.sent_fastest = max(counted.fastest(b, "leader") for b in BROKERS)
    for when_s, line in shown:
        if (match := _SHOWN.search(line)) is not None:
            there = float(match[1]) * _UNITS[match[2]]
            leg.progress_lines += 1
            least = counted.of(leg.takes, "follower", when_s)
            most = counted.of(leg.takes, RECEIVED, when_s)
            leg.worst_progress = max(leg.worst_progress, least - there, there - most)
    leg.leftovers += _leftovers(cluster, home)
    say(f"{leg.name}: {leg.said / 1e6:.0f} MB in {leg.seconds:.0f} s")


def _note_lines(applying: subprocess.Popen[str], shown: list[tuple[float, str]]) -> None:
    assert applying.stderr is not None
    for line in applying.stderr:
        shown.append((time.monotonic(), line.strip()))


def _leftovers(cluster: Cluster, home: tuple[int, ...]) -> list[str]:
    """What a move must not leave behind."""
    found = []
    with Admin(cluster.bootstrap) as admin:
        for partition in admin.describe_topic(TOPIC).partitions:
            if {*partition.replicas} != {*home}:
                found.append(f"partition {partition.index} is on {partition.replicas}")
        resources = [ConfigResource(ResourceKind.BROKER, str(b)) for b in BROKERS]
        for resource in (*resources, ConfigResource(ResourceKind.TOPIC, TOPIC)):
            found += [
                f"{resource} has {entry.name}={entry.value}"
                for entry in admin.describe_configs(resource)
                if "throttled" in entry.name and not entry.is_default
            ]
        if admin.list_reassignments():
            found.append("something is under way still")
    if json.loads(_shown(cluster, home)):
        found.append("the plan for what was just balanced is not empty")
    return found


def _size(cluster: Cluster, broker_id: int) -> int:
    with Admin(cluster.bootstrap) as admin:
        (directories,) = admin.describe_log_directories([broker_id]).values()
    return sum(
        size for one in directories for (topic, _), size in one.sizes.items() if topic == TOPIC
    )


def _plan_command(cluster: Cluster, home: tuple[int, ...]) -> list[str]:
    ids = ",".join(map(str, home))
    command = [OTTLA, "reassign", "plan", "--topic", TOPIC, "--brokers", ids, "--json"]
    return [*command, "--bootstrap", cluster.bootstrap]


def _shown(cluster: Cluster, home: tuple[int, ...]) -> str:
    return subprocess.run(
        _plan_command(cluster, home), check=True, capture_output=True, text=True
    ).stdout


def _plan(cluster: Cluster, folder: Path, home: tuple[int, ...]) -> Path:
    file = folder / "plan.json"
    subprocess.run(
        [*_plan_command(cluster, home), "--out", str(file)], check=True, stdout=subprocess.DEVNULL
    )
    return file


def _apply(cluster: Cluster, plan: Path) -> None:
    command = [OTTLA, "reassign", "apply", str(plan), "--bootstrap", cluster.bootstrap]
    subprocess.run(command, check=True, capture_output=True)


def table(result: Result) -> str:
    """Markdown."""
    megabyte = 1e6
    rows = [
        "| | " + " | ".join(f"{leg.name}" for leg in result.legs) + " |",
        "|---" * (1 + len(result.legs)) + "|",
    ]

    def row(what: str, of: Callable[[Leg], str]) -> None:
        rows.append(f"| {what} | " + " | ".join(of(leg) for leg in result.legs) + " |")

    row("broker added", lambda leg: str(leg.takes))
    row("broker killed with SIGKILL, back after 2 s", lambda leg: str(leg.killed))
    row("duration, s", lambda leg: f"{leg.seconds:.0f}")
    row("MB moved, as `apply` says", lambda leg: f"{leg.said / megabyte:.1f}")
    row(
        "MB that the broker added counted: until in sync",
        lambda leg: f"{leg.throttled / megabyte:.1f}",
    )
    row("and in all, until the end", lambda leg: f"{leg.received / megabyte:.1f}")
    row("MB on its disk then", lambda leg: f"{leg.on_disk / megabyte:.1f}")
    row("throttle asked, MB/s", lambda leg: f"{leg.rate / megabyte:.2f}")
    row("taken by the broker added, MB/s, mean", lambda leg: f"{leg.taken_mean / megabyte:.2f}")
    row(
        f"the most that a broker took in {WINDOW_SECONDS:.0f} s, MB/s",
        lambda leg: f"{leg.taken_fastest / megabyte:.2f}",
    )
    row("the most that one sent", lambda leg: f"{leg.sent_fastest / megabyte:.2f}")
    row("lines of progress", lambda leg: str(leg.progress_lines))
    row(
        "the worst of them, MB off what was counted by then",
        lambda leg: f"{leg.worst_progress / megabyte:.1f}",
    )
    delivered = result.delivered
    faults = result.faults()
    return "\n".join(
        [
            *rows,
            "",
            f"{result.partitions} partitions with {result.bytes_before / megabyte:.0f} MB before "
            f"the first move; {sum(delivered.acknowledged):,} records of {len(VALUE):,} bytes "
            f"acknowledged with acks=all, {len(delivered.failures)} failed; "
            f"{len(result.wrong)} missing, repeated or out of order. The longest time without an "
            f"acknowledgement {delivered.longest_gap_s:.1f} s, the slowest record "
            f"{delivered.slowest_s:.1f} s. {result.seconds:.0f} s in all.",
            "",
            *([f"- {fault}" for fault in faults] or ["Nothing was wrong."]),
        ]
    )
