"""The files that say whose a log directory is and how its last use ended (SAFETY.md, rule 2).

    meta.properties    version, cluster.id, node.id, directory.id; written once
    stop.mark          version, state (running | clean | failed), broker.epoch, boot.id,
                       mount.identity, checkpoints.id
    .lock              held while a process uses the directory

Both are lines of key=value and are replaced as a whole; on a full disk the mark is written over in
place, which a power cut tears nowhere: it is one sector, filled up with empty lines.

The mark is `running` before the first append, `clean` only after every log of the directory was
synced, and `failed` after a sync failed: what the page cache then shows may not be on its way to
the disk. A mark that cannot be read counts as an unclean stop. `checkpoints.id` names the
environment that had the checkpoints of this directory's logs: what another one says of them is out
of date.
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from enum import Enum

from ottla.core.errors import ConfigError
from ottla.core.identifiers import Uuid, uuid_from_text, uuid_text
from storage import names
from storage.directory import StopState
from storage.errors import DISK_FULL
from storage.vfs import OpenMode, Vfs, read_file, replace_file

FORMAT_VERSION = 1
MARK_BYTES = 512
"""A sector: what a disk writes wholly or not at all."""


@dataclass(frozen=True, slots=True)
class MetaProperties:
    """Whose directory it is."""

    cluster_id: str
    node_id: int
    directory_id: Uuid


def read_meta(vfs: Vfs, directory: str) -> MetaProperties | None:
    """None when the directory has none yet; ConfigError when it cannot be used."""
    path = os.path.join(directory, names.META_PROPERTIES)
    if not vfs.exists(path):
        return None
    values = _parse(read_file(vfs, path))
    version = values.get("version", "")
    if version.isdecimal() and int(version) > FORMAT_VERSION:
        raise ConfigError(
            f"{path} has format version {version}, this version of Ottla reads up to "
            f"{FORMAT_VERSION}: start the version that wrote it"
        )
    try:
        if int(version) != FORMAT_VERSION:
            raise ValueError(f"format version {version}")
        return MetaProperties(
            values["cluster.id"], int(values["node.id"]), uuid_from_text(values["directory.id"])
        )
    except (KeyError, ValueError) as error:
        raise ConfigError(
            f"{path} is damaged ({error}): restore it, or choose another folder in log.dirs"
        ) from error


def write_meta(vfs: Vfs, directory: str, meta: MetaProperties) -> None:
    values = {
        "version": str(FORMAT_VERSION),
        "cluster.id": meta.cluster_id,
        "node.id": str(meta.node_id),
        "directory.id": uuid_text(meta.directory_id),
    }
    replace_file(vfs, os.path.join(directory, names.META_PROPERTIES), _lines(values))


class MarkState(Enum):
    RUNNING = "running"
    CLEAN = "clean"
    FAILED = "failed"


def read_stop_state(vfs: Vfs, directory: str) -> tuple[StopState, bool]:
    """How the last use of the directory ended, and whether a sync had failed in it."""
    path = os.path.join(directory, names.STOP_MARK)
    if not vfs.exists(path):
        return StopState.UNCLEAN, False
    values = _parse(read_file(vfs, path))
    match values.get("state"):
        case MarkState.CLEAN.value:
            return StopState.CLEAN, False
        case MarkState.RUNNING.value:
            same_boot = values.get("boot.id") == vfs.boot_id()
            same_mount = values.get("mount.identity") == vfs.mount_identity(directory)
            crashed = same_boot and same_mount
            return StopState.PROCESS_CRASH if crashed else StopState.UNCLEAN, False
        case MarkState.FAILED.value:
            return StopState.UNCLEAN, True
        case _:
            return StopState.UNCLEAN, False


def read_broker_epoch(vfs: Vfs, directory: str) -> int | None:
    """The broker epoch of the process that used the directory last; None: not known."""
    path = os.path.join(directory, names.STOP_MARK)
    text = _parse(read_file(vfs, path)).get("broker.epoch", "") if vfs.exists(path) else ""
    return int(text) if text.isdecimal() else None


def read_checkpoints_id(vfs: Vfs, directory: str) -> str | None:
    """Which environment had the checkpoints of the directory; empty: none that may be believed.

    None: not known, as of a new directory.
    """
    path = os.path.join(directory, names.STOP_MARK)
    return _parse(read_file(vfs, path)).get("checkpoints.id") if vfs.exists(path) else None


def write_mark(
    vfs: Vfs, directory: str, state: MarkState, broker_epoch: int, checkpoints_id: str = ""
) -> None:
    """Durable on return, also on a full disk, if there was a mark before."""
    path = os.path.join(directory, names.STOP_MARK)
    values = {
        "version": str(FORMAT_VERSION),
        "state": state.value,
        "broker.epoch": str(broker_epoch),
        "boot.id": vfs.boot_id(),
        "mount.identity": vfs.mount_identity(directory),
        "checkpoints.id": checkpoints_id,
    }
    data = _lines(values).ljust(MARK_BYTES, b"\n")
    try:
        replace_file(vfs, path, data)
    except OSError as error:
        if error.errno not in DISK_FULL or not vfs.exists(path):
            raise
        _write_over(vfs, path, data)


def read_partition_metadata(vfs: Vfs, folder: str) -> Uuid | None:
    """The topic id of a log's folder; None when the file is missing or damaged."""
    path = os.path.join(folder, names.PARTITION_METADATA)
    if not vfs.exists(path):
        return None
    for line in read_file(vfs, path).decode("utf-8", "replace").splitlines():
        key, _, value = line.partition(":")
        if key == "topic_id":
            try:
                return uuid_from_text(value.strip())
            except ValueError:
                return None
    return None


def partition_metadata_text(topic_id: Uuid) -> bytes:
    """What Kafka writes into partition.metadata."""
    return f"version: 0\ntopic_id: {uuid_text(topic_id)}".encode("ascii")


def _write_over(vfs: Vfs, path: str, data: bytes) -> None:
    """Give a file of the same size a new content where it lies."""
    file = vfs.open(path, OpenMode.WRITE)
    try:
        if file.pwrite(data, 0) != len(data):
            raise OSError(errno.ENOSPC, "the mark is cut short", path)
        file.fsync()
    finally:
        file.close()


def _lines(values: dict[str, str]) -> bytes:
    return "".join(f"{key}={value}\n" for key, value in values.items()).encode("utf-8")


def _parse(data: bytes) -> dict[str, str]:
    values = {}
    for line in data.decode("utf-8", "replace").splitlines():
        if line and not line.startswith("#"):
            key, separator, value = line.partition("=")
            if separator:
                values[key.strip()] = value.strip()
    return values
