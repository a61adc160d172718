from __future__ import annotations

import ast

from ottla.protocol.generation.modules import message_module, table_module
from ottla.protocol.generation.schema import parse_schemas

TABLE = """
request PingRequest key=7 versions=0-3 flexible=2+
  Text   string  0+
  Items  []Item  1+
    Id   uuid    1+

response PongResponse key=3 versions=1 flexible=none
  Code   int16   1+
"""


def test_structures_come_before_what_uses_them() -> None:
    request, _ = parse_schemas(TABLE, "ping.schema")
    source = message_module(request)
    assert source.index("class Item:") < source.index("class PingRequest(Message):")
    assert "from ping.schema by" in source


def test_modules_import_what_they_use_and_nothing_else() -> None:
    for schema in parse_schemas(TABLE, "ping.schema"):
        tree = ast.parse(message_module(schema))
        imported = {
            alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom | ast.Import)
            for alias in node.names
        } - {"annotations"}
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        assert imported <= used


def test_dispatch_by_version() -> None:
    source = message_module(parse_schemas(TABLE, "ping.schema")[0])
    assert "if 2 <= version <= 3:" in source
    assert "elif 0 <= version <= 1:" in source


def test_table_lists_requests_by_key() -> None:
    assert '(7, "Ping", "ping", 0, 3, 2),' in table_module(parse_schemas(TABLE, "ping.schema"))
    assert "Pong" not in table_module(parse_schemas(TABLE, "ping.schema"))
