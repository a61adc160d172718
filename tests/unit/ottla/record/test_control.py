from __future__ import annotations

import pytest

from ottla.core.errors import DecodeError
from ottla.record.control import (
    ControlRecordType,
    control_record_key,
    control_record_type,
    coordinator_epoch_of,
    end_transaction_value,
)


def test_keys() -> None:
    assert control_record_key(ControlRecordType.COMMIT) == b"\x00\x00\x00\x01"
    assert control_record_type(memoryview(b"\x00\x00\x00\x00")) is ControlRecordType.ABORT
    assert control_record_type(b"\x00\x05\x00\x01later fields") is ControlRecordType.COMMIT
    assert control_record_type(b"\x00\x00\x00\x63") is None


@pytest.mark.parametrize("key", [None, b"", b"\x00\x00\x00", b"\xff\xff\x00\x00"])
def test_bad_keys(key: bytes | None) -> None:
    with pytest.raises(DecodeError):
        control_record_type(key)


def test_marker_values() -> None:
    assert end_transaction_value(7) == b"\x00\x00\x00\x00\x00\x07"
    assert coordinator_epoch_of(end_transaction_value(7)) == 7


@pytest.mark.parametrize("value", [None, b"\x00\x00", b"\xff\xff\x00\x00\x00\x00"])
def test_bad_marker_values(value: bytes | None) -> None:
    with pytest.raises(DecodeError):
        coordinator_epoch_of(value)
