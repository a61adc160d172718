"""Small tools of the emitters: indented lines, named struct constants, version conditions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ottla.protocol.generation.schema import (
    FIXED_SIZES,
    Field,
    MessageSchema,
    Structure,
    Versions,
    snake_case,
)

_LOCAL_NAMES = frozenset(
    {"data", "position", "count", "version", "items", "n", "end", "tag", "tags", "tag_end"}
    | {"out", "item", "raw", "content", "parts", "len", "range", "struct", "field"}
    | {"bool", "int", "str", "bytes", "list", "bytearray", "memoryview"}
)
"""Names that generated functions use themselves."""

_NAME_LETTERS = {"?": "o", "16s": "u", "B": "c", "H": "w", "I": "v"}
"""How a struct code is written in the name of a constant: lower case, one letter."""


class Code:
    """Lines of a module under construction and the constants that they use."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.constants: dict[str, str] = {}
        self._depth = 0

    def add(self, line: str = "") -> None:
        self.lines.append("    " * self._depth + line if line else "")

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Lines inside are indented below `head`."""
        self.add(head)
        self._depth += 1
        yield
        self._depth -= 1

    @contextmanager
    def when(self, condition: str | None) -> Iterator[None]:
        """An `if` block, or no block at all when there is no condition."""
        if condition is None:
            yield
        else:
            with self.block(f"if {condition}:"):
                yield

    def unpacker(self, codes: Sequence[str]) -> str:
        """The name of the module's constant that unpacks `codes`, big-endian."""
        return self._constant("_unpack_", codes, "unpack_from")

    def packer(self, codes: Sequence[str]) -> str:
        """The name of the module's constant that packs `codes`, big-endian."""
        return self._constant("_pack_", codes, "pack")

    def _constant(self, prefix: str, codes: Sequence[str], method: str) -> str:
        name = prefix + "".join(_NAME_LETTERS.get(code, code) for code in codes)
        self.constants[name] = f'struct.Struct(">{"".join(codes)}").{method}'
        return name


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive versions in which the same fields of a run are on the wire."""

    versions: Versions
    present: tuple[Field, ...]
    absent: tuple[Field, ...]
    follows: bool
    """Whether the field behind the run is on the wire too."""


def runs_of(fields: Sequence[Field], behind: Field | None, versions: Versions) -> list[Run]:
    """How a run of fixed-size fields, and what comes behind it, looks from version to version."""
    runs: list[Run] = []
    for version in range(versions.low, versions.high + 1):
        present = tuple(line for line in fields if version in line.versions)
        absent = tuple(line for line in fields if version not in line.versions)
        follows = behind is not None and version in behind.versions
        if runs and (runs[-1].present, runs[-1].follows) == (present, follows):
            low = runs.pop().versions.low
        else:
            low = version
        runs.append(Run(Versions(low, version), present, absent, follows))
    return runs


def branch_heads(runs: Sequence[Run]) -> list[tuple[str | None, Run]]:
    """The runs newest first, each with the head of its branch; None when there is only one."""
    if len(runs) == 1:
        return [(None, runs[0])]
    heads: list[tuple[str | None, Run]] = []
    for place, run in enumerate(reversed(runs)):
        if place == len(runs) - 1:
            heads.append(("else:", run))
        else:
            word = "elif" if place else "if"
            heads.append((f"{word} version >= {run.versions.low}:", run))
    return heads


def condition_of(part: Versions, whole: Versions) -> str | None:
    """What tells that `version`, known to be in `whole`, is in `part`; None when it always is."""
    if part.covers(whole):
        return None
    if part.high >= whole.high:
        return f"version >= {part.low}"
    if part.low <= whole.low:
        return f"version <= {part.high}"
    if part.low == part.high:
        return f"version == {part.low}"
    return f"{part.low} <= version <= {part.high}"


def local_name(line: Field) -> str:
    """The local variable of a field: its attribute, unless the generated code uses that name."""
    return line.attribute + "_" if line.attribute in _LOCAL_NAMES else line.attribute


def mode_versions(message: MessageSchema, structure: Structure, flexible: bool) -> Versions:
    """The versions of `structure` that are flexible, or those that are not."""
    if message.flexible_from is None:
        return Versions(1, 0) if flexible else structure.versions
    if flexible:
        return structure.versions & Versions(message.flexible_from, message.versions.high)
    return structure.versions & Versions(message.versions.low, message.flexible_from - 1)


def function_name(verb: str, structure: Structure | str, flexible: bool) -> str:
    """`_read_fetch_topic_flexible`, `_write_fetch_topic_classic` …"""
    name = structure if isinstance(structure, str) else structure.name
    return f"_{verb}_{snake_case(name)}_{'flexible' if flexible else 'classic'}"


def length_code(line: Field, flexible: bool) -> str:
    """The struct code of what announces a field of variable size; empty when nothing does."""
    if line.structure and not line.array:
        return "b" if line.nullable else ""
    if flexible and line.flexible:
        return "B"
    return "h" if line.type == "string" and not line.array else "i"


def size_min(message: MessageSchema, structure: Structure, flexible: bool) -> int:
    """The fewest bytes that `structure` can take in any of its versions."""
    versions = mode_versions(message, structure, flexible)
    return min(
        _size_min(message, structure, flexible, version)
        for version in range(versions.low, versions.high + 1)
    )


def _size_min(message: MessageSchema, structure: Structure, flexible: bool, version: int) -> int:
    size = 1 if flexible else 0
    for line in structure.fields:
        if version not in line.versions or line.tag is not None:
            continue
        if line.fixed:
            size += FIXED_SIZES[line.type]
        elif code := length_code(line, flexible):
            size += {"b": 1, "B": 1, "h": 2, "i": 4}[code]
        else:
            size += _size_min(message, message.structures[line.type], flexible, version)
    return size


def python_type(line: Field, response: bool) -> str:
    """The annotation of a field."""
    if line.array:
        base = f"list[{_element_type(line, response)}]"
    else:
        base = _element_type(line, response)
    optional = bool(line.nullable) or default_literal(line) == "None"
    return f"{base} | None" if optional else base


def _element_type(line: Field, response: bool) -> str:
    if line.structure:
        return line.type
    if line.type == "records":
        return "Buffer | RecordsSource" if response else "Buffer"
    return {"string": "str", "bytes": "bytes", "uuid": "bytes", "bool": "bool"}.get(
        line.type, "float" if line.type == "float64" else "int"
    )


def default_literal(line: Field) -> str:
    """The field's default as Python source.

    A tagged structure defaults to None: absent on the wire is None here, and a partition of a fetch
    response need not build three objects that nobody reads.
    """
    if line.default == "null" or (line.type == "records" and line.nullable):
        return "None"
    if line.array:
        return "[]"
    if line.structure:
        return "None" if line.tag is not None else f"{line.type}()"
    if line.type == "string":
        return repr(line.default or "").replace("'", '"')
    if line.type in ("bytes", "records"):
        return 'b""'
    if line.type == "uuid":
        return "NIL_UUID"
    if line.type == "bool":
        return "True" if line.default == "true" else "False"
    if line.type == "float64":
        return repr(float(line.default or 0))
    return str(int(line.default or "0"))
