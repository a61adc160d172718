"""Identifiers on the wire and in folders: UUIDs and topic names.

A UUID (topic id, directory id, cluster id, incarnation) is held as its 16 raw bytes, `Uuid`; Kafka
shows it as 22 characters of URL-safe base64 without padding.
"""

from __future__ import annotations

import base64
import binascii
import random
import re
from typing import TypeAlias

Uuid: TypeAlias = bytes
NIL_UUID: Uuid = bytes(16)

TOPIC_NAME_LENGTH_MAX = 249  # so that "name-partition" with its suffixes fits a 255-byte file name
_TOPIC_NAME = re.compile(r"[a-zA-Z0-9._-]+")


def uuid_text(value: Uuid) -> str:
    """22 characters of URL-safe base64, as Kafka prints a UUID."""
    return base64.urlsafe_b64encode(value)[:22].decode("ascii")


def uuid_from_text(text: str) -> Uuid:
    """The inverse of `uuid_text`; ValueError for anything that is not a UUID."""
    try:
        value = base64.urlsafe_b64decode(text + "==")
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"not a base64 UUID: {text!r}") from error
    if len(value) != 16 or len(text) != 22:
        raise ValueError(f"not a base64 UUID of 22 characters: {text!r}")
    return value


def random_uuid(source: random.Random) -> Uuid:
    """A UUID whose text does not start with '-', as Kafka's: it may become a CLI argument."""
    while True:
        value = source.randbytes(16)
        if value != NIL_UUID and not uuid_text(value).startswith("-"):
            return value


def topic_name_fault(name: str) -> str | None:
    """Why `name` is no legal topic name, or None when it is one (Kafka's Topic.validate)."""
    if not name:
        return "the name is empty"
    if name in (".", ".."):
        return f"'{name}' cannot be a topic name"
    if len(name) > TOPIC_NAME_LENGTH_MAX:
        return f"the name has {len(name)} characters; at most {TOPIC_NAME_LENGTH_MAX} are allowed"
    if not _TOPIC_NAME.fullmatch(name):
        return "only ASCII letters, digits, '.', '_' and '-' are allowed"
    return None


def topic_name_collision_key(name: str) -> str:
    """Names with the same key cannot both exist: '.' and '_' are the same in metric names."""
    return name.replace(".", "_")
