from __future__ import annotations

import pytest

from ottla.protocol.generation.schema import (
    Field,
    SchemaError,
    Versions,
    parse_schemas,
    snake_case,
)

TABLE = """
# A comment.
request PingRequest key=7 versions=0-5 flexible=3+   # another
  Name        string    0-4
  Items       []Item    1+   null=2+ ignorable
    Number    int32     1+   default=-1
    Inner     Inner     4+
      Flag    bool      4+   default=true
  Others      []Common  0+
  Extra       int64     3+   tag=0 default=5

struct Common 0+
  Text        string    0+   null default=null flexible=none

data Plain versions=2 flexible=none
  Value       bytes     2+
"""


def _field(name: str) -> Field:
    request = parse_schemas(TABLE, "ping.schema")[0]
    return next(
        line
        for structure in request.structures.values()
        for line in structure.fields
        if line.name == name
    )


def test_messages_and_structures() -> None:
    request, plain = parse_schemas(TABLE, "ping.schema")
    assert (request.kind, request.name, request.key) == ("request", "PingRequest", 7)
    assert (request.versions, request.flexible_from) == (Versions(0, 5), 3)
    assert list(request.structures) == ["PingRequest", "Item", "Inner", "Common"]
    assert request.module == "ping_request"
    assert [line.name for line in request.root.fields] == ["Name", "Items", "Others", "Extra"]
    assert (plain.kind, plain.key, plain.flexible_from) == ("data", None, None)


def test_versions_of_structures_are_those_of_their_uses() -> None:
    request = parse_schemas(TABLE, "ping.schema")[0]
    assert request.structures["Item"].versions == Versions(1, 5)
    assert request.structures["Inner"].versions == Versions(4, 5)
    assert request.structures["Common"].versions == Versions(0, 5)


def test_attributes() -> None:
    items = _field("Items")
    assert (items.type, items.array, items.structure, items.fixed) == ("Item", True, True, False)
    assert (items.versions, items.nullable, items.ignorable) == (
        Versions(1, 5),
        Versions(2, 5),
        True,
    )
    number = _field("Number")
    assert (number.fixed, number.default, number.tag, bool(number.nullable)) == (
        True,
        "-1",
        None,
        False,
    )
    assert (_field("Extra").tag, _field("Extra").default) == (0, "5")
    assert (_field("Text").flexible, _field("Text").default) == (False, "null")
    assert _field("Text").nullable == Versions(0, 5)


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ("table Ping versions=0 flexible=none", "line 1: 'table' starts no message"),
        ("data A versions=0+ flexible=none", "need an end"),
        ("data A versions=0 flexible=none\n  B string 0+ nul", "unknown attribute 'nul'"),
        ("data A versions=0 flexible=none\n  B string 0+\n    C int8 0+", "only a structure"),
        ("data A versions=0 flexible=none\n  B C 0+\n      D int8 0+\n   E int8 0+", "line 4"),
        ("data A versions=0 flexible=none\n  B C 0+", "unknown type C"),
        ("data A versions=0-1 flexible=1+\n  B int8 0+ tag=0", "tagged before"),
        ("data A versions=0 flexible=none\n  B", "line 2"),
        (
            "data A versions=0 flexible=none\n  B C 0+\n    D int8 0+\n  E C 0+\n    F int8 0+",
            "C is defined twice",
        ),
    ],
)
def test_faults_name_file_and_line(table: str, fault: str) -> None:
    with pytest.raises(SchemaError, match=r"bad\.schema.*" + fault.replace("+", r"\+")):
        parse_schemas(table, "bad.schema")


def test_ranges() -> None:
    assert Versions(2, 4) & Versions(3, 9) == Versions(3, 4)
    assert not Versions(2, 4) & Versions(5, 9)
    assert 4 in Versions(2, 4)
    assert 5 not in Versions(2, 4)
    assert Versions(2, 4).covers(Versions(2, 3))
    assert not Versions(2, 4).covers(Versions(1, 3))


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("TopicId", "topic_id"),
        ("V3AndBelowTopics", "v3_and_below_topics"),
        ("Hmac", "hmac"),
        ("ThrottleTimeMs", "throttle_time_ms"),
    ],
)
def test_snake_case(name: str, attribute: str) -> None:
    assert snake_case(name) == attribute
