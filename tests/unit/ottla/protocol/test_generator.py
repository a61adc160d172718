from __future__ import annotations

from pathlib import Path

import pytest

from ottla.protocol import generator
from ottla.protocol.generator import PACKAGE, committed, differences, generate, main


def test_committed_modules_are_what_the_schemas_say() -> None:
    assert differences(generate(PACKAGE / "schemas"), committed(PACKAGE)) == []


def test_differences_name_missing_changed_and_left_over_files() -> None:
    assert differences({"a": "1", "b": "1", "c": "1"}, {"b": "2", "c": "1", "d": "1"}) == [
        "a",
        "b",
        "d",
    ]


def test_writing_and_checking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "messages").mkdir()
    (tmp_path / "messages" / "__init__.py").write_text("")
    (tmp_path / "messages" / "left_over.py").write_text("")
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "ping.schema").write_text(
        "request PingRequest key=7 versions=0-1 flexible=1+\n  Text string 0+\n"
    )
    monkeypatch.setattr(generator, "PACKAGE", tmp_path)
    assert main(["--check"]) == 1
    assert "would change: messages/ping_request.py" in capsys.readouterr().out
    assert main([]) == 0
    assert sorted(path.name for path in (tmp_path / "messages").iterdir()) == [
        "__init__.py",
        "ping_request.py",
    ]
    assert '(7, "Ping", "ping", 0, 1, 1)' in (tmp_path / "table.py").read_text()
    assert main(["--check"]) == 0
