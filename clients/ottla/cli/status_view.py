"""What the commands of a local cluster print: tables, lines of JSON, a moving mark."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ottla.cli.output import say

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

    from ottla.local.doctor import ClusterFacts, Finding
    from ottla.local.health import ClusterStatus

_TOPICS_SHOWN = 20
_LEADERS_SHOWN = 12


def status_view(
    seen: ClusterStatus,
    rates: Mapping[str, float],
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

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    for name, right in columns:
        table.add_column(name, justify="right" if right else "left", no_wrap=True)
    return table


def _brokers_table(seen: ClusterStatus) -> Table:
    table = _table(
        ("id", True),
        ("broker", False),
        ("metrics", False),
        ("state", False),
        ("leads", True),
        ("replicas", True),
        ("behind", True),
    )
    for row in seen.brokers:
        colour = "green" if row.state == "up" else "red"
        table.add_row(
            str(row.broker_id),
            row.address,
            row.http or "",
            f"[{colour}]{row.state}[/{colour}]{', controller' if row.controller else ''}",
            str(row.leads),
            str(row.replicas),
            f"[red]{row.out_of_sync}[/red]" if row.out_of_sync else "0",
        )
    return table


def _topics_table(seen: ClusterStatus, rates: Mapping[str, float]) -> Table:
    table = _table(
        ("topic", False),
        ("partitions", True),
        ("leaders", False),
        ("in sync", True),
        ("records", True),
        *([("records/s", True)] if rates else []),
    )
    for topic in seen.topics[:_TOPICS_SHOWN]:
        replicas = sum(len(partition.replicas) for partition in topic.partitions)
        in_sync = sum(len(partition.isr) for partition in topic.partitions)
        leaders = [partition.leader_id for partition in topic.partitions]
        shown = " ".join(
            "[red]none[/red]" if n is None else str(n) for n in leaders[:_LEADERS_SHOWN]
        )
        rate = rates.get(topic.name)
        shown_rate = [] if not rates else ["" if rate is None else f"{rate:,.0f}"]
        table.add_row(
            escape(topic.name),
            str(len(topic.partitions)),
            shown + (" …" if len(leaders) > _LEADERS_SHOWN else ""),
            f"{in_sync}/{replicas}" if in_sync == replicas else f"[red]{in_sync}/{replicas}[/red]",
            f"{seen.records.get(topic.name, 0):,}",
            *shown_rate,
        )
    if len(seen.topics) > _TOPICS_SHOWN:
        table.add_row(f"… and {len(seen.topics) - _TOPICS_SHOWN} more ('ottla topic list')")
    return table


def status_json(seen: ClusterStatus) -> dict[str, Any]:
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
                "http": row.http,
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


def finding_json(finding: Finding) -> dict[str, str]:
    return {"problem": finding.problem, "remedy": finding.remedy}


def all_is_well(facts: ClusterFacts) -> str:
    """The sentence of a doctor that found nothing."""
    brokers = len({broker for known in facts.addresses for broker in known.brokers_seen})
    answer = "1 broker answers" if brokers == 1 else f"all {brokers} brokers answer"
    if not facts.partitions:
        return f"All is well: {answer}; there are no topics yet."
    count = len(facts.partitions)
    each = "the one partition has" if count == 1 else f"each of {count} partitions has"
    return f"All is well: {answer}; {each} a leader and all its replicas in sync."


def print_json_line(value: object) -> None:
    say(json.dumps(value))


def escape(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def console() -> Console:
    from rich.console import Console

    return Console(highlight=False)


@contextlib.contextmanager
def spinner(text: str, *, quiet: bool) -> Iterator[None]:
    """A moving mark on a terminal, nothing elsewhere."""
    from rich.console import Console

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield
        return
    with console.status(text):
        yield
