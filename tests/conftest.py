"""What all tests share: what a machine lacks is left out by name, never silently.

A test that needs a program which is no Python package says ``@pytest.mark.needs("kcat")``. Where it
is missing the test is left out and named in the last line of the run; with CI=true that is a
failure, since there everything must be installed.
"""

from __future__ import annotations

import os
import shutil

import pytest

import tests.support.examples  # noqa: F401  # registers the long profile before pytest selects one

pytest_plugins = ["pytester"]

_left_out: dict[str, int] = {}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(program, ...): programs of the system that it runs")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        needed = [name for mark in item.iter_markers("needs") for name in mark.args]
        missing = [name for name in needed if shutil.which(name) is None]
        (left_out if missing else kept).append(item)
        for name in missing:
            _left_out[name] = _left_out.get(name, 0) + 1
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = kept


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if _left_out and os.environ.get("CI") == "true" and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure(config: pytest.Config) -> None:
    if _left_out:
        shown = ", ".join(f"{count} that need {name}" for name, count in _left_out.items())
        print(f"Left out: {shown} (install it to run them)")  # noqa: T201
