"""Reports and batches as text for people. Pure."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from storage.inspection.report import DirectoryReport, Findings, LogReport, Severity

COLUMNS = (
    "log",
    "#segments",
    "#batches",
    "#records",
    "#size",
    "#start",
    "#synced",
    "#end",
    "found",
)


def table_rows(directory: DirectoryReport) -> list[list[str]]:
    """One row a log, under `COLUMNS`."""
    return [
        [
            os.path.basename(os.path.abspath(log.folder)),
            str(log.segments),
            str(log.batches),
            str(log.records),
            size_text(log.size),
            str(log.first_offset if log.log_start_offset is None else log.log_start_offset),
            "?" if log.recovery_point is None else str(log.recovery_point),
            str(log.log_end_offset),
            verdict(log),
        ]
        for log in directory.logs
    ]


def directory_line(directory: DirectoryReport) -> str:
    """A directory in one line."""
    parts = [directory.path]
    if directory.node_id is not None:
        parts.append(f"node {directory.node_id} of cluster {directory.cluster_id}")
    if directory.stop == "running":
        parts.append("in use")
    elif directory.stop != "unknown":
        parts.append(f"stopped: {directory.stop}")
    return " · ".join(parts)


def finding_lines(findings: Findings) -> Iterator[str]:
    """One line each, the errors first."""
    for severity in Severity:
        for finding in findings.kept:
            if finding.severity is not severity:
                continue
            where = finding.path
            if finding.position is not None:
                where += f", byte {finding.position}"
            if finding.offset is not None:
                where += f", offset {finding.offset}"
            yield f"{severity.value}: {where}: {finding.message}"
    if findings.left_out:
        yield f"… and {findings.left_out} more of these"


def verdict(log: LogReport) -> str:
    """What was found in a log, in a few words."""
    parts = [
        f"{count} {severity.value}{'s' if count > 1 and severity is not Severity.INFO else ''}"
        for severity in Severity
        if (count := log.findings.counts[severity])
    ]
    if log.compacted and not log.findings.errors:
        parts.append("compacted")
    return ", ".join(parts) or "sound"


def size_text(size: int) -> str:
    """Bytes with one decimal and a unit."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def summary(directories: Sequence[DirectoryReport], differences: int) -> str:
    """The last line."""
    logs = [log for directory in directories for log in directory.logs]
    counts = dict.fromkeys(Severity, 0)
    for findings in [log.findings for log in logs] + [d.findings for d in directories]:
        for severity, count in findings.counts.items():
            counts[severity] += count
    size = size_text(sum(log.size for log in logs))
    text = f"{len(logs)} logs, {size}: "
    text += f"{counts[Severity.ERROR]} errors, {counts[Severity.WARNING]} warnings"
    if differences:
        text += f", {differences} partitions differ between replicas"
    return text
