"""`ottla quota describe | set | unset`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ottla.cli import common
from ottla.cli.common import BootstrapOption, JsonOption
from ottla.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ottla.client.quotas import QuotaEntity

app = typer.Typer(no_args_is_help=True)

UserOption = Annotated[
    str | None, typer.Option("--user", "-u", metavar="NAME", help="Of this user.")
]
AnyUserOption = Annotated[
    bool, typer.Option("--any-user", help="Of each user that has none of its own.")
]
ClientOption = Annotated[
    str | None, typer.Option("--client", "-c", metavar="ID", help="Of this client id.")
]
AnyClientOption = Annotated[
    bool, typer.Option("--any-client", help="Of each client id that has none of its own.")
]


@app.callback()
def quota() -> None:
    """Show and change how much of every broker users and clients may have.

    Quotas: producer_byte_rate and consumer_byte_rate in bytes a second, request_percentage of a
    broker's time, controller_mutation_rate in partitions made and deleted a second.
    """


@app.command()
def describe(
    user: UserOption = None,
    any_user: AnyUserOption = False,
    client: ClientOption = None,
    any_client: AnyClientOption = False,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """Show quotas: all of them, or those that concern somebody.

    Examples:

      ottla quota describe

      ottla quota describe --client reports --json
    """
    entity = _entity(user, any_user, client, any_client)
    with common.admin(bootstrap) as admin:
        found = admin.describe_quotas(entity)
    if json_output:
        print_json([{"entity": dict(one.names), "quotas": values} for one, values in found])
    elif found:
        print_table(
            ["User", "Client", "Quota", "#Limit"],
            [
                [*_names(one), key, f"{value:.15g}"]
                for one, values in found
                for key, value in values.items()
            ],
        )
    else:
        say("No quota is set; 'ottla quota set' sets one.")


@app.command(name="set")
def set_(
    changes: Annotated[list[str], typer.Argument(metavar="QUOTA=NUMBER…")],
    user: UserOption = None,
    any_user: AnyUserOption = False,
    client: ClientOption = None,
    any_client: AnyClientOption = False,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """Set quotas; they hold at once. The most exact one holds: user and client, user, client.

    Examples:

      ottla quota set producer_byte_rate=1000000 --client reports

      ottla quota set consumer_byte_rate=5000000 request_percentage=25 --any-user
    """
    wanted = dict(_change(text) for text in changes)
    _alter(_somebody(user, any_user, client, any_client), wanted, bootstrap, json_output)


@app.command()
def unset(
    keys: Annotated[list[str], typer.Argument(metavar="QUOTA…")],
    user: UserOption = None,
    any_user: AnyUserOption = False,
    client: ClientOption = None,
    any_client: AnyClientOption = False,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """Remove quotas.

    Example:

      ottla quota unset producer_byte_rate --client reports
    """
    wanted: dict[str, float | None] = dict.fromkeys(keys)
    _alter(_somebody(user, any_user, client, any_client), wanted, bootstrap, json_output)


def _alter(
    entity: QuotaEntity,
    changes: Mapping[str, float | None],
    bootstrap: str | None,
    json_output: bool,
) -> None:
    with common.admin(bootstrap) as admin:
        admin.alter_quotas(entity, changes)
    if json_output:
        print_json({"entity": dict(entity.names), "changed": list(changes)})
    else:
        say(f"Changed {', '.join(changes)} for {entity}.")


def _entity(user: str | None, any_user: bool, client: str | None, any_client: bool) -> QuotaEntity:
    from ottla.client.quotas import CLIENT_ID, USER, QuotaEntity

    if (user is not None and any_user) or (client is not None and any_client):
        raise typer.BadParameter("give a name or 'any', not both")
    names: dict[str, str | None] = {}
    if user is not None or any_user:
        names[USER] = user
    if client is not None or any_client:
        names[CLIENT_ID] = client
    return QuotaEntity(names)


def _somebody(
    user: str | None, any_user: bool, client: str | None, any_client: bool
) -> QuotaEntity:
    entity = _entity(user, any_user, client, any_client)
    if not entity.names:
        raise typer.BadParameter("say whose: --user NAME, --any-user, --client ID, --any-client")
    return entity


def _change(text: str) -> tuple[str, float | None]:
    key, separator, value = text.partition("=")
    try:
        number = float(value)
    except ValueError:
        separator = ""
    if not separator or not key.strip():
        raise typer.BadParameter(f"expected QUOTA=NUMBER, not '{text}'")
    return key.strip(), number


def _names(entity: QuotaEntity) -> list[str]:
    from ottla.client.quotas import CLIENT_ID, USER

    shown: list[str] = []
    for kind in (USER, CLIENT_ID):
        name: Any = entity.names.get(kind, "")
        shown.append("(any)" if name is None else name)
    return shown
