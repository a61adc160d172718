from __future__ import annotations

import sys
import types
from importlib.metadata import EntryPoint

import pytest
import typer

from ottla.cli import plugins
from tests.support.command_line import CommandLine


def plugin(*names: str) -> typer.Typer:
    app = typer.Typer()
    for name in names:

        def command(word: str = "quiet", name: str = typer.Option(name, hidden=True)) -> None:
            """A command from elsewhere."""
            typer.echo(f"{name} {word}")

        app.command(name)(command)
    return app


@pytest.fixture(autouse=True)
def module(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    module = types.ModuleType("an_ottla_plugin")
    module.one = plugin("dump")  # type: ignore[attr-defined]
    module.two = plugin("dump", "verify")  # type: ignore[attr-defined]
    module.wrong = 7  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "an_ottla_plugin", module)
    entries = {
        name: EntryPoint(name, f"an_ottla_plugin:{attribute}", plugins.GROUP)
        for name, attribute in (
            ("one", "one"),
            ("two", "two"),
            ("wrong", "wrong"),
            ("absent", "absent"),
            ("topic", "one"),
        )
    }
    monkeypatch.setattr(plugins, "installed", lambda: entries)
    return module


def test_commands_of_a_plugin(ottla: CommandLine) -> None:
    assert ottla("two", "verify", "--word", "loud").text == "verify loud\n"
    # Also when there is but one, its name is typed.
    assert ottla("one", "dump").text == "dump quiet\n"


def test_help_names_them(ottla: CommandLine) -> None:
    shown = ottla("--help").text
    for name in ("one", "two", "wrong", "absent", "topic", "produce"):
        assert f" {name} " in shown


def test_built_in_commands_win(ottla: CommandLine) -> None:
    assert "no topics" in ottla("topic", "list").text


@pytest.mark.parametrize(
    ("name", "words"), [("wrong", "is no command"), ("absent", "cannot be loaded")]
)
def test_broken_plugins(ottla: CommandLine, name: str, words: str) -> None:
    done = ottla(name, "anything", "--at", "all")
    assert done.code == 1
    assert words in done.errors
    assert "Traceback" not in done.errors


def test_a_built_in_command_searches_for_nothing(
    ottla: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def search() -> dict[str, EntryPoint]:
        raise AssertionError("searched")

    monkeypatch.setattr(plugins, "installed", search)
    assert ottla("topic", "list").code == 0
