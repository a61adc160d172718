"""How a gRPC call says what came of it, in HTTP/2 headers (gRPC over HTTP2, "Responses"): pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias
from urllib.parse import quote, unquote

import grpc

Headers: TypeAlias = Sequence[tuple[str, str]]

CONTENT_TYPE: Final = "application/grpc"
_MESSAGE_CHARACTERS_MAX: Final = 1_024
_PLAIN: Final = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")
_BY_NUMBER: Final = {code.value[0]: code for code in grpc.StatusCode}


def request_headers(path: str, authority: str, *, tls: bool) -> Headers:
    return (
        (":method", "POST"),
        (":scheme", "https" if tls else "http"),
        (":path", path),
        (":authority", authority),
        ("te", "trailers"),
        ("content-type", CONTENT_TYPE),
    )


def response_headers() -> Headers:
    return ((":status", "200"), ("content-type", CONTENT_TYPE))


def trailers(code: grpc.StatusCode, details: str = "") -> Headers:
    """The status; `details` is cut where it is too long for a header."""
    number: int = code.value[0]
    if not details:
        return (("grpc-status", str(number)),)
    message = quote(details[:_MESSAGE_CHARACTERS_MAX], safe=_PLAIN)
    return (("grpc-status", str(number)), ("grpc-message", message))


def problem_of(headers: Headers) -> str | None:
    """Why the call failed, by its headers or trailers; None when they name no failure."""
    fields = dict(headers)
    status = fields.get(":status", "200")
    if status != "200":
        return f"HTTP status {status}"
    number = fields.get("grpc-status", "0")
    if number == "0":
        return None
    message = unquote(fields.get("grpc-message", ""))
    if message:
        return message
    code = _BY_NUMBER.get(int(number)) if number.isdecimal() else None
    return f"status {number}" if code is None else code.name
