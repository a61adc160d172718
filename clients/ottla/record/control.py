"""Control records: keys and values that only brokers write (KIP-98, KIP-595).

key     version int16 | type int16
value   of ABORT and COMMIT: version int16 | coordinator epoch int32
"""

from __future__ import annotations

from enum import IntEnum
from struct import Struct

from ottla.core.errors import DecodeError
from ottla.record.build import build_batch
from ottla.record.compression import Buffer

_KEY = Struct(">hh")
_END_TRANSACTION = Struct(">hi")


class ControlRecordType(IntEnum):
    """What a control record says (org.apache.kafka.common.record.ControlRecordType)."""

    ABORT = 0
    COMMIT = 1
    LEADER_CHANGE = 2
    SNAPSHOT_HEADER = 3
    SNAPSHOT_FOOTER = 4
    KRAFT_VERSION = 5
    KRAFT_VOTERS = 6


_TYPES = {int(member): member for member in ControlRecordType}


def control_record_key(record_type: ControlRecordType) -> bytes:
    """The four bytes of a control record's key, version 0."""
    return _KEY.pack(0, record_type)


def control_record_type(key: Buffer | None) -> ControlRecordType | None:
    """The type in a control record's key; None for one that a newer version added.

    DecodeError: no key, shorter than 4 bytes, or a negative version.
    """
    if key is None or len(key) < _KEY.size:
        raise DecodeError("the key of a control record is shorter than 4 bytes")
    version, number = _KEY.unpack_from(key)
    if version < 0:
        raise DecodeError(f"a control record's key has version {version}")
    return _TYPES.get(number)


def end_transaction_value(coordinator_epoch: int) -> bytes:
    """The value of an ABORT or COMMIT marker, version 0."""
    return _END_TRANSACTION.pack(0, coordinator_epoch)


def coordinator_epoch_of(value: Buffer | None) -> int:
    """The coordinator epoch in an ABORT or COMMIT marker's value; DecodeError when too short."""
    if value is None or len(value) < _END_TRANSACTION.size:
        raise DecodeError("the value of a transaction marker is shorter than 6 bytes")
    version, coordinator_epoch = _END_TRANSACTION.unpack_from(value)
    if version < 0:
        raise DecodeError(f"a transaction marker's value has version {version}")
    return int(coordinator_epoch)


def end_transaction_batch(
    producer_id: int,
    producer_epoch: int,
    coordinator_epoch: int,
    *,
    is_commit: bool,
    timestamp_ms: int,
) -> bytearray:
    """The control batch with the marker that ends a transaction in one partition."""
    kind = ControlRecordType.COMMIT if is_commit else ControlRecordType.ABORT
    record = (control_record_key(kind), end_transaction_value(coordinator_epoch), (), timestamp_ms)
    return build_batch(
        [record],
        producer_id=producer_id,
        producer_epoch=producer_epoch,
        transactional=True,
        control=True,
    )
