"""Commands that other distributions add by the entry point group ``ottla.commands``.

An entry point names a `typer.Typer`. Installed packages are searched, and plugins loaded, only for
help, completion and names that are not built in: a built-in command pays nothing for them.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from ottla.cli.output import fail

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "ottla.commands"


@cache
def installed() -> dict[str, EntryPoint]:
    """Entry points by command name."""
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group=GROUP)}


class PluginGroup(TyperGroup):
    """The top-level group: built-in commands first, then what is installed."""

    def list_commands(self, ctx: Any) -> list[str]:
        built_in = super().list_commands(ctx)
        return built_in + [name for name in sorted(installed()) if name not in built_in]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        found = super().get_command(ctx, cmd_name)
        if found is not None:
            return found
        entry = installed().get(cmd_name)
        return None if entry is None else _load(entry)


def _load(entry: EntryPoint) -> Any:
    try:
        app = entry.load()
    except Exception as error:  # whatever a foreign module raises at its import
        return _broken(entry.name, f"'ottla {entry.name}' cannot be loaded: {error}")
    if not isinstance(app, typer.Typer):
        return _broken(entry.name, f"'ottla {entry.name}' is no command: {entry.value} is wrong")
    # A callback keeps a plugin with a single command a group: `ottla log dump`.
    if app.registered_callback is None:
        app.callback()(_nothing)
    command = typer.main.get_command(app)
    command.name = entry.name
    return command


def _nothing() -> None:
    """Further commands."""


def _broken(name: str, message: str) -> Any:
    app = typer.Typer()

    @app.command(
        name,
        help="(cannot be loaded)",
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )
    def broken() -> None:
        fail(message)
        raise typer.Exit(1)

    command = typer.main.get_command(app)
    command.name = name
    return command
