"""The two codecs that ours is compared with, behind one interface that speaks trees."""

from __future__ import annotations

import datetime
import io
import pkgutil
from dataclasses import fields
from functools import cache
from importlib import import_module
from typing import Any, Protocol

import kafka.protocol
from kafka.protocol.api_data import ApiData
from kafka.protocol.api_message import ApiMessage
from kio.index import load_entity_module
from kio.schema.index import schema_name_map
from kio.serial import entity_reader, entity_writer
from kio.static.constants import EntityType

from ottla.protocol.generation.schema import MessageSchema, Structure, snake_case
from tests.property.protocol_trees import Tree, default_tree


class Oracle(Protocol):
    """Another codec."""

    def knows(self, schema: MessageSchema, version: int) -> bool:
        """Whether it has this message in this version."""
        ...

    def decode(self, schema: MessageSchema, version: int, data: bytes) -> Any:
        """Its own object for all of `data`."""
        ...

    def encode(self, schema: MessageSchema, version: int, item: Any) -> bytes:
        """The bytes of an object that it decoded."""
        ...

    def tree(self, schema: MessageSchema, version: int, item: Any) -> Tree:
        """The values of an object that it decoded."""
        ...


class KioOracle:
    """kio: a class per message and version; times, UUIDs and error codes have Python types."""

    def knows(self, schema: MessageSchema, version: int) -> bool:
        name, kind = _kio_name(schema)
        return kind in schema_name_map.get(name, {}).get(version, {})

    def decode(self, schema: MessageSchema, version: int, data: bytes) -> Any:
        read: Any = entity_reader(_kio_type(*_kio_name(schema), schema.name, version))
        item, size = read(data, 0)
        assert size == len(data)
        return item

    def encode(self, schema: MessageSchema, version: int, item: Any) -> bytes:
        out = io.BytesIO()
        entity_writer(_kio_type(*_kio_name(schema), schema.name, version))(out, item)
        return out.getvalue()

    def tree(self, schema: MessageSchema, version: int, item: Any) -> Tree:
        return self._tree(schema, schema.root, version, item)

    def _tree(self, schema: MessageSchema, structure: Structure, version: int, item: Any) -> Tree:
        values = {each.name: getattr(item, each.name) for each in fields(item)}
        tree: Tree = {}
        for line in structure.fields:
            if version not in line.versions:
                continue
            name = line.attribute
            # Durations lose their unit in the name: they are timedeltas.
            value = values.pop(name) if name in values else values.pop(name.removesuffix("_ms"))
            if not line.structure:
                tree[name] = _plain(line.type, value)
                continue
            nested = schema.structures[line.type]
            if value is None:
                tree[name] = None
            elif line.array:
                tree[name] = [self._tree(schema, nested, version, each) for each in value]
            else:
                tree[name] = self._tree(schema, nested, version, value)
                if line.tag is not None and tree[name] == default_tree(schema, nested, version):
                    tree[name] = None
        assert not values, f"{structure.name} has other fields: {sorted(values)}"
        return tree


def _plain(type_name: str, value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(type_name, each) for each in value]
    if type_name == "uuid":
        return bytes(16) if value is None else value.bytes
    if isinstance(value, datetime.timedelta):
        return value // datetime.timedelta(milliseconds=1)
    if isinstance(value, datetime.datetime):
        start = datetime.datetime.fromtimestamp(0, datetime.UTC)
        return (value - start) // datetime.timedelta(milliseconds=1)
    if type_name == "int16":
        return int(value)
    return value


@cache
def _kio_type(name: str, kind: EntityType, class_name: str, version: int) -> type:
    load: Any = load_entity_module
    found: type = getattr(load(name, version, kind), class_name)
    return found


def _kio_name(schema: MessageSchema) -> tuple[str, EntityType]:
    name = schema.name
    if schema.kind in ("request", "response"):
        name = name.removesuffix("Request").removesuffix("Response")
    return snake_case(name), EntityType[schema.kind]


class KafkaPythonOracle:
    """kafka-python: interprets Kafka's own message definitions at run time."""

    def knows(self, schema: MessageSchema, version: int) -> bool:
        found = _kafka_types().get(schema.name)
        return found is not None and version <= found.max_version

    def decode(self, schema: MessageSchema, version: int, data: bytes) -> Any:
        found = _kafka_types()[schema.name]
        if issubclass(found, ApiData):
            return found.decode(data, version=version, header=False)
        # The codec alone: ApiVersionsResponse's own method takes every error for version 0.
        return ApiMessage.decode.__func__(found, data, version=version)

    def encode(self, schema: MessageSchema, version: int, item: Any) -> bytes:
        if isinstance(item, ApiData):
            encoded: bytes = item.encode(version=version, header=False)
        else:
            item._header = None  # decoding leaves the slot unset, encoding looks at it
            encoded = item.encode(version=version)
        return bytes(encoded)

    def tree(self, schema: MessageSchema, version: int, item: Any) -> Tree:
        return self._tree(schema, schema.root, version, item)

    def _tree(self, schema: MessageSchema, structure: Structure, version: int, item: Any) -> Tree:
        tree: Tree = {}
        for line in structure.fields:
            if version not in line.versions:
                continue
            if "authorized_operations" in line.attribute:
                tree[line.attribute] = _operations(item, line.attribute)
                continue
            value = getattr(item, line.attribute)
            if value is not None and line.structure:
                nested = schema.structures[line.type]
                if line.array:
                    value = [self._tree(schema, nested, version, each) for each in value]
                else:
                    value = self._tree(schema, nested, version, value)
            elif line.type == "uuid":
                value = _plain("uuid", value if not line.array else tuple(value))
            tree[line.attribute] = value
        return tree


def _operations(item: Any, attribute: str) -> int:
    """Bits as a signed number; kafka-python shows a set, None for bit 31 alone."""
    name = attribute if hasattr(item, attribute) else "authorized_operations"
    value = getattr(item, name)
    if isinstance(value, int):
        return value
    bits = sum(1 << bit for bit in ({31} if value is None else value))
    return bits - 2**32 if bits >= 2**31 else bits


@cache
def _kafka_types() -> dict[str, Any]:
    """All message classes of kafka-python by name."""
    found: dict[str, Any] = {}
    for module in pkgutil.walk_packages(kafka.protocol.__path__, "kafka.protocol."):
        if ".old" in module.name or "generate" in module.name:
            continue
        for name, value in vars(import_module(module.name)).items():
            if isinstance(value, type) and issubclass(value, (ApiMessage, ApiData)):
                found[name] = value
    return found
