"""The last offset of each key in the part of a log that is compacted; its size is bounded.

A long key is kept by its 128-bit hash: for two of a billion keys to collide, and one to be lost
with that, the odds are one in 10^21. (Kafka keeps MD5 sums, of short keys as well.)
"""

from __future__ import annotations

from hashlib import blake2b

_HASH_SIZE = 16
KEY_BYTES = 176
"""Memory of one entry as measured: key 64, offset 32, and its share of the table."""


class KeyMap:
    """See the module. A key that is new when `keys_max` are known is not taken."""

    __slots__ = ("_keys_max", "_offsets")

    def __init__(self, keys_max: int) -> None:
        self._offsets: dict[bytes, int] = {}
        self._keys_max = keys_max

    def __len__(self) -> int:
        return len(self._offsets)

    def put(self, key: bytes, offset: int) -> bool:
        """Note a later offset; False when there is no room for the key."""
        short = key if len(key) < _HASH_SIZE else blake2b(key, digest_size=_HASH_SIZE).digest()
        if len(self._offsets) >= self._keys_max and short not in self._offsets:
            return False
        self._offsets[short] = offset
        return True

    def last_offset(self, key: bytes) -> int | None:
        """None when the key is not known."""
        return self._offsets.get(
            key if len(key) < _HASH_SIZE else blake2b(key, digest_size=_HASH_SIZE).digest()
        )
