"""One module for each Kafka API; `HANDLERS` is the table of what is supported."""

from __future__ import annotations

from typing import Final

from broker.handlers import (
    add_offsets_to_txn,
    add_partitions_to_txn,
    add_raft_voter,
    create_partitions,
    create_topics,
    delete_groups,
    delete_records,
    delete_topics,
    describe_cluster,
    describe_configs,
    describe_groups,
    describe_producers,
    describe_quorum,
    describe_transactions,
    end_txn,
    fetch,
    find_coordinator,
    heartbeat,
    init_producer_id,
    join_group,
    leave_group,
    list_groups,
    list_offsets,
    list_transactions,
    metadata,
    offset_commit,
    offset_delete,
    offset_fetch,
    offset_for_leader_epoch,
    produce,
    remove_raft_voter,
    sync_group,
    txn_offset_commit,
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
    describe_groups.HANDLER,
    list_groups.HANDLER,
    delete_groups.HANDLER,
    offset_delete.HANDLER,
    create_topics.HANDLER,
    delete_topics.HANDLER,
    delete_records.HANDLER,
    create_partitions.HANDLER,
    describe_configs.HANDLER,
    describe_cluster.HANDLER,
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

HANDLERS: Final[tuple[HandlerSpec, ...]] = (*_OTHERS, api_versions_handler(_OTHERS))
"""ApiVersions tells clients of exactly these."""
