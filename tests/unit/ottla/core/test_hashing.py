import pytest
from kafka.partitioner.default import murmur2 as oracle_murmur2

from ottla.core.hashing import (
    coordinator_partition,
    java_string_hash,
    murmur2,
    partition_for_key,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    # Values of Java's String.hashCode; the last two are known to hit zero and the minimum.
    [("", 0), ("a", 97), ("hello", 99162322), ("€", 8364), ("polygenelubricants", -(2**31))],
)
def test_java_string_hash(text: str, expected: int) -> None:
    assert java_string_hash(text) == expected


def test_java_string_hash_counts_utf16_units() -> None:
    assert java_string_hash("😀") == 0xD83D * 31 + 0xDE00


def test_the_minimum_hash_maps_to_partition_zero() -> None:
    assert coordinator_partition("polygenelubricants", 50) == 0
    assert coordinator_partition("hello", 50) == 22


@pytest.mark.parametrize("length", range(20))
def test_murmur2_agrees_with_kafka_python(length: int) -> None:
    data = bytes(range(200, 200 + length))
    assert murmur2(data) == oracle_murmur2(data) & 0xFFFFFFFF


def test_partition_for_key_is_in_range() -> None:
    assert {partition_for_key(str(n).encode(), 7) for n in range(200)} == set(range(7))
