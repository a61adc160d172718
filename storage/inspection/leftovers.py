"""Files and folders that are no part of a log, and what the next start does with them. Pure."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator

from storage import names
from storage.inspection.report import Severity

_KAFKAS_LOG_FILES = ("leader-epoch-checkpoint",)
_KAFKAS_SNAPSHOT = ".snapshot"
_KAFKAS_DIRECTORY_FILES = (
    "cleaner-offset-checkpoint",
    "log-start-offset-checkpoint",
    "recovery-point-offset-checkpoint",
    "replication-offset-checkpoint",
    ".kafka_cleanshutdown",
    "bootstrap.checkpoint",
)

Leftover = tuple[Severity, str, str]
"""Severity, name, what about it."""


def leftovers_of_log(found: Collection[str], bases: Collection[int]) -> Iterator[Leftover]:
    """Among the names in a log's folder whose segments begin at `bases`."""
    segments = {names.segment_name(base) for base in bases}
    alike: dict[tuple[Severity, str, str], list[str]] = {}
    for name in sorted(found):
        stem, suffix = os.path.splitext(name)
        if name == names.PARTITION_METADATA or (suffix == names.LOG_SUFFIX and stem in segments):
            continue
        if suffix in names.INDEX_SUFFIXES and stem in segments:
            continue
        severity, message = _fate(name, stem, suffix, found)
        alike.setdefault((severity, message, suffix), []).append(name)
    for (severity, message, suffix), same in alike.items():
        shown = same[0] if len(same) == 1 else f"*{suffix}"
        yield severity, shown, message if len(same) == 1 else f"{len(same)} times: {message}"


def _fate(name: str, stem: str, suffix: str, found: Collection[str]) -> tuple[Severity, str]:
    if suffix in names.INDEX_SUFFIXES:
        return Severity.WARNING, "an index without its segment; removed at the next start"
    if name == names.MOVING:
        what = "a copy that is to take the place of a log in another directory; settled at the"
        return Severity.INFO, f"{what} next start"
    if suffix == names.DELETED_SUFFIX:
        return Severity.INFO, "deleted; removed at the next start at the latest"
    if suffix == names.TEMPORARY_SUFFIX:
        return Severity.INFO, "a file that was being written; removed at the next start"
    if suffix == names.CLEANED_SUFFIX:
        return Severity.INFO, "what a compaction was writing; removed at the next start"
    if suffix == names.SWAP_SUFFIX:
        if f"{stem.partition('.')[0]}{names.LOG_SUFFIX}{names.SWAP_SUFFIX}" in found:
            what = "of a compaction; the next start puts it in the place of what it replaces"
        else:
            what = "of a compaction that did not get far enough; removed at the next start"
        return Severity.INFO, what
    if name in _KAFKAS_LOG_FILES or suffix == _KAFKAS_SNAPSHOT:
        return Severity.INFO, "Apache Kafka's; not used here"
    return Severity.WARNING, "no file of a log; left alone"


def leftovers_of_directory(found: Collection[str]) -> Iterator[Leftover]:
    """Among the names in a log directory."""
    known = (names.META_PROPERTIES, names.STOP_MARK, names.LOCK, names.CHECKPOINTS)
    for name in sorted(found):
        if name in known or names.parse_folder(name) is not None:
            continue
        if name.endswith(names.DELETE_ENDING):
            yield Severity.INFO, name, "a deleted log; removed at the next start at the latest"
        elif name.endswith(names.STRAY_ENDING):
            what = "put aside: of no topic in the cluster's metadata; never opened nor removed"
            yield Severity.WARNING, name, what
        elif name.endswith(names.DAMAGED_ENDING):
            what = "put aside: it was damaged, and made again from its leader; never opened again"
            yield Severity.WARNING, name, what
        elif name.startswith(f"{names.CHECKPOINTS}.damaged"):
            yield Severity.WARNING, name, "damaged checkpoints, moved aside; never opened again"
        elif name.endswith(names.TEMPORARY_SUFFIX):
            yield Severity.INFO, name, "a file that was being written; of no use any more"
        elif name in _KAFKAS_DIRECTORY_FILES:
            yield Severity.INFO, name, "Apache Kafka's; not used here"
        else:
            yield Severity.INFO, name, "not known; left alone"
