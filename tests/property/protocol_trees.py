"""Values for every schema table: hypothesis strategies, and the way from and to generated classes.

A tree is the neutral form that codecs are compared in: a dict by attribute for a structure, a list
for an array, plain values below. It always holds all fields; `project` cuts it to a version.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

from hypothesis import strategies as st

import ottla.protocol
from ottla.protocol.generation.schema import (
    Field,
    MessageSchema,
    Structure,
    load_schemas,
)
from ottla.protocol.message import Message

Tree: TypeAlias = dict[str, Any]

SCHEMAS = {
    schema.name: schema for schema in load_schemas(Path(ottla.protocol.__file__).parent / "schemas")
}
"""Every message by name."""

ERROR_CODES = [-1, 0, 1, 3, 6, 25, 74, 119]
"""Codes that both oracles know by name: one of them refuses others."""
TIME_MS_MAX = 4_000_000_000_000
"""Times beyond the year 9999 have no datetime, as which one oracle shows them."""

_TEXTS = ["", "a", "orders", "größe-日本", "x" * 126, "y" * 127, "z" * 300]
_BYTES = [b"", b"\x00", b"payload", b"\xff" * 127, b"\x80" * 200]
_BOUNDS = {"int8": 7, "int16": 15, "int32": 31, "int64": 63}


def _integers(bits: int) -> st.SearchStrategy[int]:
    low, high = -(2**bits), 2**bits - 1
    return st.sampled_from([0, -1, 1, low, high]) | st.integers(low, high)


def _leaves(line: Field) -> st.SearchStrategy[Any]:
    """Values of one element."""
    match line.type:
        case "string":
            return st.sampled_from(_TEXTS)
        case "bytes" | "records":
            return st.sampled_from(_BYTES)
        case "uuid":
            return st.sampled_from([bytes(16), bytes(range(16)), b"\xff" * 16])
        case "bool":
            return st.booleans()
        case "float64":
            return st.floats(allow_nan=False)
        case "uint16":
            return st.integers(0, 2**16 - 1)
        case "int16" if line.attribute.endswith("error_code"):
            return st.sampled_from(ERROR_CODES)
        case "int64" if "time" in line.attribute or "period" in line.attribute:
            return st.integers(0, TIME_MS_MAX)
        case _:
            return _integers(_BOUNDS[line.type])


def structure_trees(
    schema: MessageSchema, structure: Structure, *, list_size_max: int = 2
) -> st.SearchStrategy[Tree]:
    """All fields of all versions; tagged structures may be None, which is their absence."""
    strategies: dict[str, st.SearchStrategy[Any]] = {}
    for line in structure.fields:
        if line.structure:
            element: st.SearchStrategy[Any] = structure_trees(
                schema, schema.structures[line.type], list_size_max=list_size_max
            )
        else:
            element = _leaves(line)
        if line.array:
            element = st.lists(element, max_size=list_size_max)
        if line.nullable or (line.structure and not line.array and line.tag is not None):
            element = st.none() | element
        strategies[line.attribute] = element
    return st.fixed_dictionaries(strategies)


def message_trees(schema: MessageSchema) -> st.SearchStrategy[Tree]:
    """Trees of a whole message."""
    return structure_trees(schema, schema.root)


def message_type(schema: MessageSchema) -> type[Message]:
    """The generated class."""
    found: type[Message] = getattr(
        import_module(f"ottla.protocol.messages.{schema.module}"), schema.name
    )
    return found


def project(schema: MessageSchema, structure: Structure, tree: Tree, version: int) -> Tree:
    """The part of `tree` that `version` carries; null becomes empty where it is not allowed."""
    kept: Tree = {}
    for line in structure.fields:
        if version not in line.versions:
            continue
        value = tree[line.attribute]
        if value is None:
            tagged_structure = line.structure and not line.array and line.tag is not None
            if version not in line.nullable and not tagged_structure:
                value = [] if line.array else "" if line.type == "string" else b""
        elif line.structure:
            nested = schema.structures[line.type]
            if line.array:
                value = [project(schema, nested, each, version) for each in value]
            else:
                value = project(schema, nested, value, version)
                if line.tag is not None and value == default_tree(schema, nested, version):
                    value = None  # to kio a tagged structure of defaults is an absent one
        kept[line.attribute] = value
    return kept


def build(schema: MessageSchema, structure: Structure, tree: Tree) -> Any:
    """The generated object with the tree's fields; others keep their defaults."""
    module = import_module(f"ottla.protocol.messages.{schema.module}")
    values: dict[str, Any] = {}
    for line in structure.fields:
        if line.attribute not in tree:
            continue
        value = tree[line.attribute]
        if line.structure and value is not None:
            nested = schema.structures[line.type]
            if line.array:
                value = [build(schema, nested, each) for each in value]
            else:
                value = build(schema, nested, value)
        values[line.attribute] = value
    return getattr(module, structure.name)(**values)


def shown(schema: MessageSchema, structure: Structure, item: Any, version: int) -> Tree:
    """The tree of a generated object: the fields of `version`."""
    tree: Tree = {}
    for line in structure.fields:
        if version not in line.versions:
            continue
        value = getattr(item, line.attribute)
        if line.structure and value is not None:
            nested = schema.structures[line.type]
            if line.array:
                value = [shown(schema, nested, each, version) for each in value]
            else:
                value = shown(schema, nested, value, version)
        elif isinstance(value, memoryview):
            value = bytes(value)
        tree[line.attribute] = value
    return tree


def default_tree(schema: MessageSchema, structure: Structure, version: int) -> Tree:
    """The tree of a structure that was never touched."""
    return shown(schema, structure, build(schema, structure, {}), version)
