"""What the writers of a small message look like; that they are right is the oracles' business."""

from __future__ import annotations

from ottla.protocol.generation.code import Code
from ottla.protocol.generation.schema import MessageSchema, parse_schemas
from ottla.protocol.generation.writing import carries_parts, emit_writer


def _schema(table: str, kind: str = "request") -> MessageSchema:
    head = f"{kind} A key=1 versions=0-3 flexible=2+"
    return parse_schemas(f"{head}\n{table}", "a.schema")[0]


def _writer(table: str, *, flexible: bool, kind: str = "request") -> str:
    schema = _schema(table, kind)
    code = Code()
    emit_writer(code, schema, schema.root, flexible)
    return "\n".join(code.lines)


def test_fixed_fields_and_the_empty_tags_are_packed_together() -> None:
    source = _writer("  X int32 0+\n  Y uuid 0+\n", flexible=True)
    assert "out += _pack_iux(item.x, item.y)" in source


def test_absent_fields_are_refused_unless_ignorable() -> None:
    source = _writer("  X int32 1+ default=-1\n  Y int32 1+ ignorable\n", flexible=False)
    assert "if item.x != -1:" in source
    assert 'raise absent_fault("A.x", version)' in source
    assert "item.y !=" not in source


def test_tagged_fields_are_written_only_when_set() -> None:
    source = _writer("  X int32 2+ tag=0\n  Y B 3+ tag=5\n    Z int8 3+\n", flexible=True)
    assert "if item.x != 0:" in source
    assert "if version >= 3 and item.y is not None:" in source
    assert "write_tagged(out, 0, _pack_i(item.x))" in source
    assert "write_tagged(out, 5, content)" in source


def test_versions_without_fields_write_nothing() -> None:
    assert _writer("  X int32 2+ ignorable\n", flexible=False).splitlines()[1] == "    pass"


def test_only_responses_hand_over_sources() -> None:
    table = "  X []B 0+\n    Y records 0+ null\n"
    response = _schema(table, "response")
    assert carries_parts(response, response.root)
    assert not carries_parts(_schema(table), _schema(table).root)
    assert "_write_b_flexible(out, item.x, version, parts)" in _writer(
        table, flexible=True, kind="response"
    )
    assert "parts" not in _writer(table, flexible=True)
