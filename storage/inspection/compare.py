"""Comparing the replicas of a partition batch by batch, up to the smaller log end.

Followers take batches as they are, so that replicas are the same bytes wherever both have them,
whatever segments they lie in. Two things may differ and are no fault: what compaction did, which
each replica does on its own (then see `last_values`), and the tail above the high watermark, which
a replica cuts when it follows the leader again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, TypeAlias

from ottla.core.errors import DecodeError
from storage.inspection.batches import StoredBatch
from storage.inspection.last_values import first_disagreement
from storage.inspection.replica import replica_batches
from storage.inspection.report import DirectoryReport, LogReport
from storage.vfs import Vfs

_FIELDS = (
    "base_offset",
    "last_offset_delta",
    "leader_epoch",
    "crc",
    "size",
    "attributes",
    "base_timestamp",
    "max_timestamp",
    "producer_id",
    "producer_epoch",
    "base_sequence",
    "record_count",
)


@dataclass(frozen=True, slots=True)
class Difference:
    """The first batch that is not the same. `places`: path and position in each replica."""

    offset: int
    what: str
    places: tuple[tuple[str, int], tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two replicas from `start_offset` to `end_offset` (exclusive).

    `harmless` says why the difference is no fault, where it is none.
    """

    name: str
    folders: tuple[str, str]
    start_offset: int
    end_offset: int
    difference: Difference | None = None
    harmless: str | None = None

    @property
    def differs(self) -> bool:
        return self.difference is not None and self.harmless is None

    def sentence(self) -> str:
        one, other = self.folders
        both = f"{self.name}: {one} and {other}"
        if self.end_offset <= self.start_offset:
            return f"{both} have no offsets in common"
        between = f"offsets {self.start_offset} to {self.end_offset - 1}"
        if self.difference is None:
            return f"{both} are the same in {between}"
        found = self.difference
        places = " and ".join(f"{path}, byte {position}" for path, position in found.places)
        text = f"{both} differ first at offset {found.offset} ({places}): {found.what}"
        return f"{text}; {self.harmless}" if self.harmless else f"error: {text}"

    def as_json(self) -> dict[str, Any]:
        found = self.difference
        return {
            "log": self.name,
            "folders": list(self.folders),
            "start_offset": self.start_offset,
            "end_offset": self.end_offset,
            "differs": self.differs,
            "difference": None
            if found is None
            else {
                "offset": found.offset,
                "what": found.what,
                "places": [{"path": path, "position": at} for path, at in found.places],
                "harmless": self.harmless,
            },
        }


GroupOf: TypeAlias = Callable[[LogReport], tuple[str, int] | None]
"""Which partition a log is taken for; None: it is compared with nothing."""


def by_topic_id(log: LogReport) -> tuple[str, int] | None:
    """As the cluster tells partitions apart."""
    return None if log.topic_id is None else (log.topic_id, log.partition)


def by_name(log: LogReport) -> tuple[str, int] | None:
    """By the folder's name, whatever the topic id."""
    return log.topic, log.partition


def all_together(log: LogReport) -> tuple[str, int] | None:
    """Everything that was asked for."""
    return "", 0


def compare_replicas(
    vfs: Vfs,
    directories: Sequence[DirectoryReport],
    *,
    group_of: GroupOf = by_topic_id,
    on_log: Callable[[str], None] = lambda name: None,
) -> list[Comparison]:
    """Compare every partition of which there are several replicas: each with the first one.

    OSError: the disk.
    """
    groups: dict[tuple[str, int], list[LogReport]] = {}
    for directory in directories:
        for log in directory.logs:
            group = group_of(log)
            if group is not None:
                groups.setdefault(group, []).append(log)
    comparisons = []
    for first, *others in groups.values():
        name = f"{first.topic}-{first.partition}" if first.topic else first.folder
        for other in others:
            on_log(name)
            comparisons.append(_compare(vfs, name, first, other))
    return comparisons


def _compare(vfs: Vfs, name: str, one: LogReport, other: LogReport) -> Comparison:
    start = max(one.first_offset, other.first_offset)
    end = min(one.log_end_offset, other.log_end_offset)
    folders = (one.folder, other.folder)
    difference = _first_difference(vfs, folders, start, end) if start < end else None
    if difference is None:
        return Comparison(name, folders, start, end)
    harmless: str | None = None
    marks = [log.high_watermark for log in (one, other) if log.high_watermark is not None]
    if one.compacted or other.compacted:
        difference, harmless = _by_keys(vfs, folders, start, end, difference)
    if harmless is None and len(marks) == 2 and difference.offset >= max(marks):
        harmless = (
            f"it lies above the high watermark {max(marks)}, and is cut where a replica follows "
            "the leader again"
        )
    return Comparison(name, folders, start, end, difference, harmless)


def _by_keys(
    vfs: Vfs, folders: tuple[str, str], start: int, end: int, difference: Difference
) -> tuple[Difference, str | None]:
    def batches(folder: str) -> Iterator[StoredBatch]:
        return (batch for _, batch in replica_batches(vfs, folder, start))

    try:
        found = first_disagreement(lambda: batches(folders[0]), lambda: batches(folders[1]), end)
    except DecodeError as error:
        what = f"{difference.what}; the last values of their keys cannot be compared: {error}"
        return Difference(difference.offset, what, difference.places), None
    if found is None:
        return difference, "compaction explains it: the last value of every key is the same"
    offset, what = found
    return Difference(offset, what, difference.places), None


def _first_difference(
    vfs: Vfs, folders: tuple[str, str], start: int, end: int
) -> Difference | None:
    one, other = (_until(vfs, folder, start, end) for folder in folders)
    last = [(folder, 0) for folder in folders]
    for left, right in zip_longest(one, other):
        if left is None or right is None:
            path, batch = left or right
            what = "one replica has no batch here"
            place = (path, batch.position)
            places = (place, last[1]) if right is None else (last[0], place)
            return Difference(batch.header.base_offset, what, places)
        differs = _what_differs(left[1], right[1])
        places = ((left[0], left[1].position), (right[0], right[1].position))
        if differs is not None:
            offset = min(left[1].header.base_offset, right[1].header.base_offset)
            return Difference(offset, differs, places)
        last = list(places)
    return None


def _until(vfs: Vfs, folder: str, start: int, end: int) -> Iterator[tuple[str, StoredBatch]]:
    """The batches of a replica that begin in [start, end); damage ends them, and is reported by
    the check of the log itself."""
    try:
        for path, batch in replica_batches(vfs, folder, start):
            if batch.header.base_offset >= end:
                return
            yield path, batch
    except DecodeError:
        return


def _what_differs(one: StoredBatch, other: StoredBatch) -> str | None:
    differing = [
        f"{field.replace('_', ' ')} {left} and {right}"
        for field in _FIELDS
        if (left := getattr(one.header, field)) != (right := getattr(other.header, field))
    ]
    if differing:
        return ", ".join(differing)
    # Compared as bytes: of memory views Python compares one item after another.
    if one.data is not None and other.data is not None and bytes(one.data) != bytes(other.data):
        return "bytes of the same length and CRC"
    return None
