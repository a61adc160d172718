"""Logging of every process: one line an event, to standard error or a rotated file, plain or JSON.

Loggers are the standard library's, named by module. No record payload and no secret is logged. An
event that belongs to a request says so with ``extra=request_fields(…)``.

One JSON object a line, ASCII, its keys in this order; those with a question mark only where known:

    timestamp_ms  int     wall time
    level         str     debug, info, warning, error or critical
    logger        str     the module
    message       str
    node_id?      int     of the server that logs
    request_id?   str     connection:correlation id, the same in all events of one request
    client_id?    str     as the client calls itself
    api?          str     Kafka's name of the request
    api_version?  int
    exception?    str     traceback
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import os
import sys
import time
from collections.abc import Mapping
from io import TextIOWrapper
from typing import Any

LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("text", "json")

_REQUEST_FIELDS = ("request_id", "client_id", "api", "api_version")

# What ends a line for some reader, or steers a terminal: names that strangers chose are logged.
_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))} | {
    0x0A: "\\n",
    0x0D: "\\r",
    0x09: "\\t",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}


def request_fields(
    connection_id: str, correlation_id: int, client_id: str | None, api: str, api_version: int
) -> dict[str, Any]:
    """The `extra` of an event that belongs to a request."""
    return {
        "request_id": f"{connection_id}:{correlation_id}",
        "client_id": client_id,
        "api": api,
        "api_version": api_version,
    }


class TextFormatter(logging.Formatter):
    """`2026-01-31T12:00:00.123Z INFO    broker.main: message`; a traceback follows in the line."""

    def format(self, record: logging.LogRecord) -> str:
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        text = record.getMessage()
        request_id = getattr(record, "request_id", None)
        if request_id is not None:
            text = f"[{request_id}] {text}"
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return (
            f"{stamp}.{int(record.msecs):03d}Z {record.levelname:<7} "
            f"{record.name}: {text.translate(_ESCAPES)}"
        )


class JsonFormatter(logging.Formatter):
    """One JSON object a line; `constants` are in each."""

    def __init__(self, constants: Mapping[str, object] | None = None) -> None:
        super().__init__()
        self._constants = dict(constants or {})

    def format(self, record: logging.LogRecord) -> str:
        event: dict[str, object] = {
            "timestamp_ms": int(record.created * 1000),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **self._constants,
        }
        for name in _REQUEST_FIELDS:
            value = getattr(record, name, None)
            if value is not None:
                event[name] = value
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return json.dumps(event)


def configure_logging(
    level: str = "info",
    log_format: str = "text",
    *,
    file: str | None = None,
    file_bytes_max: int = 10_485_760,
    files_kept: int = 3,
    node_id: int | None = None,
) -> None:
    """Send all loggers' events, and Python's warnings, to `file` or standard error; replaces
    earlier handlers.

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
    constants = {} if node_id is None else {"node_id": node_id}
    handler.setFormatter(JsonFormatter(constants) if log_format == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.captureWarnings(True)


class _PrivateRotatingFile(logging.handlers.RotatingFileHandler):
    """Only its owner may read it: client ids, topic names and addresses stand in logs."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        # Half a surrogate pair in a client's name must not cost the event.
        return open(descriptor, "a", encoding=self.encoding, errors="backslashreplace")
