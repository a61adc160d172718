"""What a compaction is told and what it tells: plain data, as JSON lines between two processes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TypeAlias

from ottla.core.errors import DecodeError
from storage.transaction_index import AbortedTransaction


@dataclass(frozen=True, slots=True)
class Source:
    """A sealed, synced segment. `next_offset` is exclusive, and where the next one begins."""

    base_offset: int
    next_offset: int
    size: int


@dataclass(frozen=True, slots=True)
class LastBatch:
    """What keeps a producer's state alive: its last data batch, or with None its last marker."""

    last_offset: int | None
    producer_epoch: int


@dataclass(frozen=True, slots=True)
class CompactionJob:
    """One pass over a log.

    `sources`: from the log's first segment on, without a gap, all below the last stable offset.
    `dirty_offset`: everything below has been through a pass already.
    `producers`, `aborted`: of the whole log; the latter in the order of the markers.
    `timestamp_ms`: now, by the wall clock. Sizes are bytes.
    """

    folder: str
    sources: tuple[Source, ...]
    dirty_offset: int
    producers: Mapping[int, LastBatch]
    aborted: tuple[AbortedTransaction, ...]
    timestamp_ms: int
    delete_retention_ms: int
    segment_bytes: int
    segment_index_bytes: int
    index_interval_bytes: int
    keys_max: int

    def encode(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def decode(cls, text: str) -> CompactionJob:
        """DecodeError when it is not what `encode` made."""
        try:
            fields = json.loads(text)
            fields["sources"] = tuple(Source(**source) for source in fields["sources"])
            fields["aborted"] = tuple(AbortedTransaction(**one) for one in fields["aborted"])
            fields["producers"] = {
                int(producer_id): LastBatch(**last)
                for producer_id, last in fields["producers"].items()
            }
            return cls(**fields)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DecodeError(f"a compaction job that cannot be read: {error}") from error


@dataclass(frozen=True, slots=True)
class CleanedSegment:
    """A segment that was written and synced as `*.cleaned`, for the sources in its range."""

    base_offset: int
    next_offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Finished:
    """Everything below `clean_offset` (exclusive) has been through a pass now."""

    clean_offset: int
    bytes_before: int
    bytes_after: int
    records_before: int
    records_after: int


@dataclass(frozen=True, slots=True)
class Damaged:
    """A source does not hold what it should: the log itself is damaged."""

    message: str


Outcome: TypeAlias = CleanedSegment | Finished | Damaged
_OUTCOMES: Mapping[str, type[CleanedSegment] | type[Finished] | type[Damaged]] = {
    "cleaned": CleanedSegment,
    "finished": Finished,
    "damaged": Damaged,
}


def encode_outcome(outcome: Outcome) -> str:
    """One line, without its end."""
    (kind,) = (name for name, found in _OUTCOMES.items() if found is type(outcome))
    return json.dumps({"kind": kind, **asdict(outcome)})


def decode_outcome(line: str | bytes) -> Outcome:
    """DecodeError when it is not what `encode_outcome` made."""
    try:
        fields = json.loads(line)
        return _OUTCOMES[fields.pop("kind")](**fields)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DecodeError(f"a compaction's answer that cannot be read: {error}") from error
