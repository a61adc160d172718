"""Running the command line in this process, against a cluster in memory."""

from __future__ import annotations

import io
import json
import sys
from dataclasses import dataclass
from typing import Any, cast

import pytest

from ottla.cli import common
from ottla.cli.main import run
from ottla.client.options import ClientOptions
from tests.support.fake_kafka import FakeKafka


@dataclass
class Outcome:
    """What a command did."""

    code: int
    output: bytes
    errors: str

    @property
    def text(self) -> str:
        return self.output.decode()

    @property
    def lines(self) -> list[str]:
        return [line.rstrip() for line in self.text.splitlines() if line.strip()]

    @property
    def json(self) -> Any:
        return json.loads(self.output)


class CommandLine:
    """`ottla …` with a FakeKafka at the other end."""

    def __init__(self, kafka: FakeKafka, monkeypatch: pytest.MonkeyPatch) -> None:
        self.kafka = kafka
        self._monkeypatch = monkeypatch
        monkeypatch.setattr(common, "client_options", self._options)
        monkeypatch.setenv("OTTLA_BOOTSTRAP", kafka.bootstrap)
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.delenv("OTTLA_DEBUG", raising=False)

    def _options(self, timeout_seconds: float = 30.0) -> ClientOptions:
        return self.kafka.options(round(timeout_seconds * 1000))

    def __call__(self, *arguments: str, stdin: bytes = b"") -> Outcome:
        output, errors = io.BytesIO(), io.StringIO()
        with self._monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
            stdout = io.TextIOWrapper(cast(Any, output), encoding="utf-8", write_through=True)
            patch.setattr(sys, "stdout", stdout)
            patch.setattr(sys, "stderr", errors)
            code = run(arguments)
            stdout.flush()
        return Outcome(code, output.getvalue(), errors.getvalue())
