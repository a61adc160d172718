"""`/health/live` and `/health/ready`, as JSON.

live    200 {"status": "live"}        the event loop turns; anything else is a connection error
ready   200 {"status": "ready"}
        503 {"status": "not ready", "reasons": ["…", …]}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from broker.http.readiness import Readiness
from broker.http.server import HttpAnswer, HttpRequest, Route


def health_routes(readiness: Readiness) -> Mapping[str, Route]:
    async def live(_: HttpRequest) -> HttpAnswer:
        return _json(200, {"status": "live"})

    async def ready(_: HttpRequest) -> HttpAnswer:
        reasons = readiness.reasons()
        if reasons:
            return _json(503, {"status": "not ready", "reasons": reasons})
        return _json(200, {"status": "ready"})

    return {"/health/live": live, "/health/ready": ready}


def _json(status: int, value: Mapping[str, Any]) -> HttpAnswer:
    body = json.dumps(value, ensure_ascii=False).encode() + b"\n"
    return HttpAnswer(status, body, "application/json")
