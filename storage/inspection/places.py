"""What the folders are that an inspection is asked about: log directories, or single logs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from ottla.core.errors import ConfigError
from storage import names
from storage.vfs import Vfs


@dataclass(frozen=True, slots=True)
class LogFolder:
    """One log. The topic's name is empty when the folder's name does not say it."""

    path: str
    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class Place:
    """A log directory and the logs in it that are asked for. `whole`: all of them, and itself."""

    directory: str
    whole: bool
    logs: tuple[LogFolder, ...]


def find_places(vfs: Vfs, paths: Sequence[str]) -> list[Place]:
    """What is at `paths`; the single logs of one directory are put together.

    ConfigError in one sentence: nothing there that belongs to a log. OSError: the disk.
    """
    places: dict[str, Place] = {}
    for path in dict.fromkeys(os.path.normpath(path) for path in paths):
        if not vfs.is_dir(path):
            raise ConfigError(f"{path} is no folder")
        found = vfs.listdir(path)
        if _is_log(found):
            directory = os.path.dirname(path)
            known = places.get(directory, Place(directory, False, ()))
            if not known.whole:
                places[directory] = Place(directory, False, (*known.logs, _log_folder(path)))
        elif _is_directory(vfs, path, found):
            logs = [
                LogFolder(os.path.join(path, name), *parsed)
                for name in found
                if (parsed := names.parse_folder(name)) and vfs.is_dir(os.path.join(path, name))
            ]
            places[path] = Place(path, True, tuple(logs))
        else:
            raise ConfigError(
                f"{path} is neither a log directory nor the folder of a partition"
                + _hint(vfs, path, found)
            )
    return list(places.values())


def _is_log(found: Sequence[str]) -> bool:
    return names.PARTITION_METADATA in found or any(
        names.base_offset_of(name) is not None for name in found
    )


def _is_directory(vfs: Vfs, path: str, found: Sequence[str]) -> bool:
    if names.META_PROPERTIES in found or names.STOP_MARK in found:
        return True
    inside = [os.path.join(path, name) for name in found if names.parse_folder(name)]
    return any(vfs.is_dir(folder) and _is_log(vfs.listdir(folder)) for folder in inside)


def _hint(vfs: Vfs, path: str, found: Sequence[str]) -> str:
    """Where a log directory is, when it was missed by a folder: "data", "data/log"."""
    for name in found:
        inner = os.path.join(path, name)
        if vfs.is_dir(inner) and names.META_PROPERTIES in vfs.listdir(inner):
            return f"; {inner} is one"
    return ""


def _log_folder(path: str) -> LogFolder:
    parsed = names.parse_folder(os.path.basename(os.path.abspath(path)))
    return LogFolder(path, *(parsed or ("", 0)))
