import json
import logging
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from ottla.core.logs import JsonFormatter, TextFormatter, configure_logging, request_fields


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


def failed(message: str) -> logging.LogRecord:
    try:
        raise ValueError("two\nlines")
    except ValueError as error:
        event = record(message)
        event.exc_info = (ValueError, error, error.__traceback__)
        return event


def test_a_traceback_stays_in_the_line_of_its_event() -> None:
    for formatter in (TextFormatter(), JsonFormatter()):
        line = formatter.format(failed("it failed"))
        assert len(line.splitlines()) == 1
        assert "Traceback (most recent call last)" in line
        assert "ValueError: two" in line


@pytest.mark.parametrize("character", ["\x1b", "\x85", "\u2028", "\x0b", "\x9b", "\r"])
def test_no_name_steers_a_terminal_or_begins_a_line(character: str) -> None:
    for formatter in (TextFormatter(), JsonFormatter()):
        line = formatter.format(record(f"topic {character}[2J"))
        assert character not in line
        assert len(line.splitlines()) == 1


def test_an_event_of_a_request_names_it() -> None:
    event = record("PRODUCE failed")
    vars(event).update(request_fields("12", 345, None, "PRODUCE", 9))
    assert "broker.main: [12:345] PRODUCE failed" in TextFormatter().format(event)
    seen = json.loads(JsonFormatter({"node_id": 3}).format(event))
    assert list(seen) == [
        "timestamp_ms",
        "level",
        "logger",
        "message",
        "node_id",
        "request_id",
        "api",
        "api_version",
    ]
    assert seen["request_id"] == "12:345"


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, as it was before when the test is over."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield root
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


def test_half_a_surrogate_pair_does_not_cost_the_event(
    tmp_path: Path, root: logging.Logger
) -> None:
    for number, log_format in enumerate(("text", "json")):
        file = tmp_path / str(number)
        configure_logging("info", log_format, file=str(file))
        logging.getLogger("test").info("client %s", "\udc80")
        root.handlers[0].close()
        assert "client \\udc80" in file.read_text()


def test_a_log_file_is_rotated_and_private(tmp_path: Path, root: logging.Logger) -> None:
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
