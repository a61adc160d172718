"""The disks of stopped brokers: whether replicas are the same bytes, read without any code of the
server, and all that `ottla log verify` checks.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.chaos.checker import Kind, Violation

_SHOWN_BYTES = 16


def compare(directories: Sequence[Path], partitions: Mapping[str, int]) -> list[Violation]:
    """Differences between the log directories of stopped brokers that were all in sync.

    Followers take batches as they are, so that the segments of a partition, one after the other,
    are the same bytes on each of its replicas, wherever each of them rolls. Topics that are
    compacted or lose old segments cannot be compared so.
    """
    found: list[Violation] = []
    for topic, count in partitions.items():
        for partition in range(count):
            folders = [directory / f"{topic}-{partition}" for directory in directories]
            found += compare_replicas(
                (topic, partition), {str(f): _content(f) for f in folders if f.is_dir()}
            )
    return found


def verify(directories: Sequence[Path]) -> list[Violation]:
    """What `ottla log verify` calls an error, in the logs of any topic."""
    command = Path(sys.executable).with_name("ottla")
    done = subprocess.run(
        [command, "log", "verify", *directories], capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return []
    told = [line for line in done.stdout.splitlines() if "error" in line or "differ" in line]
    return [Violation(Kind.DAMAGED, ("disks", -1), line) for line in told or [done.stderr]]


def compare_replicas(place: tuple[str, int], replicas: Mapping[str, bytes]) -> list[Violation]:
    """`replicas`: what each holds, by its name; all should be the same as the first."""
    if not replicas:
        return [Violation(Kind.DIVERGED, place, "no replica is on any disk")]
    (name, content), *others = replicas.items()
    found = []
    for other_name, other in others:
        if other == content:
            continue
        at = next(
            (n for n, (a, b) in enumerate(zip(content, other, strict=False)) if a != b),
            min(len(content), len(other)),
        )
        found.append(
            Violation(
                Kind.DIVERGED,
                place,
                f"{name} ({len(content)} bytes) and {other_name} ({len(other)} bytes) differ from "
                f"byte {at} on: {content[at : at + _SHOWN_BYTES].hex()} and "
                f"{other[at : at + _SHOWN_BYTES].hex()}",
            )
        )
    return found


def _content(folder: Path) -> bytes:
    """All segments in the order of their base offsets, which are their names."""
    return b"".join(file.read_bytes() for file in sorted(folder.glob("*.log")))
