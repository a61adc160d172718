"""Names of folders and files, as Apache Kafka gives them.

TOPIC-PARTITION/                     a log
TOPIC-PARTITION.HEX-delete/          a deleted one, until its files are unlinked
TOPIC-PARTITION.HEX-stray/           one that the cluster's metadata does not know
TOPIC-PARTITION.HEX-damaged/         one that was made again from its leader
    00000000000000000042.log         record batches from offset 42 on
    00000000000000000042.index       offset index
    00000000000000000042.timeindex   time index
    00000000000000000042.txnindex    aborted transactions; missing where there are none
    *.deleted                        a removed file, until it is unlinked
    *.cleaned                        what compaction is writing
    *.swap                           what compaction has written, about to replace other segments
    partition.metadata               the topic id
    moving                           in a copy that is to take a log's place: how far it is
"""

from __future__ import annotations

import re

from ottla.core.identifiers import Uuid

LOG_SUFFIX = ".log"
INDEX_SUFFIX = ".index"
TIME_INDEX_SUFFIX = ".timeindex"
TRANSACTION_INDEX_SUFFIX = ".txnindex"
INDEX_SUFFIXES = (INDEX_SUFFIX, TIME_INDEX_SUFFIX, TRANSACTION_INDEX_SUFFIX)
SEGMENT_SUFFIXES = (LOG_SUFFIX, *INDEX_SUFFIXES)
DELETED_SUFFIX = ".deleted"
CLEANED_SUFFIX = ".cleaned"
SWAP_SUFFIX = ".swap"
TEMPORARY_SUFFIX = ".tmp"
MOVING = "moving"
PARTITION_METADATA = "partition.metadata"
META_PROPERTIES = "meta.properties"
STOP_MARK = "stop.mark"
LOCK = ".lock"
CHECKPOINTS = "checkpoints.lmdb"
DELETE_ENDING = "-delete"
STRAY_ENDING = "-stray"
DAMAGED_ENDING = "-damaged"

_FILE_NAME_LENGTH_MAX = 255
_LOG_FILE = re.compile(r"(\d{20})\.log")
_FOLDER = re.compile(r"([a-zA-Z0-9._-]+)-(0|[1-9]\d{0,9})")


def segment_name(base_offset: int) -> str:
    """The 20 digits that a segment's files begin with."""
    return f"{base_offset:020d}"


def base_offset_of(file_name: str) -> int | None:
    """The base offset in the name of a .log file; None for any other name."""
    match = _LOG_FILE.fullmatch(file_name)
    return int(match[1]) if match else None


def folder_name(topic: str, partition: int) -> str:
    return f"{topic}-{partition}"


def parse_folder(name: str) -> tuple[str, int] | None:
    """(topic, partition) of a log's folder; None for folders that are no logs (any more)."""
    if name.endswith((DELETE_ENDING, STRAY_ENDING, DAMAGED_ENDING)):
        return None
    match = _FOLDER.fullmatch(name)
    return (match[1], int(match[2])) if match else None


def retired_name(topic: str, partition: int, unique: Uuid, ending: str) -> str:
    """A folder's name on its way out; the topic's name is shortened to fit 255 characters."""
    tail = f"-{partition}.{unique.hex()}{ending}"
    return topic[: _FILE_NAME_LENGTH_MAX - len(tail)] + tail
