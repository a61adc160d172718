"""One module for each Kafka API; `HANDLERS` is the table of what is supported.

A node without metrics of its own takes none of clients and does not offer to (KIP-714).
"""

from __future__ import annotations

from typing import Final

from broker.handlers import (
    add_offsets_to_txn,
    add_partitions_to_txn,
    add_raft_voter,
    alter_client_quotas,
    alter_configs,
    alter_partition_reassignments,
    alter_replica_log_dirs,
    consumer_group_describe,
    consumer_group_heartbeat,
    create_partitions,
    create_topics,
    delete_groups,
    delete_records,
    delete_topics,
    describe_client_quotas,
    describe_cluster,
    describe_configs,
    describe_groups,
    describe_log_dirs,
    describe_producers,
    describe_quorum,
    describe_topic_partitions,
    describe_transactions,
    describe_user_scram_credentials,
    elect_leaders,
    end_txn,
    fetch,
    find_coordinator,
    get_telemetry_subscriptions,
    heartbeat,
    incremental_alter_configs,
    init_producer_id,
    join_group,
    leave_group,
    list_config_resources,
    list_groups,
    list_offsets,
    list_partition_reassignments,
    list_transactions,
    metadata,
    offset_commit,
    offset_delete,
    offset_fetch,
    offset_for_leader_epoch,
    produce,
    push_telemetry,
    remove_raft_voter,
    sync_group,
    txn_offset_commit,
    unregister_broker,
    update_features,
    write_txn_markers,
)
from broker.handlers.api_versions import api_versions_handler
from broker.handlers.spec import HandlerSpec

_OTHERS: Final = (
    produce.HANDLER,
    fetch.HANDLER,
    list_offsets.HANDLER,
    metadata.HANDLER,
    find_coordinator.HANDLER,
    join_group.HANDLER,
    sync_group.HANDLER,
    heartbeat.HANDLER,
    leave_group.HANDLER,
    offset_commit.HANDLER,
    offset_fetch.HANDLER,
    consumer_group_heartbeat.HANDLER,
    consumer_group_describe.HANDLER,
    describe_groups.HANDLER,
    list_groups.HANDLER,
    delete_groups.HANDLER,
    offset_delete.HANDLER,
    create_topics.HANDLER,
    delete_topics.HANDLER,
    delete_records.HANDLER,
    create_partitions.HANDLER,
    describe_configs.HANDLER,
    alter_configs.HANDLER,
    incremental_alter_configs.HANDLER,
    list_config_resources.HANDLER,
    describe_client_quotas.HANDLER,
    alter_client_quotas.HANDLER,
    describe_user_scram_credentials.HANDLER,
    describe_cluster.HANDLER,
    describe_log_dirs.HANDLER,
    alter_replica_log_dirs.HANDLER,
    alter_partition_reassignments.HANDLER,
    list_partition_reassignments.HANDLER,
    elect_leaders.HANDLER,
    unregister_broker.HANDLER,
    describe_topic_partitions.HANDLER,
    update_features.HANDLER,
    init_producer_id.HANDLER,
    add_partitions_to_txn.HANDLER,
    add_offsets_to_txn.HANDLER,
    txn_offset_commit.HANDLER,
    end_txn.HANDLER,
    write_txn_markers.HANDLER,
    describe_producers.HANDLER,
    describe_transactions.HANDLER,
    list_transactions.HANDLER,
    offset_for_leader_epoch.HANDLER,
    describe_quorum.HANDLER,
    add_raft_voter.HANDLER,
    remove_raft_voter.HANDLER,
)

_TELEMETRY: Final = (get_telemetry_subscriptions.HANDLER, push_telemetry.HANDLER)


def handlers(*, telemetry: bool) -> tuple[HandlerSpec, ...]:
    """What a node supports, with or without `telemetry`; ApiVersions tells of exactly these."""
    others = (*_OTHERS, *_TELEMETRY) if telemetry else _OTHERS
    return (*others, api_versions_handler(others))


HANDLERS: Final = handlers(telemetry=True)
"""All there are."""
