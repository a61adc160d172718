"""What a log knows of its producers: sequences, epochs, open transactions (KIP-98). Pure.

Of every producer id: the producer epoch, the last five batches (a retried one is answered with the
offsets it got the first time; Java's client keeps five requests in flight), and the first offset of
its open transaction. All of it follows from the batch headers and the transaction markers of the
log; a snapshot only shortens the way.

A snapshot, big endian::

    version uint8 = 1 | producer count uint32
    | { producer id int64 | producer epoch int16 | coordinator epoch int32 | seen ms int64
        | first offset of the open transaction int64 (-1: none) | batch count uint8
        | { first sequence int32 | last sequence int32 | base offset int64 | last offset int64
            | timestamp int64 } }
    | decided count uint32 | { first offset int64 | marker offset int64 }

Departure from Kafka: a producer is forgotten by the time at which this broker last saw it, not by
the timestamps in its records, which a replay of old data would set far back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from struct import Struct
from struct import error as struct_error

from ottla.core.errors import DecodeError, ErrorCode, ProtocolError
from ottla.record.batch import BatchHeader

BATCHES_KEPT = 5
_SEQUENCE_MAX = 2**31 - 1
_NONE = -1

_VERSION = 1
_HEAD = Struct(">BI")
_PRODUCER = Struct(">qhiqqB")
_BATCH = Struct(">iiqqq")
_COUNT = Struct(">I")
_DECIDED = Struct(">qq")


@dataclass(slots=True)
class AppendedBatch:
    """A batch that a producer got into the log. Sequences and offsets are inclusive."""

    first_sequence: int
    last_sequence: int
    base_offset: int
    last_offset: int
    timestamp: int


class Producer:
    """One producer id."""

    __slots__ = (
        "batches",
        "coordinator_epoch",
        "producer_epoch",
        "seen_ms",
        "transaction_first_offset",
    )

    def __init__(self, producer_epoch: int, seen_ms: int) -> None:
        self.producer_epoch = producer_epoch
        self.coordinator_epoch = _NONE
        self.seen_ms = seen_ms
        self.transaction_first_offset: int | None = None
        self.batches: deque[AppendedBatch] = deque(maxlen=BATCHES_KEPT)

    @property
    def last_sequence(self) -> int:
        """The newest batch's last sequence; -1 before the first of an epoch."""
        return self.batches[-1].last_sequence if self.batches else _NONE


class ProducerState:
    """The producers of one log. `check` decides, `update` and `end_transaction` mutate."""

    __slots__ = ("_decided", "_open", "_producers")

    def __init__(self) -> None:
        self._producers: dict[int, Producer] = {}
        self._open: dict[int, int] = {}  # producer id -> first offset, in the order of offsets
        # (first offset, marker offset) of transactions that ended, until the marker is committed.
        self._decided: deque[tuple[int, int]] = deque()

    def __len__(self) -> int:
        return len(self._producers)

    def get(self, producer_id: int) -> Producer | None:
        return self._producers.get(producer_id)

    def last_batches(self) -> Iterator[tuple[int, int | None, int]]:
        """(producer id, last offset of the newest data batch, producer epoch) of each."""
        for producer_id, producer in self._producers.items():
            last_offset = producer.batches[-1].last_offset if producer.batches else None
            yield producer_id, last_offset, producer.producer_epoch

    def items(self) -> Iterable[tuple[int, Producer]]:
        """(producer id, producer) of all; not to be kept over a change."""
        return self._producers.items()

    def check(self, header: BatchHeader) -> AppendedBatch | None:
        """The batch in the log of which `header` is a retry; None when it may be appended.

        An unknown producer may begin with any sequence: its history may have been deleted.

        INVALID_PRODUCER_EPOCH: from an incarnation of the producer that was replaced.
        OUT_OF_ORDER_SEQUENCE_NUMBER: a batch before it is missing, or it is a retry older than
        the five that are remembered. INVALID_TXN_STATE: not transactional while the producer's
        transaction is open.
        """
        producer = self._producers.get(header.producer_id)
        if producer is None:
            return None
        first = header.base_sequence
        if header.producer_epoch < producer.producer_epoch:
            raise _replaced(header.producer_id, header.producer_epoch, producer)
        if first == _NONE:
            return None
        if header.producer_epoch != producer.producer_epoch:
            if first != 0:
                raise _out_of_order(header, "a new producer epoch begins with sequence 0")
            return None
        if not header.is_transactional and producer.transaction_first_offset is not None:
            raise ProtocolError(
                ErrorCode.INVALID_TXN_STATE,
                f"producer {header.producer_id} has an open transaction",
            )
        batches = producer.batches
        last = batches[-1].last_sequence if batches else _NONE
        if first == last + 1 or (first == 0 and last == _SEQUENCE_MAX):
            return None
        last_sequence = header.last_sequence
        for batch in batches:
            if batch.first_sequence == first and batch.last_sequence == last_sequence:
                return batch
        raise _out_of_order(header, f"sequence {last} was the last")

    def check_marker(
        self, producer_id: int, producer_epoch: int, coordinator_epoch: int, *, is_bumped: bool
    ) -> None:
        """Whether a coordinator may end the producer's transaction (KIP-98, KIP-890).

        TRANSACTION_COORDINATOR_FENCED: another coordinator has written since.
        INVALID_PRODUCER_EPOCH: the producer is further; with `is_bumped` the marker's epoch must be
        above that of the transaction it ends, so that a late marker does not end the next one.
        """
        producer = self._producers.get(producer_id)
        if producer is None:
            return
        if coordinator_epoch < producer.coordinator_epoch:
            raise ProtocolError(
                ErrorCode.TRANSACTION_COORDINATOR_FENCED,
                f"a coordinator of epoch {producer.coordinator_epoch} has written since",
            )
        is_open = producer.transaction_first_offset is not None
        lowest = producer.producer_epoch + (is_bumped and is_open)
        if producer_epoch < lowest:
            raise _replaced(producer_id, producer_epoch, producer)

    def has_open(self, producer_id: int, producer_epoch: int) -> bool:
        """Whether a transaction of this incarnation of the producer has records here."""
        producer = self._producers.get(producer_id)
        return (
            producer is not None
            and producer.transaction_first_offset is not None
            and producer.producer_epoch == producer_epoch
        )

    def update(self, header: BatchHeader, seen_ms: int) -> None:
        """Note a data batch that is in the log now; the leader checked it.

        A coordinator's transactional batch (offsets of a group) has no sequence: of it only the
        transaction is noted.
        """
        producer = self._producers.get(header.producer_id)
        if producer is None:
            producer = self._producers[header.producer_id] = Producer(
                header.producer_epoch, seen_ms
            )
        elif header.producer_epoch != producer.producer_epoch:
            producer.producer_epoch = header.producer_epoch
            producer.batches.clear()
        producer.seen_ms = seen_ms
        if header.base_sequence != _NONE:
            last_offset = header.base_offset + header.last_offset_delta
            producer.batches.append(
                AppendedBatch(
                    header.base_sequence,
                    header.last_sequence,
                    header.base_offset,
                    last_offset,
                    header.max_timestamp,
                )
            )
        if header.is_transactional and producer.transaction_first_offset is None:
            producer.transaction_first_offset = header.base_offset
            self._open[header.producer_id] = header.base_offset

    def end_transaction(
        self,
        producer_id: int,
        producer_epoch: int,
        coordinator_epoch: int,
        marker_offset: int,
        seen_ms: int,
    ) -> int | None:
        """Note a commit or abort marker that is in the log now.

        The first offset of the transaction that it ended; None when none was open.
        """
        producer = self._producers.get(producer_id)
        if producer is None:
            producer = self._producers[producer_id] = Producer(producer_epoch, seen_ms)
        elif producer_epoch != producer.producer_epoch:
            producer.producer_epoch = producer_epoch
            producer.batches.clear()
        producer.seen_ms = seen_ms
        producer.coordinator_epoch = max(producer.coordinator_epoch, coordinator_epoch)
        first_offset = producer.transaction_first_offset
        if first_offset is not None:
            producer.transaction_first_offset = None
            del self._open[producer_id]
            self._decided.append((first_offset, marker_offset))
        return first_offset

    def first_open_offset(self) -> int | None:
        """First offset of the oldest transaction that is open."""
        return next(iter(self._open.values()), None)

    def first_undecided_offset(self, high_watermark: int) -> int | None:
        """First offset of the oldest transaction that is open, or whose marker is not below
        `high_watermark` (SAFETY.md, rule 7). None when there is none.

        The high watermark of a log never goes back while it is open: what it passed is forgotten.
        """
        decided = self._decided
        while decided and decided[0][1] < high_watermark:
            decided.popleft()
        oldest = self.first_open_offset()
        for first_offset, _ in decided:
            if oldest is None or first_offset < oldest:
                oldest = first_offset
        return oldest

    def expire(self, now_seen_ms: int, expiration_ms: int) -> int:
        """Forget producers not seen for `expiration_ms`, unless in a transaction; how many."""
        late = [
            producer_id
            for producer_id, producer in self._producers.items()
            if producer.transaction_first_offset is None
            and now_seen_ms - producer.seen_ms >= expiration_ms
        ]
        for producer_id in late:
            del self._producers[producer_id]
        return len(late)

    def encode(self) -> bytes:
        """A snapshot, laid out as in the module's docstring."""
        out = bytearray(_HEAD.pack(_VERSION, len(self._producers)))
        for producer_id, producer in self._producers.items():
            first_offset = producer.transaction_first_offset
            out += _PRODUCER.pack(
                producer_id,
                producer.producer_epoch,
                producer.coordinator_epoch,
                producer.seen_ms,
                _NONE if first_offset is None else first_offset,
                len(producer.batches),
            )
            for batch in producer.batches:
                out += _BATCH.pack(
                    batch.first_sequence,
                    batch.last_sequence,
                    batch.base_offset,
                    batch.last_offset,
                    batch.timestamp,
                )
        out += _COUNT.pack(len(self._decided))
        for pair in self._decided:
            out += _DECIDED.pack(*pair)
        return bytes(out)

    @classmethod
    def decode(cls, data: bytes) -> ProducerState:
        """From a snapshot; DecodeError when it is damaged or of another version."""
        try:
            return cls._decode(data)
        except struct_error as error:
            raise DecodeError("a producer snapshot ends early") from error

    @classmethod
    def _decode(cls, data: bytes) -> ProducerState:
        version, count = _HEAD.unpack_from(data)
        if version != _VERSION:
            raise DecodeError(f"producer snapshot version {version}")
        state = cls()
        position = _HEAD.size
        for _ in range(count):
            producer_id, producer_epoch, coordinator_epoch, seen_ms, first_offset, batch_count = (
                _PRODUCER.unpack_from(data, position)
            )
            position += _PRODUCER.size
            producer = state._producers[producer_id] = Producer(producer_epoch, seen_ms)
            producer.coordinator_epoch = coordinator_epoch
            if first_offset >= 0:
                producer.transaction_first_offset = first_offset
            for _ in range(batch_count):
                producer.batches.append(AppendedBatch(*_BATCH.unpack_from(data, position)))
                position += _BATCH.size
        state._open = dict(_by_first_offset(state._producers))
        (decided_count,) = _COUNT.unpack_from(data, position)
        position += _COUNT.size
        for _ in range(decided_count):
            first_offset, marker_offset = _DECIDED.unpack_from(data, position)
            state._decided.append((first_offset, marker_offset))
            position += _DECIDED.size
        if position != len(data):
            raise DecodeError("bytes are left over after a producer snapshot")
        return state

    def summary(self) -> dict[int, tuple[object, ...]]:
        """What the log alone determines of every producer, for comparisons in tests and tools."""
        return {
            producer_id: (
                producer.producer_epoch,
                producer.transaction_first_offset,
                *((b.first_sequence, b.last_sequence, b.base_offset) for b in producer.batches),
            )
            for producer_id, producer in self._producers.items()
        }


def _by_first_offset(producers: dict[int, Producer]) -> list[tuple[int, int]]:
    pairs = [
        (producer_id, producer.transaction_first_offset)
        for producer_id, producer in producers.items()
        if producer.transaction_first_offset is not None
    ]
    return sorted(pairs, key=itemgetter(1))


def _replaced(producer_id: int, producer_epoch: int, producer: Producer) -> ProtocolError:
    return ProtocolError(
        ErrorCode.INVALID_PRODUCER_EPOCH,
        f"producer {producer_id} has epoch {producer.producer_epoch}; "
        f"epoch {producer_epoch} was replaced",
    )


def _out_of_order(header: BatchHeader, why: str) -> ProtocolError:
    return ProtocolError(
        ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER,
        f"producer {header.producer_id} sent sequence {header.base_sequence}; {why}",
    )
