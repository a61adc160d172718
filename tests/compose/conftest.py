"""One engine and one stack for all tests of this folder."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from ottla.local.ports import free_ports
from tests.compose.stack import BROKERS, CONTROLLERS, START, Stack

ENGINE = Path(__file__).with_name("engine.sh")
ENGINE_SECONDS_MAX = 600.0
BUILD_SECONDS_MAX = 300.0


@pytest.fixture(scope="session")
def engine() -> Iterator[Mapping[str, str]]:
    """The variables that lead to a Docker engine: one that answers, or one of these tests' own."""
    started = subprocess.run(
        [str(ENGINE), "up"],
        capture_output=True,
        text=True,
        timeout=ENGINE_SECONDS_MAX,
        check=False,
    )
    try:
        assert started.returncode == 0, started.stderr
        yield dict(line.split("=", 1) for line in started.stdout.splitlines())
    finally:
        subprocess.run([str(ENGINE), "down"], timeout=60, check=True, capture_output=True)


@pytest.fixture(scope="session")
def stack(engine: Mapping[str, str]) -> Iterator[Stack]:
    """The stack, built from the repository as it is and started as README.md says."""
    stack = Stack(f"ottla-test-{os.getpid()}", tuple(free_ports(4)), engine)
    try:
        stack.compose("build", "-q", seconds_max=BUILD_SECONDS_MAX)
        started = stack.try_docker(*START, seconds_max=180)
        assert started.returncode == 0, started.stderr + stack.logs()
        yield stack
    finally:
        stack.try_docker("compose", "down", "-v", "--timeout", "5", seconds_max=120)
        stack.try_docker("image", "rm", stack.image)


@pytest.fixture
def healthy(stack: Stack) -> Stack:
    """The stack with all of its nodes ready, whatever a test before did."""
    stack.wait_ready(*CONTROLLERS, *BROKERS)
    return stack
