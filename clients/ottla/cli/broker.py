"""`ottla broker list | describe | drain | fill | unregister`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ottla.cli import common
from ottla.cli.common import BootstrapOption, JsonOption
from ottla.cli.output import print_json, print_table, say
from ottla.cli.reassign import ThrottleOption, parse_throttle, run_plan

if TYPE_CHECKING:
    from ottla.cli.cluster_places import Places
    from ottla.reassignment.planner import Wishes

app = typer.Typer(no_args_is_help=True)

BrokerArgument = Annotated[int, typer.Argument(metavar="BROKER", min=0, help="Its id.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only show what would be moved.")]


@app.callback()
def broker() -> None:
    """Show brokers and what they hold; fill one that has joined, empty one that is to leave."""


@app.command(name="list")
def list_brokers(bootstrap: BootstrapOption = None, json_output: JsonOption = False) -> None:
    """List the brokers with their partitions, leaderships and bytes.

    Example:

      ottla broker list
    """
    from ottla.cli.cluster_places import places_of
    from ottla.reassignment.amounts import bytes_text

    with common.admin(bootstrap) as admin:
        places = places_of(admin)
        controller_id = admin.describe_cluster().controller_id
    rows = [
        {
            "broker": one.broker_id,
            "address": f"{one.host}:{one.port}",
            "rack": one.rack,
            **_counts(places, one.broker_id),
        }
        for one in places.brokers
    ]
    if json_output:
        print_json(rows)
        return
    print_table(
        ["#Broker", "Address", "Rack", "#Replicas", "#In sync", "#Leads", "#Bytes"],
        [
            [
                str(row["broker"]),
                row["address"],
                row["rack"] or "",
                str(row["replicas"]),
                str(row["in_sync"]),
                str(row["leads"]),
                bytes_text(row["bytes"]),
            ]
            for row in rows
        ],
    )
    if controller_id is not None:
        say(f"Administration goes to broker {controller_id}.")


def _counts(places: Places, broker_id: int) -> dict[str, Any]:
    partitions = [partition for topic in places.topics for partition in topic.partitions]
    return {
        "replicas": sum(broker_id in partition.replicas for partition in partitions),
        "in_sync": sum(broker_id in partition.isr for partition in partitions),
        "leads": sum(partition.leader_id == broker_id for partition in partitions),
        "bytes": sum(places.sizes.get(broker_id, {}).values()),
    }


@app.command()
def describe(
    broker_id: BrokerArgument, bootstrap: BootstrapOption = None, json_output: JsonOption = False
) -> None:
    """Show a broker's log directories, and the partitions that it has.

    Example:

      ottla broker describe 2
    """
    from ottla.cli.cluster_places import places_of
    from ottla.reassignment.amounts import bytes_text

    with common.admin(bootstrap) as admin:
        places = places_of(admin)
        (one,) = places.planned_for([broker_id])
        directories = admin.describe_log_directories([broker_id])[broker_id]
    partitions: list[dict[str, Any]] = [
        {
            "topic": topic.name,
            "partition": partition.index,
            "leads": partition.leader_id == broker_id,
            "in_sync": broker_id in partition.isr,
            "bytes": places.sizes.get(broker_id, {}).get((topic.name, partition.index), 0),
        }
        for topic in places.topics
        for partition in topic.partitions
        if broker_id in partition.replicas
    ]
    if json_output:
        print_json(
            {
                "broker": broker_id,
                "rack": one.rack,
                "directories": [
                    {
                        "path": directory.path,
                        "error": directory.error,
                        "bytes": sum(directory.sizes.values()),
                        "disk_bytes": directory.total_bytes,
                        "free_bytes": directory.usable_bytes,
                    }
                    for directory in directories
                ],
                "partitions": partitions,
            }
        )
        return
    print_table(
        ["Directory", "State", "#Bytes", "#Disk", "#Free"],
        [
            [
                directory.path,
                directory.error or "online",
                bytes_text(sum(directory.sizes.values())),
                *(
                    "?" if size < 0 else bytes_text(size)
                    for size in (directory.total_bytes, directory.usable_bytes)
                ),
            ]
            for directory in directories
        ],
    )
    print_table(
        ["Topic", "#Partition", "Role", "In sync", "#Bytes"],
        [
            [
                found["topic"],
                str(found["partition"]),
                "leader" if found["leads"] else "follower",
                "yes" if found["in_sync"] else "no",
                bytes_text(found["bytes"]),
            ]
            for found in partitions
        ],
    )


@app.command()
def drain(
    broker_id: BrokerArgument,
    throttle: ThrottleOption = None,
    dry_run: DryRunOption = False,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """Move everything off a broker, so that it can be stopped for good; nothing else is moved.

    Example:

      ottla broker drain 3 --throttle 50MB/s
    """
    from ottla.reassignment.planner import Wishes

    _move(
        lambda live: live - {broker_id},
        Wishes(keep=True),
        throttle,
        bootstrap,
        dry_run=dry_run,
        json_output=json_output,
    )


@app.command()
def fill(
    broker_id: BrokerArgument,
    throttle: ThrottleOption = None,
    dry_run: DryRunOption = False,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """Give a broker that has joined its share of replicas and leaders; nothing else is moved.

    Example:

      ottla broker fill 4
    """
    from ottla.reassignment.planner import Wishes

    _move(
        lambda live: live | {broker_id},
        Wishes(fill=frozenset({broker_id})),
        throttle,
        bootstrap,
        dry_run=dry_run,
        json_output=json_output,
    )


@app.command()
def unregister(
    broker_id: BrokerArgument, bootstrap: BootstrapOption = None, json_output: JsonOption = False
) -> None:
    """Forget a broker that is stopped for good; drain it first.

    Example:

      ottla broker unregister 3
    """
    with common.admin(bootstrap) as admin:
        admin.unregister_broker(broker_id)
    if json_output:
        print_json({"broker": broker_id, "unregistered": True})
    else:
        say(f"Broker {broker_id} is no longer registered.")


def _move(
    choose: Any,
    wishes: Wishes,
    throttle: str | None,
    bootstrap: str | None,
    *,
    dry_run: bool,
    json_output: bool,
) -> None:
    from ottla.cli.cluster_places import places_of, plan_for
    from ottla.cli.plan_table import plan_json, show_plan

    parse_throttle(throttle)
    with common.admin(bootstrap) as admin:
        places = places_of(admin)
    changes = plan_for(places, (), choose(frozenset(places.live_ids)), wishes)
    if json_output and dry_run:
        print_json(plan_json(changes))
        return
    if not json_output:
        show_plan(changes)
    if not dry_run and (changes or json_output):
        targets = {(change.topic, change.index): change.after for change in changes}
        run_plan(targets, throttle, bootstrap, json_output=json_output)
