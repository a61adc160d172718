"""One command, one decision: pure, the same on every controller, and total.

Validation is part of it, since two requests that race meet first in the metadata log. The command
has been ordered already: `index` is its position there.
"""

from __future__ import annotations

from controller import (
    broker_commands,
    config_commands,
    election_commands,
    feature_commands,
    partition_commands,
    quota_commands,
    reassignment_commands,
    topic_commands,
)
from controller.decision import Decision, refused
from controller.generated import metadata_pb2 as pb
from controller.state import ClusterState
from ottla.core.errors import ErrorCode, ProtocolError


def decide(state: ClusterState, index: int, command: pb.Command) -> Decision:
    """The answer to `command`, and the records that carry it out."""
    try:
        return _decide(state, index, command)
    except ProtocolError as error:
        return Decision(refused(error))


def apply(state: ClusterState, index: int, command: pb.Command) -> Decision:
    """Decide, and carry it out."""
    decision = decide(state, index, command)
    for record in decision.records:
        state.replay(record)
    return decision


def _decide(state: ClusterState, index: int, command: pb.Command) -> Decision:
    kind = command.WhichOneof("kind")
    if kind == "take_office":
        return broker_commands.take_office(state, command.controller_epoch, command.take_office)
    if command.controller_epoch != state.controller_epoch:
        raise ProtocolError(
            ErrorCode.STALE_CONTROLLER_EPOCH,
            f"the command is of controller epoch {command.controller_epoch}, in office is "
            f"{state.controller_epoch}",
        )
    match kind:
        case "register_broker":
            return broker_commands.register_broker(state, index, command.register_broker)
        case "fence_broker":
            return broker_commands.fence_broker(state, command.fence_broker)
        case "unfence_broker":
            return broker_commands.unfence_broker(state, command.unfence_broker)
        case "shut_down_broker":
            return broker_commands.shut_down_broker(state, command.shut_down_broker)
        case "allocate_producer_ids":
            return broker_commands.allocate_producer_ids(state, command.allocate_producer_ids)
        case "alter_partitions":
            return partition_commands.alter_partitions(state, command.alter_partitions)
        case "elect_preferred_leaders":
            return election_commands.elect_preferred_leaders(state, command.elect_preferred_leaders)
        case "elect_leaders":
            return election_commands.elect_leaders(state, command.elect_leaders)
        case "reassign_partitions":
            return reassignment_commands.reassign_partitions(state, command.reassign_partitions)
        case "unregister_broker":
            return broker_commands.unregister_broker(state, command.unregister_broker)
        case "report_log_ends":
            return partition_commands.report_log_ends(state, command.report_log_ends)
        case "report_replicas":
            return partition_commands.report_replicas(state, command.report_replicas)
        case "create_topics":
            return topic_commands.create_topics(state, command.create_topics)
        case "delete_topics":
            return topic_commands.delete_topics(state, command.delete_topics)
        case "create_partitions":
            return topic_commands.create_partitions(state, command.create_partitions)
        case "alter_configs":
            return config_commands.alter_configs(state, command.alter_configs)
        case "update_features":
            return feature_commands.update_features(state, command.update_features)
        case "alter_quotas":
            return quota_commands.alter_quotas(state, command.alter_quotas)
        case None:
            raise ProtocolError(
                ErrorCode.UNSUPPORTED_VERSION, "a command that this version does not know"
            )
