"""Hashes that clients and brokers of every language must agree on."""

from __future__ import annotations

_INT_MIN = -(2**31)


def java_string_hash(text: str) -> int:
    """Java's ``String.hashCode``: signed 32 bits over UTF-16 code units (java.lang.String)."""
    value = 0
    encoded = text.encode("utf-16-be", "surrogatepass")
    for high, low in zip(encoded[::2], encoded[1::2], strict=True):
        value = (31 * value + (high << 8 | low)) & 0xFFFFFFFF
    return value - 2**32 if value >= 2**31 else value


def coordinator_partition(name: str, partition_count: int) -> int:
    """The partition of ``__consumer_offsets`` or ``__transaction_state`` that owns `name`.

    Kafka's ``Utils.abs(hashCode) % partitions``, where the minimum value maps to 0.
    """
    value = java_string_hash(name)
    return (0 if value == _INT_MIN else abs(value)) % partition_count


def murmur2(data: bytes) -> int:
    """Kafka's 32-bit murmur2 (seed 0x9747b28c), unsigned."""
    length = len(data)
    multiplier = 0x5BD1E995
    value = (0x9747B28C ^ length) & 0xFFFFFFFF
    whole = length & ~3
    for position in range(0, whole, 4):
        word = int.from_bytes(data[position : position + 4], "little")
        word = (word * multiplier) & 0xFFFFFFFF
        word ^= word >> 24
        word = (word * multiplier) & 0xFFFFFFFF
        value = ((value * multiplier) & 0xFFFFFFFF) ^ word
    if tail := data[whole:]:
        value ^= int.from_bytes(tail, "little")
        value = (value * multiplier) & 0xFFFFFFFF
    value ^= value >> 13
    value = (value * multiplier) & 0xFFFFFFFF
    return value ^ (value >> 15)


def partition_for_key(key: bytes, partition_count: int) -> int:
    """The partition that Kafka's default partitioner gives a key."""
    return (murmur2(key) & 0x7FFFFFFF) % partition_count
