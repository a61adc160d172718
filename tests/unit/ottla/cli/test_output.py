from __future__ import annotations

import io
import subprocess
import sys

import pytest

from ottla.cli.output import RetryReporter, fail, print_json, print_table


def test_errors_are_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    fail("what  went wrong")
    assert capsys.readouterr().err == "error: what went wrong\n"


def test_tables_are_not_cut_in_a_pipe(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    print_table(["Name", "#Count"], [["x" * 150, "7"], ["[bold]markup[/bold]", "12"]])
    shown = capsys.readouterr().out
    assert "x" * 150 in shown
    assert "[bold]markup[/bold]" in shown
    assert "\x1b" not in shown


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"ä": [1]})
    assert capsys.readouterr().out == '{\n  "ä": [\n    1\n  ]\n}\n'


@pytest.mark.parametrize("call", ["write(b'x' * 1_000_000)", "say('x' * 1_000_000)"])
def test_a_reader_that_leaves_ends_it_quietly(call: str) -> None:
    code = f"""
import typer
from ottla.cli import output
app = typer.Typer()
@app.command()
def go():
    while True:
        output.{call}
        output.flush()
app()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 0


def test_retries_are_told_after_a_while_and_not_too_often(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    errors = io.StringIO()
    monkeypatch.setattr("ottla.cli.output.time.monotonic", lambda: now)
    monkeypatch.setattr(sys, "stderr", errors)
    report = RetryReporter()
    for tenths in range(120):
        now = 100.0 + tenths / 10
        report(f"try at {now:.1f}")
    assert errors.getvalue().splitlines() == ["try at 101.0", "try at 106.0", "try at 111.0"]
    now = 500.0
    report("another time")
    assert len(errors.getvalue().splitlines()) == 3
