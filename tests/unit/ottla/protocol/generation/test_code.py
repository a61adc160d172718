from __future__ import annotations

import pytest

from ottla.protocol.generation.code import (
    Code,
    branch_heads,
    condition_of,
    default_literal,
    function_name,
    length_code,
    local_name,
    mode_versions,
    python_type,
    runs_of,
    size_min,
)
from ottla.protocol.generation.schema import MessageSchema, Versions, parse_schemas

TABLE = """
response PongResponse key=7 versions=0-5 flexible=3+
  Data     int32    0+
  Late     int8     2+   default=-1
  Text     string   0-4  null default=null
  List     []Item   0+
    Id     uuid     0+
    Flag   bool     0+   default=true
    Rate   float64  0+
    Ratio  float64  1+   default=0.5
    Code   bytes    0+
    Raw    records  0+   null
  Tagged   Item     3+   tag=0
  Plain    Item     4+
"""


def _schema() -> MessageSchema:
    return parse_schemas(TABLE, "pong.schema")[0]


def test_code_indents_blocks_and_names_constants() -> None:
    code = Code()
    with code.block("if a:"):
        with code.when(None):
            code.add("b")
        with code.when("c"):
            code.add("d")
        code.add()
    assert code.lines == ["if a:", "    b", "    if c:", "        d", ""]
    assert code.unpacker(["i", "16s", "?", "B", "H"]) == "_unpack_iuocw"
    assert code.packer(["q"]) == "_pack_q"
    assert code.constants == {
        "_unpack_iuocw": 'struct.Struct(">i16s?BH").unpack_from',
        "_pack_q": 'struct.Struct(">q").pack',
    }


def test_runs_join_versions_with_the_same_layout() -> None:
    data, late, text = _schema().root.fields[:3]
    runs = runs_of([data, late], text, Versions(0, 5))
    assert [(run.versions, len(run.present), len(run.absent), run.follows) for run in runs] == [
        (Versions(0, 1), 1, 1, True),
        (Versions(2, 4), 2, 0, True),
        (Versions(5, 5), 2, 0, False),
    ]
    assert [head for head, _ in branch_heads(runs)] == [
        "if version >= 5:",
        "elif version >= 2:",
        "else:",
    ]
    assert [head for head, _ in branch_heads(runs[:1])] == [None]


@pytest.mark.parametrize(
    ("part", "condition"),
    [
        (Versions(0, 9), None),
        (Versions(3, 9), "version >= 3"),
        (Versions(0, 3), "version <= 3"),
        (Versions(3, 4), "3 <= version <= 4"),
        (Versions(3, 3), "version == 3"),
    ],
)
def test_conditions(part: Versions, condition: str | None) -> None:
    assert condition_of(part, Versions(1, 7)) == condition


def test_names() -> None:
    schema = _schema()
    assert local_name(schema.root.fields[0]) == "data_"
    assert local_name(schema.root.fields[1]) == "late"
    assert function_name("read", schema.structures["Item"], True) == "_read_item_flexible"
    assert function_name("write", "FooBar", False) == "_write_foo_bar_classic"


def test_modes_and_least_sizes() -> None:
    schema = _schema()
    item = schema.structures["Item"]
    assert mode_versions(schema, item, True) == Versions(3, 5)
    assert mode_versions(schema, item, False) == Versions(0, 2)
    # uuid, bool, rate, ratio, bytes, records, tags
    assert size_min(schema, item, True) == 16 + 1 + 8 + 8 + 1 + 1 + 1
    # no ratio in version 0
    assert size_min(schema, item, False) == 16 + 1 + 8 + 4 + 4
    # version 3: data, late, text, list, tags
    assert size_min(schema, schema.root, True) == 4 + 1 + 1 + 1 + 1


def test_lengths() -> None:
    lines = {line.name: line for line in _schema().root.fields}
    assert [length_code(lines[name], True) for name in ("Text", "List", "Plain")] == ["B", "B", ""]
    assert [length_code(lines[name], False) for name in ("Text", "List")] == ["h", "i"]


def test_types_and_defaults() -> None:
    schema = _schema()
    lines = [line for structure in schema.structures.values() for line in structure.fields]
    shown = {line.name: (python_type(line, True), default_literal(line)) for line in lines}
    assert shown == {
        "Data": ("int", "0"),
        "Late": ("int", "-1"),
        "Text": ("str | None", "None"),
        "List": ("list[Item]", "[]"),
        "Tagged": ("Item | None", "None"),
        "Plain": ("Item", "Item()"),
        "Id": ("bytes", "NIL_UUID"),
        "Flag": ("bool", "True"),
        "Rate": ("float", "0.0"),
        "Ratio": ("float", "0.5"),
        "Code": ("bytes", 'b""'),
        "Raw": ("Buffer | RecordsSource | None", "None"),
    }
