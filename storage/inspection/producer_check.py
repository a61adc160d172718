"""Holding a producer snapshot against the state that the batches themselves amount to. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from storage.producers import Producer, ProducerState


def snapshot_faults(
    snapshot: ProducerState, rebuilt: ProducerState, first_offset: int, *, compacted: bool
) -> Iterator[str]:
    """What a snapshot says that the log denies.

    `rebuilt` is made from the batches from `first_offset` up to the snapshot's offset. What the
    log cannot tell is no fault: batches below `first_offset`, producers that were forgotten since
    nobody saw them for long, and batches that compaction removed.
    """
    for producer_id, stored in snapshot.items():
        own = rebuilt.get(producer_id)
        if own is None:
            if not compacted and any(b.base_offset >= first_offset for b in stored.batches):
                yield f"producer {producer_id} is in no batch of the log"
            continue
        if own.batches and stored.producer_epoch != own.producer_epoch:
            yield (
                f"producer {producer_id} has epoch {stored.producer_epoch}; its last batch has "
                f"{own.producer_epoch}"
            )
        elif not compacted and not _ends_alike(stored, own, first_offset):
            yield f"the last batches of producer {producer_id} are not those of the log"
        elif stored.transaction_first_offset != own.transaction_first_offset and (
            stored.transaction_first_offset is None
            or stored.transaction_first_offset >= first_offset
        ):
            yield (
                f"the open transaction of producer {producer_id} begins at "
                f"{stored.transaction_first_offset}; in the log at {own.transaction_first_offset}"
            )


def _ends_alike(stored: Producer, own: Producer, first_offset: int) -> bool:
    """A producer that was forgotten and came back has fewer batches in the snapshot."""
    known = _batches(stored, first_offset)
    return known == _batches(own, first_offset)[-len(known) :] or not known


def _batches(producer: Producer, first_offset: int) -> list[tuple[int, int, int, int]]:
    return [
        (batch.base_offset, batch.last_offset, batch.first_sequence, batch.last_sequence)
        for batch in producer.batches
        if batch.base_offset >= first_offset
    ]
