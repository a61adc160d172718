from __future__ import annotations

import asyncio
import json

from broker.http.health import health_routes
from broker.http.readiness import Readiness
from broker.http.server import HttpAnswer, HttpRequest


def ask(readiness: Readiness, path: str) -> HttpAnswer:
    async def answer() -> HttpAnswer:
        return await health_routes(readiness)[path](HttpRequest("GET", path))

    return asyncio.run(answer())


def test_not_ready_names_the_reasons_and_is_live_all_the_same() -> None:
    readiness = Readiness()
    answer = ask(readiness, "/health/ready")
    assert (answer.status, answer.content_type) == (503, "application/json")
    assert json.loads(answer.body) == {"status": "not ready", "reasons": ["the node is starting"]}
    assert ask(readiness, "/health/live").status == 200


def test_ready() -> None:
    readiness = Readiness()
    readiness.stage = None
    answer = ask(readiness, "/health/ready")
    assert (answer.status, json.loads(answer.body)) == (200, {"status": "ready"})
