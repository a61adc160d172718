"""The batches of one log from an offset on, across its segments."""

from __future__ import annotations

import os
from collections.abc import Iterator

from storage import names
from storage.inspection.batches import StoredBatch, walk_batches
from storage.vfs import OpenMode, Vfs


def replica_batches(vfs: Vfs, folder: str, start_offset: int) -> Iterator[tuple[str, StoredBatch]]:
    """(path of the .log file, batch) of each batch that begins at `start_offset` or later.

    Batches are borrowed until the next step. Damage and OSError as `walk_batches`.
    """
    found = vfs.listdir(folder)
    bases = sorted(b for name in found if (b := names.base_offset_of(name)) is not None)
    for number, base_offset in enumerate(bases):
        if number + 1 < len(bases) and bases[number + 1] <= start_offset:
            continue
        path = os.path.join(folder, names.segment_name(base_offset) + names.LOG_SUFFIX)
        file = vfs.open(path, OpenMode.READ)
        try:
            for batch in walk_batches(file, 0, file.size()):
                if batch.header.base_offset >= start_offset:
                    yield path, batch
        finally:
            file.close()
