"""The table of APIs: keys, names, versions, and the messages of each.

The versions here are those that the codec understands; what a broker serves is the business of its
handlers. Keys without a schema (requests between brokers and controllers, which travel by gRPC in
Ottla, and those that Kafka 4.0 removed) are named so that they can be told from unknown ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from importlib import import_module
from typing import cast

from ottla.protocol.message import Message
from ottla.protocol.table import ROWS


class ApiKey(IntEnum):
    """All API keys of Kafka 4.3."""

    PRODUCE = 0
    FETCH = 1
    LIST_OFFSETS = 2
    METADATA = 3
    LEADER_AND_ISR = 4
    STOP_REPLICA = 5
    UPDATE_METADATA = 6
    CONTROLLED_SHUTDOWN = 7
    OFFSET_COMMIT = 8
    OFFSET_FETCH = 9
    FIND_COORDINATOR = 10
    JOIN_GROUP = 11
    HEARTBEAT = 12
    LEAVE_GROUP = 13
    SYNC_GROUP = 14
    DESCRIBE_GROUPS = 15
    LIST_GROUPS = 16
    SASL_HANDSHAKE = 17
    API_VERSIONS = 18
    CREATE_TOPICS = 19
    DELETE_TOPICS = 20
    DELETE_RECORDS = 21
    INIT_PRODUCER_ID = 22
    OFFSET_FOR_LEADER_EPOCH = 23
    ADD_PARTITIONS_TO_TXN = 24
    ADD_OFFSETS_TO_TXN = 25
    END_TXN = 26
    WRITE_TXN_MARKERS = 27
    TXN_OFFSET_COMMIT = 28
    DESCRIBE_ACLS = 29
    CREATE_ACLS = 30
    DELETE_ACLS = 31
    DESCRIBE_CONFIGS = 32
    ALTER_CONFIGS = 33
    ALTER_REPLICA_LOG_DIRS = 34
    DESCRIBE_LOG_DIRS = 35
    SASL_AUTHENTICATE = 36
    CREATE_PARTITIONS = 37
    CREATE_DELEGATION_TOKEN = 38
    RENEW_DELEGATION_TOKEN = 39
    EXPIRE_DELEGATION_TOKEN = 40
    DESCRIBE_DELEGATION_TOKEN = 41
    DELETE_GROUPS = 42
    ELECT_LEADERS = 43
    INCREMENTAL_ALTER_CONFIGS = 44
    ALTER_PARTITION_REASSIGNMENTS = 45
    LIST_PARTITION_REASSIGNMENTS = 46
    OFFSET_DELETE = 47
    DESCRIBE_CLIENT_QUOTAS = 48
    ALTER_CLIENT_QUOTAS = 49
    DESCRIBE_USER_SCRAM_CREDENTIALS = 50
    ALTER_USER_SCRAM_CREDENTIALS = 51
    VOTE = 52
    BEGIN_QUORUM_EPOCH = 53
    END_QUORUM_EPOCH = 54
    DESCRIBE_QUORUM = 55
    ALTER_PARTITION = 56
    UPDATE_FEATURES = 57
    ENVELOPE = 58
    FETCH_SNAPSHOT = 59
    DESCRIBE_CLUSTER = 60
    DESCRIBE_PRODUCERS = 61
    BROKER_REGISTRATION = 62
    BROKER_HEARTBEAT = 63
    UNREGISTER_BROKER = 64
    DESCRIBE_TRANSACTIONS = 65
    LIST_TRANSACTIONS = 66
    ALLOCATE_PRODUCER_IDS = 67
    CONSUMER_GROUP_HEARTBEAT = 68
    CONSUMER_GROUP_DESCRIBE = 69
    CONTROLLER_REGISTRATION = 70
    GET_TELEMETRY_SUBSCRIPTIONS = 71
    PUSH_TELEMETRY = 72
    ASSIGN_REPLICAS_TO_DIRS = 73
    LIST_CONFIG_RESOURCES = 74
    DESCRIBE_TOPIC_PARTITIONS = 75
    SHARE_GROUP_HEARTBEAT = 76
    SHARE_GROUP_DESCRIBE = 77
    SHARE_FETCH = 78
    SHARE_ACKNOWLEDGE = 79
    ADD_RAFT_VOTER = 80
    REMOVE_RAFT_VOTER = 81
    UPDATE_RAFT_VOTER = 82
    INITIALIZE_SHARE_GROUP_STATE = 83
    READ_SHARE_GROUP_STATE = 84
    WRITE_SHARE_GROUP_STATE = 85
    DELETE_SHARE_GROUP_STATE = 86
    READ_SHARE_GROUP_STATE_SUMMARY = 87
    STREAMS_GROUP_HEARTBEAT = 88
    STREAMS_GROUP_DESCRIBE = 89
    DESCRIBE_SHARE_GROUP_OFFSETS = 90
    ALTER_SHARE_GROUP_OFFSETS = 91
    DELETE_SHARE_GROUP_OFFSETS = 92


@dataclass(frozen=True, slots=True)
class ApiSpec:
    """One API that the codec understands."""

    key: ApiKey
    name: str
    """As in Kafka's schemas: ``ListOffsets``."""
    request: str
    """Module of the request message below ``ottla.protocol.messages``."""
    response: str
    min_version: int
    max_version: int
    """Inclusive."""
    first_flexible_version: int | None

    @property
    def request_type(self) -> type[Message]:
        """The request's class; its module is imported when first asked for."""
        return _message_type(self.request, f"{self.name}Request")

    @property
    def response_type(self) -> type[Message]:
        """The response's class; its module is imported when first asked for."""
        return _message_type(self.response, f"{self.name}Response")


@cache
def _message_type(module: str, name: str) -> type[Message]:
    return cast(type[Message], getattr(import_module(f"ottla.protocol.messages.{module}"), name))


_SPECS: dict[int, ApiSpec] = {
    key: ApiSpec(
        key=ApiKey(key),
        name=name,
        request=f"{module}_request",
        response=f"{module}_response",
        min_version=low,
        max_version=high,
        first_flexible_version=flexible,
    )
    for key, name, module, low, high, flexible in ROWS
}
API_SPECS: tuple[ApiSpec, ...] = tuple(_SPECS.values())
"""Every API that has a schema, by key."""


def find_api_spec(key: int) -> ApiSpec | None:
    """The API with this key, or None when it is unknown or has no schema."""
    return _SPECS.get(key)


def api_spec(key: int) -> ApiSpec:
    """The API with this key; KeyError when it has no schema."""
    return _SPECS[key]


def request_header_version(key: int, version: int) -> int:
    """2 (with tagged fields) for flexible versions of an API, 1 otherwise (KIP-482).

    Versions above the known ones count as flexible when the known ones end so: an ApiVersions
    request from the future can be answered only once its header has been read.
    """
    flexible = _SPECS[key].first_flexible_version
    return 2 if flexible is not None and version >= flexible else 1


def response_header_version(key: int, version: int) -> int:
    """1 (with tagged fields) for flexible versions, 0 otherwise.

    Always 0 for ApiVersions: its client does not know yet what the broker understands (KIP-511).
    """
    if key == ApiKey.API_VERSIONS:
        return 0
    return request_header_version(key, version) - 1
