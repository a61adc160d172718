"""Reads schema tables: one text file per API, described in ../README.md.

    request FetchRequest key=1 versions=0-18 flexible=12+
      MaxWaitMs   int32         0+
      Topics      []FetchTopic  0+
        Topic     string        0-12  ignorable

Versions are written `3`, `3-7` or `3+` (up to the message's last). Deeper lines belong to the
structure that the line above them names; a `struct Name versions` line at the margin starts one
that several fields use.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

FIXED_CODES = {
    "bool": "?",
    "int8": "b",
    "int16": "h",
    "uint16": "H",
    "int32": "i",
    "uint32": "I",
    "int64": "q",
    "float64": "d",
    "uuid": "16s",
}
"""Types of fixed size, with their codes in Python's struct module."""
FIXED_SIZES = {
    "bool": 1,
    "int8": 1,
    "int16": 2,
    "uint16": 2,
    "int32": 4,
    "uint32": 4,
    "int64": 8,
    "float64": 8,
    "uuid": 16,
}
SIZED_TYPES = ("string", "bytes", "records")

Kind = Literal["request", "response", "header", "data"]


class SchemaError(Exception):
    """A schema table that does not follow its format; the message names file and line."""


@dataclass(frozen=True, slots=True)
class Versions:
    """An inclusive range; empty when low > high."""

    low: int
    high: int

    def __contains__(self, version: int) -> bool:
        return self.low <= version <= self.high

    def __bool__(self) -> bool:
        return self.low <= self.high

    def __and__(self, other: Versions) -> Versions:
        return Versions(max(self.low, other.low), min(self.high, other.high))

    def covers(self, other: Versions) -> bool:
        return self.low <= other.low and other.high <= self.high


@dataclass(frozen=True, slots=True)
class Field:
    """One line of a table."""

    name: str
    type: str
    """Of the element, when `array`."""
    array: bool
    versions: Versions
    nullable: Versions
    default: str | None
    """As written; None when the type's own zero is the default."""
    tag: int | None
    ignorable: bool
    flexible: bool
    """False: a classic length even in flexible versions (a request header's client id)."""

    @property
    def attribute(self) -> str:
        return snake_case(self.name)

    @property
    def fixed(self) -> bool:
        return not self.array and self.type in FIXED_CODES

    @property
    def structure(self) -> bool:
        """Whether the (element) type is a structure of the same message."""
        return self.type not in FIXED_CODES and self.type not in SIZED_TYPES


@dataclass(slots=True)
class Structure:
    """A message's root or a nested structure."""

    name: str
    versions: Versions
    """In which it can occur: the hull over all its uses."""
    fields: list[Field] = field(default_factory=list)


@dataclass(slots=True)
class MessageSchema:
    """One message: its structures in the order of their first line, the root first."""

    kind: Kind
    name: str
    key: int | None
    versions: Versions
    flexible_from: int | None
    structures: dict[str, Structure]
    source: str
    """The table's file name."""

    @property
    def root(self) -> Structure:
        return self.structures[self.name]

    @property
    def module(self) -> str:
        return snake_case(self.name)


def snake_case(name: str) -> str:
    """`TopicId` as `topic_id`, `V3AndBelowTopics` as `v3_and_below_topics`."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def load_schemas(folder: Path) -> list[MessageSchema]:
    """All messages of all tables of `folder`, sorted by file name."""
    return [
        message
        for path in sorted(folder.glob("*.schema"))
        for message in parse_schemas(path.read_text("utf-8"), path.name)
    ]


def parse_schemas(text: str, source: str) -> list[MessageSchema]:
    """The messages of one table; SchemaError names the line that is wrong."""
    messages: list[MessageSchema] = []
    owners: list[
        tuple[int, Structure]
    ] = []  # (indentation of its fields, structure), outermost first
    last: Field | None = None
    for number, line in enumerate(text.splitlines(), 1):
        content = line.partition("#")[0]
        words = content.split()
        if not words:
            continue
        indent = len(content) - len(content.lstrip())
        try:
            if indent == 0 and words[0] == "struct":
                structure = Structure(words[1], _versions(words[2], messages[-1].versions))
                messages[-1].structures[words[1]] = structure
                owners = [(2, structure)]
            elif indent == 0:
                messages.append(_message(words, source))
                owners = [(2, messages[-1].root)]
            else:
                if indent > owners[-1][0]:
                    if last is None or not last.structure:
                        raise ValueError("only a structure has fields of its own")
                    structure = Structure(last.type, last.versions)
                    if last.type in messages[-1].structures:
                        raise ValueError(f"{last.type} is defined twice")
                    messages[-1].structures[last.type] = structure
                    owners.append((indent, structure))
                while indent < owners[-1][0]:
                    owners.pop()
                if indent != owners[-1][0]:
                    raise ValueError("this indentation belongs to no structure")
                last = _field(words, messages[-1].versions)
                owners[-1][1].fields.append(last)
        except (ValueError, IndexError, KeyError) as error:
            raise SchemaError(f"{source}, line {number}: {error}") from error
    for message in messages:
        _settle(message)
    return messages


def _message(words: list[str], source: str) -> MessageSchema:
    kind, name, *rest = words
    if kind not in ("request", "response", "header", "data"):
        raise ValueError(f"{kind!r} starts no message")
    options = dict(word.split("=", 1) for word in rest)
    versions = _versions(options["versions"], None)
    flexible = options["flexible"]
    return MessageSchema(
        kind=cast(Kind, kind),
        name=name,
        key=int(options["key"]) if "key" in options else None,
        versions=versions,
        flexible_from=None if flexible == "none" else _versions(flexible, versions).low,
        structures={name: Structure(name, versions)},
        source=source,
    )


def _versions(text: str, all_versions: Versions | None) -> Versions:
    if text.endswith("+"):
        if all_versions is None:
            raise ValueError("a message's versions need an end")
        return Versions(int(text[:-1]), all_versions.high)
    low, _, high = text.partition("-")
    return Versions(int(low), int(high or low))


def _field(words: list[str], all_versions: Versions) -> Field:
    name, type_name, versions_text, *attributes = words
    versions = _versions(versions_text, all_versions)
    options: dict[str, str] = {}
    for attribute in attributes:
        key, _, value = attribute.partition("=")
        if key not in ("null", "default", "tag", "ignorable", "flexible"):
            raise ValueError(f"unknown attribute {attribute!r}")
        options[key] = value
    null = options.get("null")
    if null is None:
        nullable = Versions(1, 0)
    else:
        nullable = _versions(null, all_versions) & versions if null else versions
    return Field(
        name=name,
        type=type_name.removeprefix("[]"),
        array=type_name.startswith("[]"),
        versions=versions,
        nullable=nullable,
        default=options.get("default"),
        tag=int(options["tag"]) if "tag" in options else None,
        ignorable="ignorable" in options,
        flexible=options.get("flexible") != "none",
    )


def _settle(message: MessageSchema) -> None:
    """Give every structure the hull of the versions of its uses, and check the whole."""
    uses: dict[str, Versions] = {message.name: message.versions}
    pending = [message.name]
    while pending:
        name = pending.pop()
        for line in message.structures[name].fields:
            where = f"{message.source}: {name}.{line.name}"
            if line.tag is not None and (
                message.flexible_from is None or line.versions.low < message.flexible_from
            ):
                raise SchemaError(f"{where}: tagged before the first flexible version")
            if not line.structure:
                continue
            if line.type not in message.structures:
                raise SchemaError(f"{where}: unknown type {line.type}")
            use = line.versions & uses[name]
            known = uses.get(line.type)
            hull = (
                use
                if known is None
                else Versions(min(known.low, use.low), max(known.high, use.high))
            )
            if hull != known:
                uses[line.type] = hull
                pending.append(line.type)
    for structure in message.structures.values():
        structure.versions = uses[structure.name]
