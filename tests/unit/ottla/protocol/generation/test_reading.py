"""What the readers of a small message look like; that they are right is the oracles' business."""

from __future__ import annotations

import pytest

from ottla.protocol.generation.code import Code
from ottla.protocol.generation.reading import emit_reader
from ottla.protocol.generation.schema import SchemaError, parse_schemas


def _reader(table: str, *, flexible: bool, name: str = "A") -> str:
    schema = parse_schemas(f"data A versions=0-3 flexible=2+\n{table}", "a.schema")[0]
    code = Code()
    emit_reader(code, schema, schema.structures[name], flexible)
    return "\n".join(code.lines)


def test_fixed_fields_length_and_number_of_tags_are_unpacked_together() -> None:
    source = _reader("  X int32 0+\n  Y uuid 0+\n  Z string 0+\n  W int8 0+\n", flexible=True)
    assert "x, y, n = _unpack_iuc(data, position)" in source
    assert "w, tags = _unpack_bc(data, position)" in source
    assert "position = skip_tags(data, position, tags)" in source


def test_a_branch_covers_a_whole_run() -> None:
    source = _reader("  X int32 0+\n  Y int16 1+ default=-1\n", flexible=False)
    assert "if version >= 1:" in source
    assert "x, y = _unpack_ih(data, position)" in source
    assert "(x,) = _unpack_i(data, position)" in source
    assert "y = -1" in source


def test_null_is_refused_in_versions_without_it() -> None:
    source = _reader("  X string 0+ null=1+\n", flexible=False)
    assert "if not (version >= 1):" in source
    assert 'raise null_fault("A.x")' in source


def test_arrays_are_bounded_before_they_are_read() -> None:
    table = "  X []B 0+\n    Y int32 0+\n    Z int64 0+\n"
    assert "if position + count * 12 > len(data):" in _reader(table, flexible=False, name="B")
    assert "if position + count * 13 > len(data):" in _reader(table, flexible=True, name="B")


def test_tagged_fields_are_read_by_tag_and_version() -> None:
    source = _reader("  X int32 2+ tag=0\n  Y []int32 3+ tag=5\n", flexible=True)
    assert "if tag == 0:" in source
    assert "elif tag == 5 and version >= 3:" in source
    assert 'raise tag_fault("A", tag)' in source


def test_elements_without_bytes_are_refused() -> None:
    with pytest.raises(SchemaError, match="B can be empty"):
        _reader("  X []B 0+\n    Y int32 3+\n", flexible=False, name="B")
