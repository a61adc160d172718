"""`ottla quorum describe | add-voter | remove-voter`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ottla.cli import common
from ottla.cli.common import BootstrapOption, JsonOption
from ottla.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from ottla.client.model import QuorumDescription, QuorumReplica

app = typer.Typer(no_args_is_help=True)

NodeArgument = Annotated[int, typer.Argument(metavar="NODE_ID", min=0, help="Of the controller.")]
TimeoutOption = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", min=1, help="How long to wait.")
]


@app.callback()
def quorum() -> None:
    """Show the controller quorum; add and remove its voters, one at a time."""


@app.command()
def describe(bootstrap: BootstrapOption = None, json_output: JsonOption = False) -> None:
    """Show the leader, the voters and the observers of the quorum, and how far each has come.

    Examples:

      ottla quorum describe

      ottla quorum describe --json
    """
    with common.admin(bootstrap) as admin:
        found = admin.describe_quorum()
    if json_output:
        print_json(_json(found))
        return
    say(
        f"Node {found.leader_id} leads in epoch {found.leader_epoch}; committed below offset "
        f"{found.high_watermark}."
    )
    rows = [
        [
            str(one.node_id),
            _role(one, found),
            *_state(one),
            found.listeners.get(one.node_id, {}).get("RAFT", ""),
        ]
        for one in (*found.voters, *found.observers)
    ]
    print_table(["#Node", "Role", "#Log end", "#Lag", "Directory", "Raft listener"], rows)


@app.command()
def add_voter(
    node_id: NodeArgument,
    directory_id: Annotated[
        str,
        typer.Option(
            "--directory-id", metavar="ID", help="Of its metadata folder; the node shows it."
        ),
    ],
    raft: Annotated[
        str, typer.Option("--raft", metavar="HOST:PORT", help="Its raft.listener, as others dial.")
    ],
    internal: Annotated[
        str | None,
        typer.Option(
            "--internal",
            metavar="HOST:PORT",
            help="Its internal.listener, where brokers find it when it leads.",
        ),
    ] = None,
    timeout: TimeoutOption = 60.0,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """Make a controller a voter: it is fed until it has caught up, then counts.

    Start it first, with 'ottla-server --join': it prints this command with its own values.

    Example:

      ottla quorum add-voter 4 --directory-id 9gUX…Q --raft n4:29092 --internal n4:19092
    """
    directory = _directory(directory_id)
    raft_address = _address(raft, "--raft")
    internal_address = None if internal is None else _address(internal, "--internal")
    with common.admin(bootstrap, timeout) as admin:
        admin.add_voter(node_id, directory, raft_address, internal_address)
    if json_output:
        print_json({"node": node_id, "directory_id": directory_id, "added": True})
    else:
        say(f"Node {node_id} is a voter now.")


@app.command()
def remove_voter(
    node_id: NodeArgument,
    directory_id: Annotated[
        str | None,
        typer.Option("--directory-id", metavar="ID", help="Only if it has this directory."),
    ] = None,
    timeout: TimeoutOption = 60.0,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """Take a voter out of the quorum, dead or alive; one that leads hands over first.

    A voter that lost its disk: remove it, start it with 'ottla-server --join', add it again.

    Example:

      ottla quorum remove-voter 3
    """
    directory = None if directory_id is None else _directory(directory_id)
    with common.admin(bootstrap, timeout) as admin:
        admin.remove_voter(node_id, directory)
    if json_output:
        print_json({"node": node_id, "removed": True})
    else:
        say(f"Node {node_id} is no voter any more.")


def _directory(text: str) -> bytes:
    from ottla.core.identifiers import uuid_from_text

    try:
        return uuid_from_text(text)
    except ValueError:
        raise typer.BadParameter(
            f"a directory id has 22 characters of URL-safe base64, not '{text}'",
            param_hint="--directory-id",
        ) from None


def _address(text: str, option: str) -> tuple[str, int]:
    host, separator, port = text.rpartition(":")
    if not separator or not host or not port.isdigit() or not 1 <= int(port) <= 65535:
        raise typer.BadParameter(f"expected HOST:PORT, not '{text}'", param_hint=option)
    return host.strip("[]"), int(port)


def _role(one: QuorumReplica, found: QuorumDescription) -> str:
    if one in found.observers:
        return "observer"
    return "leader" if one.node_id == found.leader_id else "voter"


def _state(one: QuorumReplica) -> tuple[str, str, str]:
    from ottla.core.identifiers import uuid_text

    return (
        "?" if one.log_end_offset is None else str(one.log_end_offset),
        "?" if one.lag is None else str(one.lag),
        "" if one.directory_id is None else uuid_text(one.directory_id),
    )


def _json(found: QuorumDescription) -> dict[str, Any]:
    return {
        "leader": found.leader_id,
        "leader_epoch": found.leader_epoch,
        "high_watermark": found.high_watermark,
        "voters": [_replica_json(one, found) for one in found.voters],
        "observers": [_replica_json(one, found) for one in found.observers],
    }


def _replica_json(one: QuorumReplica, found: QuorumDescription) -> dict[str, Any]:
    from ottla.core.identifiers import uuid_text

    return {
        "node": one.node_id,
        "directory_id": None if one.directory_id is None else uuid_text(one.directory_id),
        "log_end_offset": one.log_end_offset,
        "lag": one.lag,
        "last_fetch_timestamp_ms": one.last_fetch_timestamp_ms,
        "last_caught_up_timestamp_ms": one.last_caught_up_timestamp_ms,
        "listeners": dict(found.listeners.get(one.node_id, {})),
    }
