import json
import logging
import stat
from pathlib import Path

import pytest

from ottla.core.logs import JsonFormatter, TextFormatter, configure_logging


def record(message: str) -> logging.LogRecord:
    return logging.LogRecord("broker.main", logging.WARNING, "file", 1, message, None, None)


def test_text_is_one_line_even_for_hostile_names() -> None:
    line = TextFormatter().format(record("topic a\nINFO forged"))
    assert "\n" not in line
    assert "WARNING broker.main: topic a\\nINFO forged" in line


def test_json_lines_parse() -> None:
    event = json.loads(JsonFormatter().format(record("hello")))
    assert event["level"] == "warning"
    assert event["message"] == "hello"


def test_a_log_file_is_rotated_and_private(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level

    def restore() -> None:
        root.handlers[:] = handlers
        root.setLevel(level)

    request.addfinalizer(restore)
    file = tmp_path / "server.log"
    configure_logging("info", file=str(file), file_bytes_max=500, files_kept=2)
    for number in range(100):
        logging.getLogger("test").info("event %d", number)
    root.handlers[0].close()
    names = sorted(entry.name for entry in tmp_path.iterdir())
    assert names == ["server.log", "server.log.1", "server.log.2"]
    assert all(entry.stat().st_size <= 500 for entry in tmp_path.iterdir())
    assert all(stat.S_IMODE(entry.stat().st_mode) == 0o600 for entry in tmp_path.iterdir())
    assert "event 99" in file.read_text()
