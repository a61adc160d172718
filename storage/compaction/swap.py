"""Putting a cleaned segment in the place of its sources; a crash leaves one or the others.

1. The files of the cleaned segment N are written and synced as `N.*.cleaned`.
2. They are renamed to `N.*.swap`, the .log file last. From then on the cleaned segment counts.
3. The files of the sources are renamed to `*.deleted`.
4. `N.*.swap` get their real names, the .log file last.

Steps 2 to 4 are renames in one go, without a sync: a crash keeps a prefix of them. One before the
end of step 2 leaves `*.cleaned`, and indexes `*.swap` without a log: they are removed. One after it
leaves `N.log.swap`: `complete_swaps` does the rest again. The sources are then all segments that
begin in the cleaned one's range, which ends where its last batch ends. An index of aborted
transactions is always written, be it empty: otherwise nobody could tell, halfway through step 4,
whether the one that is there is the old one.
"""

from __future__ import annotations

import logging
import os

from ottla.core.errors import DecodeError
from storage import names
from storage.scan import walk_headers
from storage.vfs import OpenMode, Vfs

_log = logging.getLogger(__name__)

_LOG_LAST = (*names.INDEX_SUFFIXES, names.LOG_SUFFIX)
_SWAPPED_LOG = names.LOG_SUFFIX + names.SWAP_SUFFIX


def stage(vfs: Vfs, path: str) -> None:
    """Step 2; `path` is the segment's without suffix. OSError: the disk."""
    for suffix in _LOG_LAST:
        vfs.rename(path + suffix + names.CLEANED_SUFFIX, path + suffix + names.SWAP_SUFFIX)


def install(vfs: Vfs, path: str) -> None:
    """Step 4. OSError: the disk."""
    for suffix in _LOG_LAST:
        if vfs.exists(path + suffix + names.SWAP_SUFFIX):
            vfs.rename(path + suffix + names.SWAP_SUFFIX, path + suffix)


def discard(vfs: Vfs, path: str) -> None:
    """Remove what was written of a cleaned segment in step 1. OSError: the disk."""
    for suffix in _LOG_LAST:
        if vfs.exists(path + suffix + names.CLEANED_SUFFIX):
            vfs.unlink(path + suffix + names.CLEANED_SUFFIX)


def complete_swaps(vfs: Vfs, folder: str, found: list[str]) -> list[str]:
    """Do for a folder with the names `found` what a crash kept from being done; its names then.

    DecodeError: a cleaned segment, which was synced, is damaged; nothing was changed for it.
    """
    swapped = [name for name in found if name.endswith(_SWAPPED_LOG)]
    for name in swapped:
        path = os.path.join(folder, name.removesuffix(_SWAPPED_LOG))
        end_offset = _end_offset(vfs, path + _SWAPPED_LOG)
        _log.info("completing the compaction of %s.log", path)
        first = names.base_offset_of(name.removesuffix(names.SWAP_SUFFIX)) or 0
        for other in found:
            base_offset = names.base_offset_of(other)
            if base_offset is not None and first <= base_offset < end_offset:
                _remove_source(vfs, folder, base_offset, keep_installed=base_offset == first)
        install(vfs, path)
    halves = [name for name in found if name.endswith(names.SWAP_SUFFIX) and name not in swapped]
    for name in halves:
        path = os.path.join(folder, name)
        if vfs.exists(path):  # else it was installed with its log just now
            vfs.unlink(path)
    if not swapped and not halves:
        return found
    vfs.fsync_dir(folder)
    return vfs.listdir(folder)


def _remove_source(vfs: Vfs, folder: str, base_offset: int, *, keep_installed: bool) -> None:
    """Unlink a source, its .log last. `keep_installed`: an index that has no `.swap` any more is
    the cleaned segment's own."""
    path = os.path.join(folder, names.segment_name(base_offset))
    for suffix in _LOG_LAST:
        installed = keep_installed and not vfs.exists(path + suffix + names.SWAP_SUFFIX)
        if installed and suffix != names.LOG_SUFFIX:
            continue
        if vfs.exists(path + suffix):
            vfs.unlink(path + suffix)


def _end_offset(vfs: Vfs, path: str) -> int:
    file = vfs.open(path, OpenMode.READ)
    end_offset = None
    for _, header in walk_headers(file, 0, file.size()):
        end_offset = header.next_offset
    if end_offset is None:
        raise DecodeError(f"{path} holds no batch")
    return end_offset
