"""The headers of requests and responses; `api` tells their versions.

Generated like every other message: request headers have versions 1 and 2, response headers 0 and 1.
"""

from __future__ import annotations

from ottla.protocol.messages.request_header import RequestHeader
from ottla.protocol.messages.response_header import ResponseHeader

__all__ = ["RequestHeader", "ResponseHeader"]
