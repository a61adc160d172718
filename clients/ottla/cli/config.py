"""`ottla config describe | set | unset`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ottla.cli import common
from ottla.cli.common import BootstrapOption, JsonOption
from ottla.cli.output import print_json, print_table, say

if TYPE_CHECKING:
    from ottla.client.configs import ConfigChange, ConfigResource
    from ottla.client.model import ConfigEntry

app = typer.Typer(no_args_is_help=True)

TopicOption = Annotated[
    str | None, typer.Option("--topic", "-t", metavar="NAME", help="Of this topic.")
]
BrokerOption = Annotated[
    int | None, typer.Option("--broker", metavar="ID", min=0, help="Of this broker.")
]
AllBrokersOption = Annotated[
    bool, typer.Option("--all-brokers", help="The default of all brokers.")
]
GroupOption = Annotated[
    str | None, typer.Option("--group", "-g", metavar="NAME", help="Of this consumer group.")
]
MetricsOption = Annotated[
    str | None,
    typer.Option("--client-metrics", metavar="NAME", help="Of this subscription to metrics."),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Have the cluster check it, and change nothing.")
]


@app.callback()
def config() -> None:
    """Show and change the settings of topics, brokers and groups while the cluster runs.

    A subscription to client metrics (KIP-714) says which metrics clients send to the brokers, how
    often, and which clients; brokers show them at /metrics.
    """


@app.command()
def describe(
    topic: TopicOption = None,
    broker: BrokerOption = None,
    all_brokers: AllBrokersOption = False,
    group: GroupOption = None,
    client_metrics: MetricsOption = None,
    everything: Annotated[
        bool, typer.Option("--all", "-a", help="Also settings that have their default.")
    ] = False,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """Show settings: their values, and where each comes from.

    Examples:

      ottla config describe --topic orders

      ottla config describe --broker 1 --all

      ottla config describe --all-brokers --json
    """
    resource = _resource(topic, broker, all_brokers, group, client_metrics)
    with common.admin(bootstrap) as admin:
        entries = admin.describe_configs(resource)
    shown = [entry for entry in entries if everything or not entry.is_default]
    if json_output:
        print_json([_json(entry) for entry in shown])
    elif shown:
        print_table(
            ["Setting", "Value", "From", "Can be changed"],
            [
                [
                    entry.name,
                    "[hidden]" if entry.sensitive else entry.value or "",
                    entry.source,
                    "at a restart" if entry.read_only else "yes",
                ]
                for entry in shown
            ],
        )
    elif all_brokers:
        say("Nothing is set for all brokers.")
    else:
        say(f"Everything has its default for {resource}; --all shows it.")


@app.command(name="set")
def set_(
    changes: Annotated[
        list[str],
        typer.Argument(
            metavar="KEY=VALUE…",
            help="KEY+=VALUE adds entries to a list, KEY-=VALUE takes them out.",
        ),
    ],
    topic: TopicOption = None,
    broker: BrokerOption = None,
    all_brokers: AllBrokersOption = False,
    group: GroupOption = None,
    client_metrics: MetricsOption = None,
    dry_run: DryRunOption = False,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """Change settings; they hold at once, all of those given or none.

    Examples:

      ottla config set retention.ms=86400000 max.message.bytes=2000000 --topic orders

      ottla config set cleanup.policy+=compact --topic orders

      ottla config set follower.replication.throttled.rate=10000000 --all-brokers

      ottla config set consumer.session.timeout.ms=50000 --group billing

      ottla config set metrics=org.apache.kafka.producer. interval.ms=60000 --client-metrics all
    """
    resource = _resource(topic, broker, all_brokers, group, client_metrics)
    wanted = [_change(text) for text in changes]
    _alter(resource, wanted, dry_run, bootstrap, json_output)


@app.command()
def unset(
    keys: Annotated[list[str], typer.Argument(metavar="KEY…", help="Names of settings.")],
    topic: TopicOption = None,
    broker: BrokerOption = None,
    all_brokers: AllBrokersOption = False,
    group: GroupOption = None,
    client_metrics: MetricsOption = None,
    dry_run: DryRunOption = False,
    bootstrap: BootstrapOption = None,
    json_output: JsonOption = False,
) -> None:
    """Remove settings: what stands behind them holds again.

    Example:

      ottla config unset retention.ms --topic orders
    """
    from ottla.client.configs import ConfigChange, ConfigOperation

    resource = _resource(topic, broker, all_brokers, group, client_metrics)
    wanted = [ConfigChange(key, ConfigOperation.DELETE) for key in keys]
    _alter(resource, wanted, dry_run, bootstrap, json_output)


def _alter(
    resource: ConfigResource,
    changes: list[ConfigChange],
    dry_run: bool,
    bootstrap: str | None,
    json_output: bool,
) -> None:
    with common.admin(bootstrap) as admin:
        admin.alter_configs(resource, changes, validate_only=dry_run)
    names = ", ".join(change.key for change in changes)
    if json_output:
        print_json(
            {
                "type": resource.kind.name.lower(),
                "name": resource.name,
                "changed": [] if dry_run else [change.key for change in changes],
                "valid": [change.key for change in changes],
            }
        )
    elif dry_run:
        say(f"{names} could be changed for {resource}.")
    else:
        say(f"Changed {names} for {resource}.")


def _resource(
    topic: str | None,
    broker: int | None,
    all_brokers: bool,
    group: str | None,
    client_metrics: str | None,
) -> ConfigResource:
    from ottla.client.configs import ConfigResource, ResourceKind

    found = []
    if topic is not None:
        found.append(ConfigResource(ResourceKind.TOPIC, topic))
    if broker is not None:
        found.append(ConfigResource(ResourceKind.BROKER, str(broker)))
    if all_brokers:
        found.append(ConfigResource(ResourceKind.BROKER, ""))
    if group is not None:
        found.append(ConfigResource(ResourceKind.GROUP, group))
    if client_metrics is not None:
        found.append(ConfigResource(ResourceKind.CLIENT_METRICS, client_metrics))
    if len(found) != 1:
        raise typer.BadParameter(
            "say of what: one of --topic NAME, --broker ID, --all-brokers, --group NAME, "
            "--client-metrics NAME"
        )
    return found[0]


def _change(text: str) -> ConfigChange:
    from ottla.client.configs import ConfigChange, ConfigOperation

    key, separator, value = text.partition("=")
    operation = {"+": ConfigOperation.APPEND, "-": ConfigOperation.SUBTRACT}.get(
        key[-1:], ConfigOperation.SET
    )
    if operation is not ConfigOperation.SET:
        key = key[:-1]
    if not separator or not key.strip():
        raise typer.BadParameter(f"expected KEY=VALUE, KEY+=VALUE or KEY-=VALUE, not '{text}'")
    return ConfigChange(key.strip(), operation, value.strip())


def _json(entry: ConfigEntry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "value": entry.value,
        "source": entry.source,
        "default": entry.is_default,
        "read_only": entry.read_only,
        "sensitive": entry.sensitive,
        "documentation": entry.documentation,
        "synonyms": [
            {"name": name, "value": value, "source": source}
            for name, value, source in entry.synonyms
        ],
    }
