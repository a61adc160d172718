from __future__ import annotations

import pytest

from tests.support.command_line import CommandLine
from tests.support.fake_kafka import FakeKafka


@pytest.fixture
def ottla(monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(FakeKafka(), monkeypatch)
