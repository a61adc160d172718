"""`ottla up`, `down`, `status`, `logs`, `doctor`: a cluster on this machine."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ottla.core.errors import ConfigError, OttlaError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

    from ottla.local.cluster import LocalCluster
    from ottla.local.doctor import Finding
    from ottla.local.health import ClusterStatus

DEFAULT_FOLDER = Path(".ottla")
DEFAULT_PORT = 9092
DEFAULT_BROKERS = 3
READY_SECONDS_MAX = 60.0
REFRESH_SECONDS = 1.0
_TOPICS_SHOWN = 20
_EXIT_FAILED = 1

DataOption = Annotated[
    Path,
    typer.Option("--data", "-d", help="Folder of the cluster.", envvar="OTTLA_DATA"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command(rich_help_panel="Local cluster")(up)
    app.command(rich_help_panel="Local cluster")(down)
    app.command(rich_help_panel="Local cluster")(status)
    app.command(rich_help_panel="Local cluster")(logs)
    app.command(rich_help_panel="Local cluster")(doctor)


def up(
    brokers: Annotated[
        int | None, typer.Option("--brokers", "-n", help="How many brokers (a new cluster: 3).")
    ] = None,
    data: DataOption = DEFAULT_FOLDER,
    port: Annotated[
        int | None,
        typer.Option("--port", "-p", help="Port of the first broker (a new cluster: 9092)."),
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
        cluster = _cluster_to_start(data, brokers, port, settings or [])
        started = time.monotonic()
        try:
            _start(cluster, tied=not detach, quiet=json_output)
        except BaseException:
            if not detach:
                cluster.kill_all()
            raise
    seconds = time.monotonic() - started
    if json_output:
        _print_json(_up_json(cluster, seconds))
    else:
        _say_ready(cluster, seconds, detach=detach)
    if not detach:
        _watch_until_interrupted(cluster, quiet=json_output)


def down(
    data: DataOption = DEFAULT_FOLDER,
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

    cluster = _existing(data)
    with locked(data):
        running = cluster.running()
        clean = cluster.stop_all()
        if delete:
            cluster.delete()
    if json_output:
        _print_json({"stopped": running, "clean": clean, "deleted": delete})
        return
    console = _console()
    stopped = f"{len(running)} brokers stopped" if running else "no broker was running"
    kept = f"{data} is deleted" if delete else f"the data stays in {data}"
    console.print(f"{stopped}; {kept}.")
    if not clean:
        console.print("A broker had to be killed; its log is checked at the next start.")


def status(
    data: DataOption = DEFAULT_FOLDER,
    bootstrap: Annotated[
        str | None,
        typer.Option("--bootstrap", "-b", envvar="OTTLA_BOOTSTRAP", help="host:port of a broker."),
    ] = None,
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

    cluster = None if bootstrap else _existing(data)
    address = bootstrap or _running_bootstrap(cluster)
    with Admin(address, timeout_seconds=10.0) as admin:
        seen = observe(admin, address, cluster, internal=internal)
    if json_output:
        _print_json(_status_json(seen))
    else:
        _console().print(_status_view(seen, {}))


def logs(
    node: Annotated[int | None, typer.Argument(help="Id of one node; all when left out.")] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what is logged from now on.")
    ] = False,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=0, help="How many of the last lines.")
    ] = 50,
    data: DataOption = DEFAULT_FOLDER,
) -> None:
    """Show what the nodes logged.

    Examples:

      ottla logs 1 -f

      ottla logs --lines 200
    """
    from ottla.local.tail import follow_files, last_lines

    cluster = _existing(data)
    nodes = cluster.plan.nodes if node is None else (cluster.plan.node(node),)
    prefixes = {
        cluster.log_file(entry.node_id): f"{entry.node_id}| " if node is None else ""
        for entry in nodes
    }
    for path, prefix in prefixes.items():
        for line in last_lines(path, lines):
            _write_line(prefix + line)
    if follow:
        with contextlib.suppress(KeyboardInterrupt):
            for path, line in follow_files(list(prefixes)):
                _write_line(prefixes[path] + line)


def doctor(
    data: DataOption = DEFAULT_FOLDER,
    bootstrap: Annotated[
        str | None,
        typer.Option("--bootstrap", "-b", envvar="OTTLA_BOOTSTRAP", help="host:port of a broker."),
    ] = None,
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

    cluster = None if bootstrap else _existing(data)
    address = bootstrap or (cluster.plan.bootstrap if cluster is not None else "")
    facts = observe_for_doctor(address, cluster)
    diagnosis = diagnose(facts)
    if json_output:
        _print_json(
            {
                "healthy": diagnosis.healthy,
                "findings": [_finding_json(finding) for finding in diagnosis.findings],
            }
        )
    else:
        console = _console()
        for finding in diagnosis.findings:
            console.print(f"[red]✗[/red] {_escape(str(finding))}.", soft_wrap=True)
        if diagnosis.healthy:
            brokers = {broker for known in facts.addresses for broker in known.brokers_seen}
            console.print(
                f"[green]✓[/green] All is well: {len(brokers)} brokers answer at "
                f"{len(facts.addresses)} addresses, {len(facts.partitions)} partitions have a "
                "leader and all replicas are in sync."
            )
    if not diagnosis.healthy:
        raise typer.Exit(_EXIT_FAILED)


def _finding_json(finding: Finding) -> dict[str, str]:
    return {"problem": finding.problem, "remedy": finding.remedy}


def _existing(data: Path) -> LocalCluster:
    from ottla.local.cluster import LocalCluster

    cluster = LocalCluster.load(data)
    if cluster is None:
        raise ConfigError(
            f"there is no cluster in {data}; start one with 'ottla up', or name its folder with "
            "--data"
        )
    return cluster


def _running_bootstrap(cluster: LocalCluster | None) -> str:
    if cluster is None or not cluster.running():
        raise OttlaError("the cluster is stopped; start it with 'ottla up'")
    return cluster.plan.bootstrap


def _cluster_to_start(
    data: Path, brokers: int | None, port: int | None, settings: list[str]
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
        cluster = LocalCluster(data, plan)
        cluster.check_ports_free()
        return LocalCluster.create(data, plan)
    if cluster.running() and len(cluster.running()) == len(cluster.plan.nodes):
        raise OttlaError(
            f"the cluster in {data} already runs at {cluster.plan.bootstrap}; stop it with "
            "'ottla down', or choose another folder with --data and other ports with --port"
        )
    plan = cluster.plan
    if port is not None and port != plan.nodes[0].client_port:
        if cluster.running():
            raise OttlaError("a part of the cluster runs; stop it before its ports are changed")
        plan = moved(plan, port)
    plan = grown(plan, brokers or len(plan.nodes), plan.nodes[0].client_port)
    cluster.plan = ClusterPlan(plan.cluster_id, plan.nodes, {**plan.settings, **chosen})
    cluster.save()
    return cluster


def _setting(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name.strip():
        raise typer.BadParameter(f"expected KEY=VALUE, not '{text}'", param_hint="--set")
    return name.strip(), value.strip()


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

    with _spinner(f"Starting {len(everyone)} brokers", quiet=quiet):
        cluster.start_all(tied=tied)
        cluster.wait_ready(is_ready, READY_SECONDS_MAX)


def _say_ready(cluster: LocalCluster, seconds: float, *, detach: bool) -> None:
    console = _console()
    count = len(cluster.plan.nodes)
    noun = "broker is" if count == 1 else "brokers are"
    console.print(f"[green]✓[/green] {count} {noun} ready after {seconds:.1f} s.")
    console.print(f"  bootstrap.servers  {cluster.plan.bootstrap}", soft_wrap=True)
    console.print(f"  data               {cluster.directory}", soft_wrap=True)
    if detach:
        command = _own_command()
        console.print("Next:")
        console.print(f"  {command} topic create orders --partitions 3", soft_wrap=True)
        console.print(f"  echo 'hello' | {command} produce orders", soft_wrap=True)
        console.print(f"  {command} consume orders --from-beginning", soft_wrap=True)
        console.print(f"  {command} status  ·  {command} logs -f  ·  {command} down")


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
        with _spinner("Stopping", quiet=quiet), locked(cluster.directory):
            clean = cluster.stop_all()
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if not quiet:
        note = "" if clean else " A broker had to be killed."
        _console().print(f"Stopped; the data stays in {cluster.directory}.{note}")


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
        Live(console=_console(), auto_refresh=False, transient=True) as live,
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
                live.update(_status_view(earlier, rates, problem, "Ctrl-C stops"), refresh=True)
            time.sleep(REFRESH_SECONDS)
    raise OttlaError(cluster.why_ended(cluster.plan.nodes[0].node_id))


def _status_view(
    seen: ClusterStatus,
    rates: dict[str, float],
    problem: str | None = None,
    hint: str | None = None,
) -> RenderableType:
    from rich.console import Group
    from rich.text import Text

    lines: list[RenderableType] = [
        Text(f"cluster {seen.cluster_id} at {seen.bootstrap}"),
        _brokers_table(seen),
    ]
    if seen.topics:
        lines.append(_topics_table(seen, rates))
    if problem:
        lines.append(Text(problem, style="red"))
    if hint:
        lines.append(Text(hint, style="dim"))
    return Group(*lines)


def _table(*columns: tuple[str, bool]) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, right in columns:
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    return table


def _brokers_table(seen: ClusterStatus) -> Table:
    table = _table(
        ("broker", True),
        ("address", False),
        ("state", False),
        ("leads", True),
        ("replicas", True),
        ("out of sync", True),
        ("", False),
    )
    for row in seen.brokers:
        colour = "green" if row.state == "up" else "red"
        table.add_row(
            str(row.broker_id),
            row.address,
            f"[{colour}]{row.state}[/{colour}]",
            str(row.leads),
            str(row.replicas),
            f"[red]{row.out_of_sync}[/red]" if row.out_of_sync else "0",
            "controller" if row.controller else "",
        )
    return table


def _topics_table(seen: ClusterStatus, rates: dict[str, float]) -> Table:
    table = _table(
        ("topic", False),
        ("partitions", True),
        ("leaders", False),
        ("in sync", True),
        ("records", True),
        ("records/s", True),
    )
    for topic in seen.topics[:_TOPICS_SHOWN]:
        replicas = sum(len(partition.replicas) for partition in topic.partitions)
        in_sync = sum(len(partition.isr) for partition in topic.partitions)
        leaders = [partition.leader_id for partition in topic.partitions]
        shown = " ".join("[red]none[/red]" if n is None else str(n) for n in leaders[:12])
        rate = rates.get(topic.name)
        table.add_row(
            _escape(topic.name),
            str(len(topic.partitions)),
            shown + (" …" if len(leaders) > 12 else ""),
            f"{in_sync}/{replicas}" if in_sync == replicas else f"[red]{in_sync}/{replicas}[/red]",
            f"{seen.records.get(topic.name, 0):,}",
            "" if rate is None else f"{rate:,.0f}",
        )
    if len(seen.topics) > _TOPICS_SHOWN:
        table.add_row(f"… and {len(seen.topics) - _TOPICS_SHOWN} more ('ottla topic list')")
    return table


def _status_json(seen: ClusterStatus) -> dict[str, Any]:
    return {
        "cluster_id": seen.cluster_id,
        "bootstrap": seen.bootstrap,
        "controller_id": seen.controller_id,
        "brokers": [
            {
                "id": row.broker_id,
                "address": row.address,
                "state": row.state,
                "leads": row.leads,
                "replicas": row.replicas,
                "out_of_sync": row.out_of_sync,
            }
            for row in seen.brokers
        ],
        "topics": [
            {
                "name": topic.name,
                "records": seen.records.get(topic.name, 0),
                "partitions": [
                    {
                        "index": partition.index,
                        "leader": partition.leader_id,
                        "replicas": list(partition.replicas),
                        "isr": list(partition.isr),
                    }
                    for partition in topic.partitions
                ],
            }
            for topic in seen.topics
        ],
    }


def _up_json(cluster: LocalCluster, seconds: float) -> dict[str, Any]:
    return {
        "bootstrap": cluster.plan.bootstrap,
        "cluster_id": cluster.plan.cluster_id,
        "data": str(cluster.directory),
        "brokers": len(cluster.plan.nodes),
        "seconds": round(seconds, 3),
    }


def _print_json(value: object) -> None:
    _write_line(json.dumps(value))


def _write_line(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False)


@contextlib.contextmanager
def _spinner(text: str, *, quiet: bool) -> Iterator[None]:
    """A moving mark on a terminal, nothing elsewhere."""
    from rich.console import Console

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield
        return
    with console.status(text):
        yield
