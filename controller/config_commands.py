"""Decisions about settings that are changed at run time: of topics, brokers, groups and
subscriptions to client metrics.

What is kept is what was set, by resource; defaults are not. Elections go by some of it, and so
partitions take over a change of these in the same step: who is eligible to lead, and whether an
unclean election is allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from controller.client_matches import ClientMatch
from controller.decision import Decision, topic_changes
from controller.elections import ElectionRules, Electorate, elect
from controller.generated import metadata_pb2 as pb
from controller.state import (
    ALL_BROKERS,
    BROKER,
    CLIENT_METRICS,
    GROUP,
    MIN_INSYNC_REPLICAS,
    TOPIC,
    UNCLEAN_LEADER_ELECTION,
    ClusterState,
    ConfigsChanged,
    Record,
)
from ottla.core.broker_configs import DYNAMIC_BROKER_CONFIGS, broker_configs_fault
from ottla.core.client_metrics_configs import (
    CLIENT_METRICS_CONFIGS,
    MATCH,
    client_metrics_configs_fault,
)
from ottla.core.config_spec import ConfigSpec, ConfigType, split_list
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.group_configs import GROUP_CONFIGS, group_configs_fault
from ottla.core.topic_configs import TOPIC_CONFIGS, topic_configs_fault

GROUPS_MAX: Final = 10_000
"""Groups with settings of their own: anyone may name one, and all controllers keep it."""
SUBSCRIPTIONS_MAX: Final = 1_000
"""To client metrics: each is compared with every client that asks."""

Values = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Resource:
    """What may be set, who finds a fault in it, and the code of such a fault."""

    specs: Mapping[str, ConfigSpec]
    find_fault: Callable[[Values], str | None]
    fault_code: ErrorCode


def alter_configs(state: ClusterState, command: pb.AlterConfigs) -> Decision:
    """The changes of one resource, all or none; said twice, the second time changes nothing.

    UNKNOWN_TOPIC_OR_PARTITION, BROKER_ID_NOT_REGISTERED; INVALID_CONFIG for a topic or a group,
    INVALID_REQUEST for a broker as in Kafka (KAFKA-13609), for a subscription to client metrics and
    for resources of other types; POLICY_VIOLATION for too many groups or subscriptions.
    """
    key = (command.resource_type, command.resource_name)
    resource = _resource(state, *key)
    before = state.configs.get(key, {})
    after = _changed(state, command, before, resource)
    fault = resource.find_fault(after)
    if fault is not None:
        raise ProtocolError(resource.fault_code, fault)
    if after == before or command.validate_only:
        return Decision(pb.Result())
    records: list[Record] = [ConfigsChanged(*key, after)]
    if command.resource_type == TOPIC:
        records += elections_by(state, own={command.resource_name: after})
    elif key == (BROKER, ALL_BROKERS):
        records += elections_by(state, of_all=after)
    return Decision(pb.Result(), records)


def elections_by(
    state: ClusterState,
    *,
    own: Mapping[str, Values] | None = None,
    of_all: Values | None = None,
    defaults: Values | None = None,
) -> list[Record]:
    """What becomes of partitions whose rules change: by settings of topics, of all brokers, or of
    the controller in office, as they will be; None: as they are."""
    of_all = state.configs.get((BROKER, ALL_BROKERS), {}) if of_all is None else of_all
    defaults = state.election_defaults() if defaults is None else defaults
    electorate = Electorate.of(state)
    records: list[Record] = []
    for topic in state.topics.values():
        if own is not None and topic.name not in own:
            continue
        values = (own or {}).get(topic.name, state.configs.get((TOPIC, topic.name), {}))
        rules = _rules({**defaults, **of_all, **values})
        if rules != ElectionRules.of(state, topic.name):
            records += topic_changes(
                state,
                topic,
                lambda p: bool(p.elr or p.last_known_elr),
                lambda partition, rules: elect(partition, electorate, rules),
                rules,
            )
    return records


def _rules(values: Values) -> ElectionRules:
    return ElectionRules(
        int(values[MIN_INSYNC_REPLICAS]),
        values[UNCLEAN_LEADER_ELECTION].strip().lower() == "true",
    )


def _resource(state: ClusterState, kind: str, name: str) -> _Resource:
    """The kind of a resource that is there, or may be made."""
    match kind:
        case "topic":
            if name not in state.topic_ids:
                raise ProtocolError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, f"no topic '{name}'")
            return _Resource(TOPIC_CONFIGS, topic_configs_fault, ErrorCode.INVALID_CONFIG)
        case "broker":
            if name != ALL_BROKERS:
                _check_broker(state, name)
            return _Resource(
                DYNAMIC_BROKER_CONFIGS,
                lambda values: broker_configs_fault(values, of_one_broker=name != ALL_BROKERS),
                ErrorCode.INVALID_REQUEST,
            )
        case "group":
            if not name:
                raise ProtocolError(ErrorCode.INVALID_REQUEST, "a group has a name")
            _check_room(
                state,
                GROUP,
                name,
                GROUPS_MAX,
                "groups have settings of their own; unset those of groups that are gone",
            )
            return _Resource(GROUP_CONFIGS, group_configs_fault, ErrorCode.INVALID_CONFIG)
        case "client-metrics":
            if not name:
                raise ProtocolError(ErrorCode.INVALID_REQUEST, "a subscription has a name")
            _check_room(
                state,
                CLIENT_METRICS,
                name,
                SUBSCRIPTIONS_MAX,
                "subscriptions to client metrics are there; unset those that nobody needs",
            )
            return _Resource(CLIENT_METRICS_CONFIGS, _subscription_fault, ErrorCode.INVALID_REQUEST)
        case _:
            raise ProtocolError(
                ErrorCode.INVALID_REQUEST,
                f"resources of type '{kind}' have no settings that can be changed",
            )


def _check_room(state: ClusterState, kind: str, name: str, most: int, told: str) -> None:
    if (kind, name) not in state.configs and sum(k == kind for k, _ in state.configs) >= most:
        raise ProtocolError(ErrorCode.POLICY_VIOLATION, f"{most} {told}")


def _subscription_fault(values: Values) -> str | None:
    """INVALID_CONFIG, as in Kafka, for a `match` that cannot be read."""
    match = values.get(MATCH, "")
    fault = CLIENT_METRICS_CONFIGS[MATCH].fault(match)
    try:
        if fault is None:
            ClientMatch(match)
    except ValueError as error:
        fault = str(error)
    if fault is not None:
        raise ProtocolError(ErrorCode.INVALID_CONFIG, fault)
    return client_metrics_configs_fault(values)


def _check_broker(state: ClusterState, name: str) -> None:
    if not (name.isascii() and name.isdecimal()):
        raise ProtocolError(
            ErrorCode.INVALID_REQUEST, f"brokers are named by their numbers, not '{name[:40]}'"
        )
    if name != str(int(name)) or int(name) not in state.brokers:
        raise ProtocolError(
            ErrorCode.BROKER_ID_NOT_REGISTERED, f"no broker with id {name[:40]} is registered"
        )


def _changed(
    state: ClusterState, command: pb.AlterConfigs, before: Values, resource: _Resource
) -> dict[str, str]:
    after = {} if command.replace_all else dict(before)
    for change in command.changes:
        if not change.HasField("value"):
            after.pop(change.key, None)
        elif change.operation == pb.CONFIG_OPERATION_SET:
            after[change.key] = change.value
        else:
            after[change.key] = _changed_list(state, change, after, resource)
    return after


def _changed_list(
    state: ClusterState, change: pb.ConfigChange, values: Values, resource: _Resource
) -> str:
    """The list that holds now, with the entries added that it lacks, or without those named."""
    spec = resource.specs.get(change.key)
    if spec is not None and spec.config_type is not ConfigType.LIST:
        raise ProtocolError(
            ErrorCode.INVALID_CONFIG,
            f"{change.key} is no list: nothing can be added to it or taken out of it; set it",
        )
    of_all = state.configs.get((BROKER, ALL_BROKERS), {})
    default = change.list_default
    if spec is not None:
        default = of_all.get(spec.broker_setting or spec.name, default)
    entries = split_list(values.get(change.key, default))
    named = split_list(change.value)
    if change.operation == pb.CONFIG_OPERATION_APPEND:
        entries += [entry for entry in dict.fromkeys(named) if entry not in entries]
    else:
        entries = [entry for entry in entries if entry not in named]
    return ",".join(entries)
