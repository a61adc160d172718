"""The program's side of ../../README.md: arguments, requests to the harness, the verdict."""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


class Mismatch(Exception):
    """What was read, or answered, is not what was expected; the text says both."""


@dataclass(frozen=True, slots=True)
class Passed:
    """A scenario's good end, with what it counted and measured."""

    detail: str
    numbers: Mapping[str, Any] = field(default_factory=dict)


def ask(request: str) -> str:
    """Have the harness do something; what follows its ``ok``. Mismatch when it cannot."""
    print(f"@{request}", flush=True)  # noqa: T201
    answer = sys.stdin.readline().strip()
    if answer.partition(" ")[0] != "ok":
        raise Mismatch(f"the harness answers {request!r} with {answer!r}")
    return answer[3:]


def expect(condition: bool, what: str) -> None:
    if not condition:
        raise Mismatch(what)


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Mismatch(f"not so after {seconds:.0f} s: {what}")
        time.sleep(0.02)


def give_verdict(scenario: Callable[[], Passed]) -> int:
    """Run it and print the last line; the exit code."""
    try:
        passed = scenario()
    except Exception as error:
        traceback.print_exc()
        said = {"verdict": "fail", "detail": f"{type(error).__name__}: {error}"}
        print(json.dumps(said), flush=True)  # noqa: T201
        return 1
    said = {"verdict": "pass", "detail": passed.detail, **passed.numbers}
    print(json.dumps(said), flush=True)  # noqa: T201
    return 0
