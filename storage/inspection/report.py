"""What an inspection found, as data: printed by `show`, and as JSON. Pure.

Three severities:

- ERROR: what no crash leaves (see storage/README.md): damage below the recovery point, records or
  entries that contradict each other.
- WARNING: what a crash may leave, or a broker at work; the message says what the next start does.
- INFO: what is worth knowing and is no fault.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

FINDINGS_MAX = 100
"""Of one severity in one folder; more are counted, not kept."""


class Severity(Enum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One observation. `position` is a byte of the file, `offset` a record's."""

    severity: Severity
    path: str
    message: str
    position: int | None = None
    offset: int | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "severity": self.severity.value,
            "path": self.path,
            "position": self.position,
            "offset": self.offset,
            "message": self.message,
        }


class Findings:
    """The findings of one folder, bounded; `counts` has them all."""

    __slots__ = ("_kept", "counts")

    def __init__(self) -> None:
        self._kept: list[Finding] = []
        self.counts = dict.fromkeys(Severity, 0)

    def add(
        self,
        severity: Severity,
        path: str,
        message: str,
        *,
        position: int | None = None,
        offset: int | None = None,
    ) -> None:
        self.counts[severity] += 1
        if self.counts[severity] <= FINDINGS_MAX:
            self._kept.append(Finding(severity, path, message, position, offset))

    @property
    def kept(self) -> list[Finding]:
        """The first `FINDINGS_MAX` of each severity, in the order in which they were met."""
        return list(self._kept)

    @property
    def errors(self) -> int:
        return self.counts[Severity.ERROR]

    @property
    def left_out(self) -> int:
        """How many were counted only."""
        return sum(self.counts.values()) - len(self._kept)

    def as_json(self) -> dict[str, Any]:
        return {
            **{f"{severity.value}s": count for severity, count in self.counts.items()},
            "findings": [finding.as_json() for finding in self._kept],
        }


@dataclass(slots=True)
class LogReport:
    """One log. Offsets: first stored and log start inclusive, log end exclusive."""

    folder: str
    topic: str
    partition: int
    topic_id: str | None
    segments: int = 0
    size: int = 0
    batches: int = 0
    records: int = 0
    first_offset: int = 0
    log_end_offset: int = 0
    log_start_offset: int | None = None
    recovery_point: int | None = None
    high_watermark: int | None = None
    gaps: int = 0  # places where offsets are missing between two batches
    thinned: int = 0  # batches that hold fewer records than offsets
    findings: Findings = field(default_factory=Findings)

    @property
    def compacted(self) -> bool:
        """Whether records are missing as compaction leaves it."""
        return bool(self.gaps or self.thinned)

    def as_json(self) -> dict[str, Any]:
        return {
            "folder": self.folder,
            "topic": self.topic,
            "partition": self.partition,
            "topic_id": self.topic_id,
            "segments": self.segments,
            "bytes": self.size,
            "batches": self.batches,
            "records": self.records,
            "first_offset": self.first_offset,
            "log_start_offset": self.log_start_offset,
            "recovery_point": self.recovery_point,
            "high_watermark": self.high_watermark,
            "log_end_offset": self.log_end_offset,
            "gaps": self.gaps,
            "thinned_batches": self.thinned,
            **self.findings.as_json(),
        }


@dataclass(slots=True)
class DirectoryReport:
    """One of `log.dirs`; or what surrounds partition folders that were given by themselves."""

    path: str
    cluster_id: str | None = None
    node_id: int | None = None
    directory_id: str | None = None
    stop: str = "unknown"
    in_use: bool | None = None  # None: cannot be told on this machine
    logs: list[LogReport] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)

    def as_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "cluster_id": self.cluster_id,
            "node_id": self.node_id,
            "directory_id": self.directory_id,
            "stop": self.stop,
            "in_use": self.in_use,
            "logs": [log.as_json() for log in self.logs],
            **self.findings.as_json(),
        }
