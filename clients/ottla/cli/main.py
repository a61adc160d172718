"""The entry point of `ottla`.

Exit codes: 0 done, 1 failed, 2 wrong usage. An error is one sentence on standard error; a
traceback is shown only with OTTLA_DEBUG set, since it helps nobody but us.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from ottla.cli.broker import app as broker_app
from ottla.cli.config import app as config_app
from ottla.cli.consume import consume
from ottla.cli.group import app as group_app
from ottla.cli.leader import app as leader_app
from ottla.cli.output import fail, say
from ottla.cli.plugins import PluginGroup
from ottla.cli.produce import produce
from ottla.cli.quorum import app as quorum_app
from ottla.cli.quota import app as quota_app
from ottla.cli.reassign import app as reassign_app
from ottla.cli.topic import app as topic_app
from ottla.cli.txn import app as txn_app
from ottla.core.errors import OttlaError, ProtocolError

FAILED = 1
USAGE = 2


def main() -> None:
    """Run the command line and end the process."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command; the exit code."""
    try:
        build_app()(args=list(arguments), prog_name="ottla")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else FAILED
    except OttlaError as error:
        if os.environ.get("OTTLA_DEBUG"):
            traceback.print_exc()
        fail(_sentence(error))
        return FAILED
    except Exception as error:
        if os.environ.get("OTTLA_DEBUG"):
            traceback.print_exc()
        fail(
            f"this is a bug in Ottla: {type(error).__name__}: {error}; "
            "OTTLA_DEBUG=1 shows where it happened"
        )
        return FAILED
    return 0


def build_app() -> typer.Typer:
    """All commands; those of other distributions are found when they are asked for."""
    app = typer.Typer(
        name="ottla",
        cls=PluginGroup,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    from ottla.cli import local

    local.register(app)
    app.add_typer(topic_app, name="topic", rich_help_panel="Topics and records")
    app.add_typer(group_app, name="group", rich_help_panel="Topics and records")
    app.add_typer(txn_app, name="txn", rich_help_panel="Topics and records")
    app.command(rich_help_panel="Topics and records")(produce)
    app.command(rich_help_panel="Topics and records")(consume)
    app.add_typer(config_app, name="config", rich_help_panel="The cluster's own affairs")
    app.add_typer(quota_app, name="quota", rich_help_panel="The cluster's own affairs")
    app.add_typer(broker_app, name="broker", rich_help_panel="The cluster's own affairs")
    app.add_typer(reassign_app, name="reassign", rich_help_panel="The cluster's own affairs")
    app.add_typer(leader_app, name="leader", rich_help_panel="The cluster's own affairs")
    app.add_typer(quorum_app, name="quorum", rich_help_panel="The cluster's own affairs")
    return app


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        say(f"ottla {version('ottla')}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_show_version, help="Print the version."),
    ] = False,
) -> None:
    """Replicated event streams that speak Kafka's protocol.

    Begin with 'ottla up', three brokers on this machine; then 'ottla topic create orders',
    'ottla produce orders' and 'ottla consume orders --from-beginning'.
    """


def _sentence(error: OttlaError) -> str:
    if isinstance(error, ProtocolError) and error.message:
        return f"{error.message} ({error.code.name})"
    return str(error) or type(error).__name__
