from __future__ import annotations

import re

from ottla.protocol.table import ROWS

# Lowest and highest version that Kafka 4.3 advertises, as far as clients send the API; lower where
# Ottla still reads what Kafka 4.0 dropped.
RANGES = """
Produce 0-13, Fetch 0-18, ListOffsets 0-11, Metadata 0-13, OffsetCommit 0-10, OffsetFetch 0-10,
FindCoordinator 0-6, JoinGroup 0-9, Heartbeat 0-4, LeaveGroup 0-5, SyncGroup 0-5,
DescribeGroups 0-6, ListGroups 0-5, SaslHandshake 0-1, ApiVersions 0-4, CreateTopics 2-7,
DeleteTopics 1-6, DeleteRecords 0-2, InitProducerId 0-5, OffsetForLeaderEpoch 2-4,
AddPartitionsToTxn 0-5, AddOffsetsToTxn 0-4, EndTxn 0-5, WriteTxnMarkers 1-2, TxnOffsetCommit 0-5,
DescribeAcls 1-3, CreateAcls 1-3, DeleteAcls 1-3, DescribeConfigs 1-4, AlterConfigs 0-2,
AlterReplicaLogDirs 1-2, DescribeLogDirs 1-5, SaslAuthenticate 0-2, CreatePartitions 0-3,
CreateDelegationToken 1-3, RenewDelegationToken 1-2, ExpireDelegationToken 1-2,
DescribeDelegationToken 1-3, DeleteGroups 0-2, ElectLeaders 0-2, IncrementalAlterConfigs 0-1,
AlterPartitionReassignments 0-1, ListPartitionReassignments 0-0, OffsetDelete 0-0,
DescribeClientQuotas 0-1, AlterClientQuotas 0-1, DescribeUserScramCredentials 0-0,
AlterUserScramCredentials 0-0, DescribeQuorum 0-2, UpdateFeatures 0-2, DescribeCluster 0-2,
DescribeProducers 0-0, UnregisterBroker 0-0, DescribeTransactions 0-0, ListTransactions 0-2,
ConsumerGroupHeartbeat 0-1, ConsumerGroupDescribe 0-1, GetTelemetrySubscriptions 0-0,
PushTelemetry 0-0, ListConfigResources 0-1, DescribeTopicPartitions 0-0, ShareGroupHeartbeat 1-1,
ShareGroupDescribe 1-1, ShareFetch 1-2, ShareAcknowledge 1-2, AddRaftVoter 0-1,
RemoveRaftVoter 0-0, StreamsGroupHeartbeat 0-0, StreamsGroupDescribe 0-0,
DescribeShareGroupOffsets 0-1, AlterShareGroupOffsets 0-0, DeleteShareGroupOffsets 0-0
"""


def test_ranges() -> None:
    wanted = [
        (name, int(low), int(high)) for name, low, high in re.findall(r"(\w+) (\d+)-(\d+)", RANGES)
    ]
    assert [(name, low, high) for _, name, _, low, high, _ in ROWS] == wanted


def test_rows_are_sorted_by_key() -> None:
    keys = [row[0] for row in ROWS]
    assert keys == sorted(set(keys))
