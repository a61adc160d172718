"""The checkpoints of a log directory or of one of its logs, as rows of a dump."""

from __future__ import annotations

from collections.abc import Iterator

from ottla.core.errors import DecodeError
from storage import marks
from storage.checkpoints import LogKey
from storage.inspection.dump import DumpError, Row, dump_checkpoint
from storage.inspection.places import find_places
from storage.inspection.stored import StoredLog, open_checkpoints
from storage.vfs import Vfs


def dump_checkpoints(vfs: Vfs, path: str) -> Iterator[Row]:
    """One row for each log at `path`.

    ConfigError: nothing there that belongs to a log, or its directory is damaged. DumpError: the
    directory holds no checkpoints, or damaged ones; a log without a topic id.
    """
    for place in find_places(vfs, [path]):
        meta = marks.read_meta(vfs, place.directory)
        try:
            store = open_checkpoints(place.directory)
            if meta is None or store is None:
                raise DumpError(
                    f"{place.directory or '.'} holds no checkpoints: a broker keeps them in the "
                    "first of its log.dirs"
                )
            for log in place.logs:
                topic_id = marks.read_partition_metadata(vfs, log.path)
                if topic_id is None:
                    raise DumpError(f"{log.path} does not say its topic id")
                key = LogKey(meta.directory_id, topic_id, log.partition)
                yield dump_checkpoint(log.path, key, StoredLog.load(store, key))
        except DecodeError as error:
            raise DumpError(str(error)) from error
