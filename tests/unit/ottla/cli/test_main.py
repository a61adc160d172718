from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from ottla.client.admin import Admin
from ottla.core.errors import InvariantError
from tests.support.command_line import CommandLine


def test_help(ottla: CommandLine) -> None:
    for arguments in (["--help"], ["-h"], ["topic", "--help"], ["produce", "-h"], ["up", "-h"]):
        done = ottla(*arguments)
        assert done.code == 0
        assert "Usage: ottla" in done.text


@pytest.mark.parametrize(
    "command", [["topic", "create"], ["topic", "list"], ["produce"], ["consume"], ["up"], ["logs"]]
)
def test_help_has_examples(ottla: CommandLine, command: list[str]) -> None:
    shown = ottla(*command, "--help").text
    assert "Examples:" in shown
    assert f"ottla {' '.join(command)}" in shown.partition("Examples:")[2]


def test_version(ottla: CommandLine) -> None:
    assert ottla("--version").text == "ottla 0.1.0\n"


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["topic", "nonsense"], ["topic", "list", "-x"]]
)
def test_wrong_usage(ottla: CommandLine, arguments: list[str]) -> None:
    done = ottla(*arguments)
    assert done.code == 2
    assert "No such" in done.errors


def test_no_cluster(ottla: CommandLine) -> None:
    ottla.kafka.down = {1, 2, 3}
    done = ottla("topic", "list", "--bootstrap", "broker:9001")
    assert done.code == 1
    assert done.errors == (
        "error: no cluster answers at broker:9001 (connection refused): "
        "start one with 'ottla up', or name another with --bootstrap\n"
    )


def test_a_bad_bootstrap_address(ottla: CommandLine) -> None:
    done = ottla("topic", "list", "-b", "http://broker")
    assert done.code == 1
    assert "write host:port" in done.errors


@pytest.mark.parametrize("error", [ZeroDivisionError("odd"), InvariantError("must not be")])
def test_bugs_are_sentences_too(
    ottla: CommandLine, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(Admin, "list_topics", broken)
    done = ottla("topic", "list")
    assert done.code == 1
    assert str(error) in done.errors
    assert "Traceback" not in done.errors
    monkeypatch.setenv("OTTLA_DEBUG", "1")
    assert "Traceback" in ottla("topic", "list").errors


def ran(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from ottla.cli.main import main; main()", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


def test_a_real_process() -> None:
    done = ran("topic", "list", "-b", "127.0.0.1:1")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: no cluster answers at 127.0.0.1:1 (connection refused)")


def test_colours_can_be_refused() -> None:
    shown = ran("--help", NO_COLOR="1", FORCE_COLOR="1", TERM="xterm-256color").stdout
    assert "\x1b[3" not in shown


def test_shell_completion() -> None:
    script = ran("--show-completion", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="")
    assert script.returncode in (0, 1)  # 1: no shell around this test
    words = ran(_OTTLA_COMPLETE="complete_bash", COMP_WORDS="ottla to", COMP_CWORD="1")
    assert words.stdout.split() == ["topic"]


def test_help_imports_neither_client_nor_tables() -> None:
    code = (
        "import sys, ottla.cli.main as main; main.build_app();"
        "print([m for m in ('ottla.client.connection', 'cramjam', 'ssl', 'rich.table')"
        " if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
