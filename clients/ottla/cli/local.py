"""`ottla up`, `down`, `status`, `logs`, `doctor`: a cluster on this machine."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from ottla.cli.common import BootstrapOption, JsonOption, tls_context
from ottla.cli.folder import DEFAULT_DATA, DataOption, existing_cluster, running_bootstrap
from ottla.cli.output import say
from ottla.cli.status_view import (
    all_is_well,
    console,
    escape,
    finding_json,
    print_json_line,
    status_json,
    status_view,
)
from ottla.cli.up import up

_PANEL = "Local cluster"
_EXIT_FAILED = 1


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(rich_help_panel=_PANEL)(up)
    app.command(rich_help_panel=_PANEL)(down)
    app.command(rich_help_panel=_PANEL)(status)
    app.command(rich_help_panel=_PANEL)(logs)
    app.command(rich_help_panel=_PANEL)(doctor)


def down(
    data: DataOption = DEFAULT_DATA,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete the cluster's data as well.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Stop the cluster; its data stays unless --delete is given.

    Examples:

      ottla down

      ottla down --delete --data /tmp/one
    """
    from ottla.local.cluster import locked

    cluster = existing_cluster(data)
    with locked(data):
        running = cluster.running()
        clean = cluster.stop_all()
        if delete:
            cluster.delete()
    if json_output:
        print_json_line({"stopped": running, "clean": clean, "deleted": delete})
        return
    out = console()
    count = "1 broker" if len(running) == 1 else f"{len(running)} brokers"
    stopped = f"{count} stopped" if running else "no broker was running"
    kept = f"{data} is deleted" if delete else f"the data stays in {data}"
    out.print(f"{stopped}; {kept}.")
    if not clean:
        out.print("A broker had to be killed; its log is checked at the next start.")


def status(
    data: DataOption = DEFAULT_DATA,
    bootstrap: BootstrapOption = None,
    internal: Annotated[
        bool, typer.Option("--internal", help="Show the cluster's own topics too.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Show brokers, leaders, in-sync replicas and topics.

    Examples:

      ottla status

      ottla status --bootstrap 127.0.0.1:9092 --json
    """
    from ottla.client.admin import Admin
    from ottla.local.health import observe

    cluster = None if bootstrap else existing_cluster(data)
    address = bootstrap or running_bootstrap(existing_cluster(data))
    with Admin(address, timeout_seconds=10.0, ssl_context=tls_context()) as admin:
        seen = observe(admin, address, cluster, internal=internal)
    if json_output:
        print_json_line(status_json(seen))
    else:
        console().print(status_view(seen, {}))


def logs(
    node: Annotated[int | None, typer.Argument(help="Id of one node; all when left out.")] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is logged from now on.")
    ] = False,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=0, help="How many of the last lines.")
    ] = 50,
    data: DataOption = DEFAULT_DATA,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print a JSON object a line: node, line.")
    ] = False,
) -> None:
    """Show what the nodes logged.

    Examples:

      ottla logs 1 -f

      ottla logs --lines 200
    """
    from ottla.local.tail import Follower, follow_files

    cluster = existing_cluster(data)
    nodes = cluster.plan.nodes if node is None else (cluster.plan.node(node),)
    node_ids = {cluster.log_file(entry.node_id): entry.node_id for entry in nodes}

    def show(path: Path, line: str) -> None:
        if json_output:
            print_json_line({"node": node_ids[path], "line": line})
        else:
            say(line if node is not None else f"{node_ids[path]}| {line}")

    followers = [Follower(path) for path in node_ids]
    for follower in followers:
        for line in follower.last_lines(lines):
            show(follower.path, line)
    if follow:
        with contextlib.suppress(KeyboardInterrupt):
            for path, line in follow_files(followers):
                show(path, line)


def doctor(
    data: DataOption = DEFAULT_DATA,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """Dial every address, check every node, and say what is wrong and how to mend it.

    Ends with 0 when all is well and with 1 otherwise.

    Examples:

      ottla doctor

      ottla doctor --bootstrap broker.example:9092
    """
    from ottla.local.doctor import diagnose
    from ottla.local.health import observe_for_doctor

    cluster = None if bootstrap else existing_cluster(data)
    address = bootstrap or (cluster.plan.bootstrap if cluster is not None else "")
    facts = observe_for_doctor(address, cluster, tls_context())
    diagnosis = diagnose(facts)
    if json_output:
        print_json_line(
            {
                "healthy": diagnosis.healthy,
                "findings": [finding_json(finding) for finding in diagnosis.findings],
            }
        )
    else:
        out = console()
        for finding in diagnosis.findings:
            out.print(f"[red]✗[/red] {escape(str(finding))}.", soft_wrap=True)
        if diagnosis.healthy:
            out.print(f"[green]✓[/green] {all_is_well(facts)}", soft_wrap=True)
    if not diagnosis.healthy:
        raise typer.Exit(_EXIT_FAILED)
