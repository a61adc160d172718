"""Logging of every process: one line an event, to standard error or a rotated file, plain or JSON.

Loggers are the standard library's, named by module. No record payload and no secret is logged.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
import sys
import time
from io import TextIOWrapper

LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("text", "json")


class TextFormatter(logging.Formatter):
    """`2026-01-31T12:00:00.123Z INFO  broker.main: message`; newlines are escaped."""

    def format(self, record: logging.LogRecord) -> str:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        line = (
            f"{stamp}.{int(record.msecs):03d}Z {record.levelname:<7} "
            f"{record.name}: {_one_line(record)}"
        )
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        event: dict[str, object] = {
            "timestamp_ms": int(record.created * 1000),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return json.dumps(event, ensure_ascii=False)


def _one_line(record: logging.LogRecord) -> str:
    return record.getMessage().replace("\n", "\\n").replace("\r", "\\r")


def configure_logging(
    level: str = "info",
    log_format: str = "text",
    *,
    file: str | None = None,
    file_bytes_max: int = 10_485_760,
    files_kept: int = 3,
) -> None:
    """Send all loggers' events to `file` or standard error; replaces earlier handlers.

    A file is rotated at `file_bytes_max` bytes and `files_kept` older ones stay beside it, mode
    0600. OSError when it cannot be written.
    """
    handler: logging.Handler
    if file is None:
        handler = logging.StreamHandler(sys.stderr)
    else:
        handler = _PrivateRotatingFile(
            file, maxBytes=file_bytes_max, backupCount=files_kept, encoding="utf-8"
        )
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())


class _PrivateRotatingFile(logging.handlers.RotatingFileHandler):
    """Only its owner may read it: client ids, topic names and addresses stand in logs."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return open(descriptor, "a", encoding=self.encoding)
