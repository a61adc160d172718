"""Taking the log directories at start: lock, identity, how they were left.

A directory that the disk does not give (EIO, read-only, no permission) is put offline and the
others serve, as long as one is left. One that is somebody else's refuses the start: another
process's, cluster's or node's, or a newer version's.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from functools import partial

from ottla.core.clock import Clock
from ottla.core.errors import ConfigError
from ottla.core.identifiers import NIL_UUID, random_uuid
from storage import marks, names
from storage.directory import LogDirectory, StopState
from storage.room import Room
from storage.vfs import Vfs, VfsLock


def take_directories(
    paths: Sequence[str],
    *,
    cluster_id: str,
    node_id: int,
    clock: Clock,
    vfs: Vfs,
    min_free_bytes: int,
) -> tuple[list[LogDirectory], list[VfsLock]]:
    """The directories in the order of `paths`, and the locks of those that are online.

    ConfigError in one sentence; nothing stays locked then.
    """
    if not paths:
        raise ConfigError("log.dirs names no directory")
    if len(set(paths)) != len(paths):
        raise ConfigError(f"log.dirs names a directory twice: {', '.join(paths)}")
    directories: list[LogDirectory] = []
    locks: list[VfsLock] = []
    try:
        for path in paths:
            try:
                locks.append(_lock(vfs, path))
                directory = _take(vfs, path, cluster_id, node_id)
                room = Room(
                    path,
                    measure=partial(vfs.free_bytes, path),
                    floor=min_free_bytes,
                    clock=clock,
                )
                room.note(room.measure())
                directory.room = room
            except OSError as error:
                directory = LogDirectory(path, NIL_UUID, StopState.UNCLEAN)
                directory.fail(error)
            directories.append(directory)
        if all(directory.offline for directory in directories):
            raise ConfigError(
                f"{directories[0].path} cannot be used ({directories[0].failure}): mend it or its "
                "permissions, or choose another folder in log.dirs"
            )
    except BaseException:
        for lock in locks:
            lock.release()
        raise
    return directories, locks


def _lock(vfs: Vfs, path: str) -> VfsLock:
    vfs.mkdirs(path)
    try:
        return vfs.lock(os.path.join(path, names.LOCK))
    except BlockingIOError as error:
        raise ConfigError(
            f"{path} is used by another process: stop it, or choose another folder in log.dirs"
        ) from error


def _take(vfs: Vfs, path: str, cluster_id: str, node_id: int) -> LogDirectory:
    """The identity of a locked directory; a new one gets it now."""
    meta = marks.read_meta(vfs, path)
    if meta is None:
        meta = marks.MetaProperties(cluster_id, node_id, random_uuid(random.SystemRandom()))
        marks.write_meta(vfs, path, meta)
    state, suspect = marks.read_stop_state(vfs, path)
    broker_epoch = marks.read_broker_epoch(vfs, path)
    if meta.cluster_id != cluster_id:
        raise ConfigError(
            f"{path} belongs to cluster {meta.cluster_id}, not {cluster_id}: choose another "
            "folder in log.dirs, or correct cluster.id"
        )
    if meta.node_id != node_id:
        raise ConfigError(
            f"{path} belongs to node {meta.node_id}, not {node_id}: choose another folder in "
            "log.dirs, or correct node.id"
        )
    return LogDirectory(
        path,
        meta.directory_id,
        state,
        suspect,
        broker_epoch,
        checkpoints_id=marks.read_checkpoints_id(vfs, path),
    )
