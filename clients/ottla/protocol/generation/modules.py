"""Puts modules together: one per message, and the table of APIs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ottla.protocol import wire
from ottla.protocol.generation.code import (
    Code,
    default_literal,
    function_name,
    mode_versions,
    python_type,
)
from ottla.protocol.generation.reading import emit_reader
from ottla.protocol.generation.schema import MessageSchema, Structure, Versions, snake_case
from ottla.protocol.generation.writing import carries_parts, emit_writer


def _import_order(name: str) -> list[str | int]:
    """Sorts names as import lists are: constants first, numbers by value."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


_WIRE_NAMES = sorted(
    (
        name
        for name, value in vars(wire).items()
        if name == "MALFORMED" or getattr(value, "__module__", "") == wire.__name__
    ),
    key=_import_order,
)
"""What a module may import from `wire`, in the order of a sorted import."""


def message_module(message: MessageSchema) -> str:
    """The source of the module of one message, not yet formatted."""
    code = Code()
    structures = list(message.structures.values())
    # A structure's default may be another structure: definitions go from the leaves to the root.
    for structure in reversed(structures):
        if structure is not message.root:
            _emit_class(code, message, structure)
    _emit_class(code, message, message.root)
    for flexible in (True, False):
        for structure in structures:
            if mode_versions(message, structure, flexible):
                emit_reader(code, message, structure, flexible)
                emit_writer(code, message, structure, flexible)
    return "\n".join([*_head(message, code), *code.lines]) + "\n"


def _head(message: MessageSchema, code: Code) -> list[str]:
    body = "\n".join(code.lines)
    flexible = (
        "none is flexible"
        if message.flexible_from is None
        else f"flexible from {message.flexible_from}"
    )
    lines = [
        f'"""{message.name}, versions {_span(message.versions)} ({flexible}).',
        "",
        f"Generated from {message.source} by ottla.protocol.generator; do not edit.",
        '"""',
        "",
        "from __future__ import annotations",
        "",
    ]
    if code.constants:
        lines.append("import struct")
    lines.append("from collections.abc import Sequence")
    fields = ", field" if "field(" in body else ""
    lines += [f"from dataclasses import dataclass{fields}", "from typing import ClassVar", ""]
    if "NIL_UUID" in body:
        lines.append("from ottla.core.identifiers import NIL_UUID")
    lines.append("from ottla.protocol.message import Buffer, Message")
    parts = [name for name in ("Part", "RecordsSource") if _uses(body, name)]
    if parts:
        lines.append(f"from ottla.protocol.parts import {', '.join(parts)}")
    lines.append("from ottla.protocol.wire import (")
    lines += [f"    {name}," for name in _WIRE_NAMES if _uses(body, name)]
    lines += [")", ""]
    lines += [f"{name} = {value}" for name, value in sorted(code.constants.items())]
    return [*lines, "", ""]


def _uses(body: str, name: str) -> bool:
    return any(
        before + name + after in body
        for before in (" ", "(", "[", "{")
        for after in ("(", "]", " ", ":", ")", ",")
    )


def _span(versions: Versions) -> str:
    if versions.low == versions.high:
        return str(versions.low)
    return f"{versions.low}–{versions.high}"


def _emit_class(code: Code, message: MessageSchema, structure: Structure) -> None:
    root = structure is message.root
    code.add("@dataclass(slots=True)")
    with code.block(f"class {structure.name}{'(Message)' if root else ''}:"):
        for line in structure.fields:
            kind = python_type(line, message.kind == "response")
            code.add(f"{line.attribute}: {kind} = {_field_default(default_literal(line))}")
        if not structure.fields and not root:
            code.add("pass")
        if root:
            if structure.fields:
                code.add()
            _emit_methods(code, message)
    code.add()
    code.add()


def _field_default(literal: str) -> str:
    if literal == "[]":
        return "field(default_factory=list)"
    if literal.endswith("()"):
        return f"field(default_factory={literal[:-2]})"
    return literal


def _emit_methods(code: Code, message: MessageSchema) -> None:
    name = message.name
    code.add(f"MIN_VERSION: ClassVar[int] = {message.versions.low}")
    code.add(f"MAX_VERSION: ClassVar[int] = {message.versions.high}")
    code.add(f"FLEXIBLE_VERSION: ClassVar[int | None] = {message.flexible_from}")
    code.add()
    code.add("@classmethod")
    with code.block(f"def decode(cls, data: Buffer, version: int, offset: int = 0) -> {name}:"):
        code.add("return cls.decode_from(data, offset, version)[0]")
    code.add()
    code.add("@classmethod")
    with code.block(
        f"def decode_from(cls, data: Buffer, offset: int, version: int) -> tuple[{name}, int]:"
    ):
        with code.block("try:"):
            for word, test, flexible in _modes(message):
                reader = function_name("read", message.root, flexible)
                with code.block(f"{word} {test}:"):
                    code.add(f"(message,), end = {reader}(data, offset, 1, version)")
            with code.block("else:"):
                code.add(f'raise unknown_version("{name}", version)')
        with code.block("except MALFORMED as error:"):
            code.add(f'raise malformed("{name}", version, error) from error')
        with code.block("if end > len(data):"):
            code.add(f'raise malformed("{name}", version, IndexError())')
        code.add("return message, end")
    code.add()
    parts = carries_parts(message, message.root)
    with code.block("def _write(self, out: bytearray, version: int) -> None:"):
        _emit_dispatch(code, message, ", None" if parts else "")
    if parts:
        code.add()
        with code.block("def encode_parts(self, version: int) -> list[Part]:"):
            code.add("out = bytearray()")
            code.add("parts: list[Part] = []")
            _emit_dispatch(code, message, ", parts")
            with code.block("if out:"):
                code.add("parts.append(bytes(out))")
            code.add("return parts")


def _emit_dispatch(code: Code, message: MessageSchema, parts: str) -> None:
    for word, test, flexible in _modes(message):
        writer = function_name("write", message.root, flexible)
        with code.block(f"{word} {test}:"):
            code.add(f"{writer}(out, (self,), version{parts})")
    with code.block("else:"):
        code.add(f'raise ValueError(f"{message.name} has no version {{version}}")')


def _modes(message: MessageSchema) -> Iterable[tuple[str, str, bool]]:
    """(`if` or `elif`, test of the version, whether it is flexible), flexible first."""
    word = "if"
    for flexible in (True, False):
        versions = mode_versions(message, message.root, flexible)
        if versions:
            if versions.low == versions.high:
                test = f"version == {versions.low}"
            else:
                test = f"{versions.low} <= version <= {versions.high}"
            yield word, test, flexible
            word = "elif"


def table_module(messages: Sequence[MessageSchema]) -> str:
    """The source of `table.py`: key, name, versions and first flexible version of every API."""
    requests = sorted(
        (message for message in messages if message.kind == "request"),
        key=lambda message: message.key or 0,
    )
    lines = [
        '"""The APIs that have schemas. Generated by `python -m ottla.protocol.generator`."""',
        "",
        "from __future__ import annotations",
        "",
        "ROWS: tuple[tuple[int, str, str, int, int, int | None], ...] = (",
        "    # key, name, name in snake case, lowest and highest version, first flexible version",
    ]
    for message in requests:
        name = message.name.removesuffix("Request")
        versions = message.versions
        lines.append(
            f'    ({message.key}, "{name}", "{snake_case(name)}", {versions.low}, {versions.high},'
            f" {message.flexible_from}),"
        )
    lines += [")", ""]
    return "\n".join(lines)
