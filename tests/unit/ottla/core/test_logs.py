import json
import logging

from ottla.core.logs import JsonFormatter, TextFormatter


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
