"""`ottla leader elect`."""

from __future__ import annotations

from typing import Annotated

import typer

from ottla.cli import common
from ottla.cli.common import BootstrapOption, JsonOption
from ottla.cli.output import print_json, print_table, say
from ottla.cli.reassign import TopicsOption

app = typer.Typer(no_args_is_help=True)


@app.callback()
def leader() -> None:
    """Have leaders elected."""


@app.command()
def elect(
    topics: TopicsOption = None,
    partition: Annotated[
        list[int] | None,
        typer.Option("--partition", min=0, help="Of the one topic named. May be given again."),
    ] = None,
    unclean: Annotated[
        bool,
        typer.Option(
            "--unclean",
            help="Where nobody leads: whoever is alive, though it may lack acknowledged records.",
        ),
    ] = False,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """Give partitions back to their preferred leaders, of all topics unless some are named.

    Examples:

      ottla leader elect

      ottla leader elect --topic orders

      ottla leader elect --topic orders --partition 2 --unclean
    """
    if partition and len(topics or ()) != 1:
        raise typer.BadParameter("name the one topic with --topic", param_hint="--partition")
    with common.admin(bootstrap) as admin:
        wanted = None
        if topics:
            wanted = [
                (found.name, index)
                for found in admin.describe_topics(topics)
                for index in (partition or [p.index for p in found.partitions])
            ]
        results = admin.elect_leaders(wanted, unclean=unclean)
    if json_output:
        print_json(
            [
                {
                    "topic": topic,
                    "partition": index,
                    "elected": error is None,
                    "error": None if error is None else error.code.name,
                }
                for (topic, index), error in sorted(results.items(), key=lambda one: one[0])
            ]
        )
        return
    if not results:
        say("Every partition has its leader already.")
        return
    print_table(
        ["Topic", "#Partition", "Outcome"],
        [
            [
                topic,
                str(index),
                "elected" if error is None else f"{error.message} ({error.code.name})",
            ]
            for (topic, index), error in sorted(results.items(), key=lambda one: one[0])
        ],
    )
