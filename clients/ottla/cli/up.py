"""`ottla up`: start a cluster on this machine and, in the foreground, watch it."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ottla.cli.common import JsonOption
from ottla.cli.folder import DEFAULT_DATA, DataOption
from ottla.cli.status_view import console, print_json_line, spinner, status_view
from ottla.core.errors import OttlaError

if TYPE_CHECKING:
    from ottla.local.cluster import LocalCluster
    from ottla.local.health import ClusterStatus
    from ottla.local.plan import ClusterPlan

DEFAULT_PORT = 9092
DEFAULT_BROKERS = 3
READY_SECONDS_MAX = 60.0
REFRESH_SECONDS = 1.0


def up(
    brokers: Annotated[
        int | None,
        typer.Option("--brokers", "-n", min=1, max=99, help="How many brokers (a new cluster: 3)."),
    ] = None,
    data: DataOption = DEFAULT_DATA,
    port: Annotated[
        int | None,
        typer.Option(
            "--port",
            "-p",
            min=1,
            max=65535,
            help="Port of the first broker (a new cluster: 9092); health and metrics are 1,000 "
            "above, the ports 10,000 and 20,000 above are used between the brokers.",
        ),
    ] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return when the cluster is ready; it goes on running.")
    ] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="A setting of all nodes, KEY=VALUE; may be given again."),
    ] = None,
    json_output: JsonOption = False,
) -> None:
    """Start a cluster on this machine; what it holds stays in its folder.

    In the foreground a table shows brokers, leaders and rates until Ctrl-C stops the cluster.

    Examples:

      ottla up                       three brokers on ports 9092 to 9094

      ottla up --detach              the same, in the background

      ottla up --brokers 1 --port 19092 --data /tmp/one
    """
    from ottla.local.cluster import locked

    with locked(data):
        cluster = _cluster_to_start(data, brokers, port, settings or [], detach=detach)
        before = set(cluster.running())
        started = time.monotonic()
        try:
            _start(cluster, tied=not detach, quiet=json_output)
        except BaseException:
            _undo_start(cluster, before)
            raise
    seconds = time.monotonic() - started
    if json_output:
        print_json_line(up_json(cluster, seconds))
    else:
        _say_ready(cluster, seconds, detach=detach)
    if not detach:
        _watch_until_interrupted(cluster, quiet=json_output)


def _cluster_to_start(
    data: Path, brokers: int | None, port: int | None, settings: list[str], *, detach: bool
) -> LocalCluster:
    """The cluster of the folder, or a new one; refuses what does not fit what is there."""
    from ottla.core.identifiers import random_uuid, uuid_text
    from ottla.local.cluster import LocalCluster
    from ottla.local.plan import ClusterPlan, grown, moved, plan_ports

    chosen = dict(_setting(text) for text in settings)
    cluster = LocalCluster.load(data)
    if cluster is None:
        nodes = plan_ports(brokers or DEFAULT_BROKERS, port or DEFAULT_PORT)
        plan = ClusterPlan(uuid_text(random_uuid(random.SystemRandom())), nodes, chosen)
        LocalCluster(data, plan).check_ports_free()
        _check_settings(plan, data, chosen)
        return LocalCluster.create(data, plan)
    plan = cluster.plan
    asked = (brokers or len(plan.nodes), port or plan.nodes[0].client_port)
    is_as_asked = asked == (len(plan.nodes), plan.nodes[0].client_port) and not chosen
    if cluster.running() and (len(cluster.running()) == len(plan.nodes)):
        if detach and is_as_asked:
            return cluster  # what was asked for is so already
        raise OttlaError(
            f"the cluster in {data} already runs at {plan.bootstrap}; stop it with 'ottla down', "
            "or choose another folder with --data and other ports with --port"
        )
    if asked[1] != plan.nodes[0].client_port:
        if cluster.running():
            raise OttlaError("a part of the cluster runs; stop it before its ports are changed")
        plan = moved(plan, asked[1])
    plan = grown(plan, asked[0], plan.nodes[0].client_port)
    plan = ClusterPlan(plan.cluster_id, plan.nodes, {**plan.settings, **chosen})
    _check_settings(plan, data, chosen)
    cluster.plan = plan
    cluster.save()
    return cluster


def _check_settings(plan: ClusterPlan, data: Path, chosen: dict[str, str]) -> None:
    """Refuse wrong settings before they are kept."""
    from ottla.local.cluster import why_refused

    if chosen and (reason := why_refused(plan, data)):
        raise typer.BadParameter(reason, param_hint="--set")


def _setting(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name.strip():
        raise typer.BadParameter(f"expected KEY=VALUE, not '{text}'", param_hint="--set")
    return name.strip(), value.strip()


def _undo_start(cluster: LocalCluster, before: set[int]) -> None:
    """Stop what a failed start began; what ran before it stays."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for node_id in set(cluster.running()) - before:
        cluster.kill(node_id)


def _start(cluster: LocalCluster, *, tied: bool, quiet: bool) -> None:
    """Start all nodes and wait until every one is a member."""
    from ottla.local.health import brokers_seen

    everyone = {node.node_id for node in cluster.plan.nodes}
    waiting = set(everyone)

    def is_ready() -> bool:
        for node in cluster.plan.nodes:
            if node.node_id in waiting:
                if brokers_seen(f"127.0.0.1:{node.client_port}") < everyone:
                    return False
                waiting.discard(node.node_id)
        return True

    with spinner(f"Starting {len(everyone)} brokers", quiet=quiet):
        cluster.start_all(tied=tied)
        cluster.wait_ready(is_ready, READY_SECONDS_MAX)


def _say_ready(cluster: LocalCluster, seconds: float, *, detach: bool) -> None:
    out = console()
    count = len(cluster.plan.nodes)
    noun = "broker is" if count == 1 else "brokers are"
    out.print(f"[green]✓[/green] {count} {noun} ready after {seconds:.1f} s.")
    out.print(f"  bootstrap.servers  {cluster.plan.bootstrap}", soft_wrap=True)
    out.print(f"  data               {cluster.directory}", soft_wrap=True)
    metrics = [f"http://127.0.0.1:{n.http_port}/metrics" for n in cluster.plan.nodes if n.http_port]
    if metrics:
        out.print(f"  metrics            {metrics[0]}" + (" …" if metrics[1:] else ""))
    if detach:
        command = _own_command()
        out.print("Next:")
        out.print(f"  {command} topic create orders --partitions 3", soft_wrap=True)
        out.print(f"  echo 'hello' | {command} produce orders", soft_wrap=True)
        out.print(f"  {command} consume orders --from-beginning", soft_wrap=True)
        out.print(f"  {command} status  ·  {command} logs -f  ·  {command} down")


def _own_command() -> str:
    """How the user may type this program: its path where the bare name would not be found."""
    program = Path(sys.argv[0])
    found = any((Path(folder) / program.name).is_file() for folder in os.get_exec_path() if folder)
    if found or program.name != "ottla":
        return "ottla"
    with contextlib.suppress(ValueError):
        return str(program.absolute().relative_to(Path.cwd()))
    return str(program)


def _watch_until_interrupted(cluster: LocalCluster, *, quiet: bool) -> None:
    """Show the table until Ctrl-C or SIGTERM, or until all nodes have ended; then stop them."""
    from ottla.local.cluster import locked

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)
    try:
        if quiet or not sys.stdout.isatty():
            _wait_quietly(cluster)
        else:
            _show_live(cluster)
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave half of it
        with spinner("Stopping", quiet=quiet), locked(cluster.directory):
            clean = cluster.stop_all()
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not quiet:
        note = "" if clean else " A broker had to be killed."
        console().print(f"Stopped; the data stays in {cluster.directory}.{note}")


def _wait_quietly(cluster: LocalCluster) -> None:
    while cluster.running():
        time.sleep(REFRESH_SECONDS)
    raise OttlaError(cluster.why_ended(cluster.plan.nodes[0].node_id))


def _show_live(cluster: LocalCluster) -> None:
    from rich.live import Live

    from ottla.client.admin import Admin
    from ottla.local.health import observe

    bootstrap = cluster.plan.bootstrap
    earlier: ClusterStatus | None = None
    problem: str | None = None
    with (
        Admin(bootstrap, timeout_seconds=5.0) as admin,
        Live(console=console(), auto_refresh=False, transient=True) as live,
    ):
        while cluster.running():
            try:
                seen = observe(admin, bootstrap, cluster)
                problem = None
                rates = seen.rates(earlier)
                earlier = seen
            except OttlaError as error:
                problem = str(error)
            if earlier is not None:
                live.update(status_view(earlier, rates, problem, "Ctrl-C stops"), refresh=True)
            time.sleep(REFRESH_SECONDS)
    raise OttlaError(cluster.why_ended(cluster.plan.nodes[0].node_id))


def up_json(cluster: LocalCluster, seconds: float) -> dict[str, Any]:
    return {
        "bootstrap": cluster.plan.bootstrap,
        "cluster_id": cluster.plan.cluster_id,
        "data": str(cluster.directory),
        "brokers": len(cluster.plan.nodes),
        "seconds": round(seconds, 3),
    }
