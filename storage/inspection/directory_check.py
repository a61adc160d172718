"""Checking log directories: whose they are, how they were left, and every log in them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from ottla.core.errors import ConfigError, DecodeError
from ottla.core.identifiers import uuid_from_text, uuid_text
from storage import marks, names
from storage.checkpoints import Checkpoints, LogKey
from storage.directory import StopState
from storage.inspection.leftovers import leftovers_of_directory
from storage.inspection.log_check import CheckOptions, LogCheck, Progress
from storage.inspection.places import LogFolder, Place
from storage.inspection.report import DirectoryReport, LogReport, Severity
from storage.inspection.stored import StoredLog, open_checkpoints
from storage.vfs import Vfs

OpenCheckpoints = Callable[[str], Checkpoints | None]

_STOPS = {
    StopState.CLEAN: "clean",
    StopState.PROCESS_CRASH: "killed",
    StopState.UNCLEAN: "unclean",
}


def check_places(
    vfs: Vfs,
    places: Sequence[Place],
    options: CheckOptions,
    *,
    open_store: OpenCheckpoints = open_checkpoints,
    on_log: Callable[[LogFolder], None] = lambda log: None,
    progress: Progress = lambda count: None,
) -> list[DirectoryReport]:
    """Check all of them; `on_log` is told each log before it is read.

    The checkpoints of a broker are in the first of its log directories, so that those which are
    found in any of `places` are asked about every log. OSError: a directory cannot be read.
    """
    reports = [DirectoryReport(place.directory) for place in places]
    stores: list[Checkpoints] = []
    for place, report in zip(places, reports, strict=True):
        _check_directory(vfs, place, report)
        try:
            store = open_store(place.directory)
        except DecodeError as error:
            message = f"not readable ({error}): moved aside at the next start, which reads all logs"
            path = os.path.join(place.directory, names.CHECKPOINTS)
            report.findings.add(Severity.WARNING, path, message)
        else:
            stores += [] if store is None else [store]
    for place, report in zip(places, reports, strict=True):
        for log in place.logs:
            on_log(log)
            report.logs.append(_check_log(vfs, log, report, stores, options, progress))
    return reports


def _check_directory(vfs: Vfs, place: Place, report: DirectoryReport) -> None:
    """Whose directory it is, how it was left, and what else is in it."""
    path, findings = place.directory, report.findings
    try:
        meta = marks.read_meta(vfs, path)
    except ConfigError as error:
        findings.add(Severity.ERROR, os.path.join(path, names.META_PROPERTIES), str(error))
        meta = None
    if meta is not None:
        report.cluster_id, report.node_id = meta.cluster_id, meta.node_id
        report.directory_id = uuid_text(meta.directory_id)
    report.in_use = vfs.lock_held(os.path.join(path, names.LOCK))
    if vfs.exists(os.path.join(path, names.STOP_MARK)):
        state, suspect = marks.read_stop_state(vfs, path)
        report.stop = "failed" if suspect else _STOPS[state]
    if report.in_use:
        report.stop = "running"
        findings.add(Severity.INFO, path, "a broker uses it: the ends of its logs are in flux")
    elif report.stop == "failed":
        message = "a sync failed here: the next start writes what was not synced once more"
        findings.add(Severity.WARNING, path, message)
    elif report.stop in ("killed", "unclean"):
        message = "it was not stopped cleanly: the next start scans from the recovery points"
        findings.add(Severity.INFO, path, message)
    if place.whole:
        for severity, name, message in leftovers_of_directory(vfs.listdir(path)):
            findings.add(severity, os.path.join(path, name), message)


def _check_log(
    vfs: Vfs,
    log: LogFolder,
    directory: DirectoryReport,
    stores: Sequence[Checkpoints],
    options: CheckOptions,
    progress: Progress,
) -> LogReport:
    try:
        check = LogCheck(
            vfs,
            log.path,
            log.topic,
            log.partition,
            stored=_stored(vfs, log, directory, stores),
            in_use=bool(directory.in_use),
            stopped_cleanly=directory.stop == _STOPS[StopState.CLEAN],
            options=options,
            progress=progress,
        )
        return check.run()
    except OSError as error:
        report = LogReport(log.path, log.topic, log.partition, None)
        gone = isinstance(error, FileNotFoundError) and directory.in_use
        message = "removed while it was read" if gone else f"cannot be read: {error}"
        report.findings.add(Severity.INFO if gone else Severity.ERROR, log.path, message)
        return report


def _stored(
    vfs: Vfs, log: LogFolder, directory: DirectoryReport, stores: Sequence[Checkpoints]
) -> StoredLog | None:
    """What the checkpoints know of a log; None without checkpoints."""
    topic_id = marks.read_partition_metadata(vfs, log.path)
    if not stores or directory.directory_id is None:
        return None
    if topic_id is None:
        return StoredLog.unknown()
    key = LogKey(uuid_from_text(directory.directory_id), topic_id, log.partition)
    stored: StoredLog | None = None
    for checkpoints in stores:
        try:
            stored = StoredLog.load(checkpoints, key)
        except DecodeError as error:
            directory.findings.add(Severity.WARNING, log.path, f"its checkpoint: {error}")
        else:
            if stored.checkpoint is not None:
                break
    return stored
