"""A cell of the compatibility table: small programs that keep the contract, and that break it."""

from __future__ import annotations

import sys
import textwrap
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from ottla.core.errors import OttlaError
from tests.conformance.compatibility.cell import answer, judge, run_cell


class Recorder:
    """A helper that does nothing but remember."""

    def __init__(self) -> None:
        self.asked: list[object] = []

    def create_topic(
        self, name: str, partitions: int, replication: int, configs: Mapping[str, str]
    ) -> None:
        self.asked.append((name, partitions, replication, dict(configs)))

    def delete_topic(self, name: str) -> None:
        raise OttlaError("there is\nno such topic")

    def kill_leader(self, topic: str, partition: int) -> int:
        self.asked.append((topic, partition))
        return 2

    def restart(self) -> None:
        self.asked.append("restart")


def program(text: str) -> list[str]:
    return [sys.executable, "-c", textwrap.dedent(text)]


def test_a_program_asks_and_passes(tmp_path: Path) -> None:
    helper = Recorder()
    verdict = run_cell(
        program(
            """
            import json, sys
            print("something else")
            print("@create t 3 2 retention.ms=5 a=b=c", flush=True)
            first = sys.stdin.readline().strip()
            print("@kill-leader t 1", flush=True)
            second = sys.stdin.readline().strip()
            print("noise", file=sys.stderr)
            print(json.dumps({"verdict": "pass", "detail": first + ", " + second, "messages": 7}))
            """
        ),
        tmp_path,
        helper,
    )
    assert verdict.passed
    assert verdict.detail == "ok, ok 2"
    assert verdict.numbers == {"messages": 7}
    assert verdict.errors == "noise\n"
    assert helper.asked == [("t", 3, 2, {"retention.ms": "5", "a": "b=c"}), ("t", 1)]


def test_a_program_that_hangs_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    begun = time.monotonic()
    verdict = run_cell(
        program(
            """
            import subprocess, sys
            subprocess.run([sys.executable, "-c", "import time; time.sleep(600)"])
            """
        ),
        tmp_path,
        Recorder(),
        seconds_max=1.0,
    )
    assert not verdict.passed
    assert verdict.detail == "not done after 1 s"
    # The grandchild holds the output open: without its end this would take as long as it sleeps.
    assert time.monotonic() - begun < 60


def test_a_program_that_dies_before_its_answer_has_no_verdict(tmp_path: Path) -> None:
    verdict = run_cell(
        program("import os; print('@restart', flush=True); os._exit(3)"), tmp_path, Recorder()
    )
    assert not verdict.passed
    assert verdict.detail.startswith("no verdict; exit code 3")


@pytest.mark.parametrize(
    ("line", "code", "passed", "detail"),
    [
        ('{"verdict": "pass", "detail": "d"}', 0, True, "d"),
        ('{"verdict": "fail", "detail": "d"}', 1, False, "d"),
        ('{"verdict": "pass", "detail": "d"}', 1, False, "verdict pass, but exit code 1: d"),
        ('{"verdict": "fail", "detail": "d"}', 0, False, "verdict fail, but exit code 0: d"),
        ('{"verdict": "skip", "detail": "d"}', 0, False, "the verdict is 'skip'"),
        (
            '{"verdict": "pass"}',
            0,
            False,
            'no verdict; exit code 0, last line \'{"verdict": "pass"}\'',
        ),
        ("[1]", 0, False, "no verdict; exit code 0, last line '[1]'"),
        ("", 0, False, "no verdict; exit code 0, last line ''"),
    ],
)
def test_what_the_last_line_and_the_exit_code_say(
    line: str, code: int, passed: bool, detail: str
) -> None:
    assert judge(line, code)[:2] == (passed, detail)


def test_requests_that_cannot_be_done_are_answered_in_one_line() -> None:
    assert answer("@delete t\n", Recorder()) == "error there is no such topic"
    assert answer("@create t three 3\n", Recorder()).startswith("error invalid literal")
    assert answer("@kill everyone\n", Recorder()) == "error no such request: @kill everyone"
    assert answer("@restart\n", Recorder()) == "ok"
