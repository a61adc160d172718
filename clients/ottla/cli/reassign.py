"""`ottla reassign plan | apply | status | cancel`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ottla.cli import common
from ottla.cli.common import BootstrapOption, JsonOption
from ottla.cli.output import print_json, print_table, say

app = typer.Typer(no_args_is_help=True)

TopicsOption = Annotated[
    list[str] | None,
    typer.Option("--topic", "-t", metavar="TOPIC", help="May be given again. Left out: all."),
]
ThrottleOption = Annotated[
    str | None,
    typer.Option(
        "--throttle",
        metavar="RATE",
        help="Bytes a second that each broker may send, and take, for it: 50MB/s. It is taken "
        "away at the end.",
    ),
]


@app.callback()
def reassign() -> None:
    """Move partitions to other brokers: plan it, apply the plan, see how far it is."""


@app.command()
def plan(
    brokers: Annotated[
        str | None,
        typer.Option(
            "--brokers", metavar="ID,…", help="Who may have replicas. Left out: all that are live."
        ),
    ] = None,
    topics: TopicsOption = None,
    drain: Annotated[
        list[int] | None,
        typer.Option(
            "--drain",
            metavar="BROKER",
            min=0,
            help="Empty this broker, and move nothing else. May be given again.",
        ),
    ] = None,
    replication_factor: Annotated[
        int | None,
        typer.Option("--replication-factor", "-r", min=1, help="Left out: what each has."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="Write it, in the format of Kafka's own tool."
        ),
    ] = None,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """Find out how replicas and leaders should lie, with as few bytes moved as possible.

    Each broker gets as many replicas and leaders as the others; each partition is spread over as
    many racks as it can be. Nothing is changed yet.

    Examples:

      ottla reassign plan --out plan.json

      ottla reassign plan --topic orders --brokers 2,3,4

      ottla reassign plan --drain 3 --out plan.json
    """
    from ottla.cli.cluster_places import parse_ids, places_of, plan_for
    from ottla.cli.plan_table import plan_json, show_plan
    from ottla.reassignment.plan_file import plan_text
    from ottla.reassignment.planner import Wishes

    named = None if brokers is None else parse_ids(brokers, "--brokers")
    with common.admin(bootstrap) as admin:
        places = places_of(admin)
    ids = (frozenset(places.live_ids) if named is None else named) - {*(drain or ())}
    wishes = Wishes(replication_factor, keep=bool(drain))
    changes = plan_for(places, topics or (), ids, wishes)
    if out is not None:
        targets = {(change.topic, change.index): change.after for change in changes}
        out.write_text(plan_text(targets), encoding="utf-8")
    if json_output:
        print_json(plan_json(changes))
        return
    show_plan(changes)
    if out is not None and changes:
        say(f"The plan is in {out}: 'ottla reassign apply {out}' carries it out.")


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(metavar="PLAN", help="A file of 'ottla reassign plan'.")],
    throttle: ThrottleOption = None,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """Carry a plan out, and show the bytes arrive.

    It may be ended at any time: the cluster goes on by itself, and the same command again shows how
    far it is. A plan of Kafka's own tool will do.

    Examples:

      ottla reassign apply plan.json

      ottla reassign apply plan.json --throttle 50MB/s
    """
    from ottla.core.errors import ConfigError
    from ottla.reassignment.plan_file import parse_plan

    try:
        targets = parse_plan(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read the plan {file}: {error}") from None
    run_plan(targets, throttle, bootstrap, json_output=json_output)


def run_plan(
    targets: dict[tuple[str, int], tuple[int, ...]],
    throttle: str | None,
    bootstrap: str | None,
    *,
    json_output: bool,
) -> None:
    """Carry out, and say what was done."""
    from ottla.cli.moving import carry_out
    from ottla.reassignment.amounts import bytes_text

    rate = parse_throttle(throttle)
    with common.admin(bootstrap) as admin:
        moved = carry_out(admin, targets, rate) if targets else 0
    if json_output:
        print_json({"partitions": len(targets), "bytes_moved": moved})
    else:
        say(f"Done: {len(targets)} partitions are where they should be, {bytes_text(moved)} moved.")


def parse_throttle(text: str | None) -> int | None:
    from ottla.reassignment.amounts import parse_rate

    if text is None:
        return None
    rate = parse_rate(text)
    if rate is None:
        raise typer.BadParameter(
            f"expected bytes a second, as in 50MB/s, not '{text}'", param_hint="--throttle"
        )
    return rate


@app.command()
def status(bootstrap: BootstrapOption = None, json_output: JsonOption = False) -> None:
    """Show the reassignments that are under way, and how many bytes have arrived.

    Example:

      ottla reassign status
    """
    from ottla.cli.cluster_places import sizes_of
    from ottla.cli.plan_table import ids_text
    from ottla.reassignment.amounts import bytes_text
    from ottla.reassignment.progress import Copying, copied

    with common.admin(bootstrap) as admin:
        ongoing = admin.list_reassignments()
        live = [b.broker_id for b in admin.describe_cluster().brokers if not b.fenced]
        sizes = sizes_of(admin, live) if ongoing else {}
    found = []
    for one in ongoing:
        others = tuple(broker for broker in one.replicas if broker not in one.adding)
        found.append((one, *copied(sizes, Copying(one.topic, one.index, one.adding, others))))
    if json_output:
        print_json(
            [
                {
                    "topic": one.topic,
                    "partition": one.index,
                    "replicas": [*one.target],
                    "adding": [*one.adding],
                    "removing": [*one.removing],
                    "bytes_copied": there,
                    "bytes_in_all": whole,
                }
                for one, there, whole in found
            ]
        )
        return
    if not found:
        say("No partition is being reassigned.")
        return
    print_table(
        ["Topic", "#Partition", "Replicas then", "Adding", "Removing", "#Copied", "#Of"],
        [
            [
                one.topic,
                str(one.index),
                ids_text(one.target),
                ids_text(one.adding),
                ids_text(one.removing),
                bytes_text(there),
                bytes_text(whole),
            ]
            for one, there, whole in found
        ],
    )


@app.command()
def cancel(
    topics: TopicsOption = None,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """Call off what is under way: partitions keep the replicas that they had before.

    Examples:

      ottla reassign cancel

      ottla reassign cancel --topic orders
    """
    from ottla.cli.move_throttle import MoveThrottle

    with common.admin(bootstrap) as admin:
        ongoing = [
            (one.topic, one.index)
            for one in admin.list_reassignments()
            if not topics or one.topic in topics
        ]
        if ongoing:
            admin.alter_reassignments(dict.fromkeys(ongoing))
            MoveThrottle(admin, ongoing).end()
    if json_output:
        print_json([{"topic": topic, "partition": index} for topic, index in ongoing])
    else:
        say(f"Called off for {len(ongoing)} partitions." if ongoing else "Nothing is under way.")
