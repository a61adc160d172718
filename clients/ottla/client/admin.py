"""Administration: topics, partitions, offsets, groups, configuration.

Every method asks once and waits, retries what can be retried, and raises `ProtocolError` for what
the cluster refuses, `NoClusterError` when nobody answers, `DeadlineError` when the time is over.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import TracebackType

from ottla.client import configs, group_admin, quorum, quotas, reassignments, transactions
from ottla.client.cluster import Cluster, describe_topic
from ottla.client.configs import ConfigChange, ConfigResource
from ottla.client.errors import ConnectionLostError, check_code, protocol_error
from ottla.client.model import (
    BrokerDescription,
    ClusterDescription,
    ConfigEntry,
    CreatedTopic,
    GroupDescription,
    GroupListing,
    ListedOffset,
    NewTopic,
    OffsetSpec,
    QuorumDescription,
    TopicDescription,
)
from ottla.client.offsets import TopicPartition, list_offsets
from ottla.client.options import DEFAULT_BOOTSTRAP, ClientOptions, ignore
from ottla.client.quotas import QuotaEntity
from ottla.client.reassignments import LogDirectoryDescription, OngoingReassignment
from ottla.client.record_deletion import delete_records
from ottla.client.transactions import (
    ActiveProducer,
    TransactionDescription,
    TransactionListing,
)
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.create_partitions_request import (
    CreatePartitionsRequest,
    CreatePartitionsTopic,
)
from ottla.protocol.messages.create_partitions_response import CreatePartitionsResponse
from ottla.protocol.messages.create_topics_request import (
    CreatableReplicaAssignment,
    CreatableTopic,
    CreatableTopicConfig,
    CreateTopicsRequest,
)
from ottla.protocol.messages.create_topics_response import (
    CreateTopicsResponse,
)
from ottla.protocol.messages.delete_topics_request import DeleteTopicsRequest
from ottla.protocol.messages.delete_topics_response import DeleteTopicsResponse
from ottla.protocol.messages.describe_cluster_request import DescribeClusterRequest
from ottla.protocol.messages.describe_cluster_response import DescribeClusterResponse

_DEADLINE_MARGIN_MS = 500  # the broker's own time-out ends before ours: it can say what is late


class Admin:
    """The admin client; a context manager. `on_retry` hears a sentence at every retry."""

    def __init__(
        self,
        bootstrap: str = DEFAULT_BOOTSTRAP,
        *,
        timeout_seconds: float = 30.0,
        ssl_context: ssl.SSLContext | None = None,
        on_retry: Callable[[str], None] = ignore,
        options: ClientOptions | None = None,
    ) -> None:
        self._options = options or ClientOptions.make(timeout_seconds, ssl_context, on_retry)
        self._cluster = Cluster(bootstrap, self._options)

    def __enter__(self) -> Admin:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._cluster.close()

    def describe_cluster(self) -> ClusterDescription:
        """The brokers that clients may use, and the active controller."""

        def attempt() -> ClusterDescription:
            response = self._cluster.ask(
                ApiKey.DESCRIBE_CLUSTER, DescribeClusterRequest(), DescribeClusterResponse
            )
            check_code(response.error_code, "the cluster", response.error_message)
            return ClusterDescription(
                cluster_id=response.cluster_id,
                controller_id=response.controller_id if response.controller_id >= 0 else None,
                brokers=tuple(
                    BrokerDescription(
                        broker.broker_id, broker.host, broker.port, broker.rack, broker.is_fenced
                    )
                    for broker in sorted(response.brokers, key=lambda broker: broker.broker_id)
                ),
            )

        return self._cluster.retry("describing the cluster", attempt)

    def list_topics(self, *, internal: bool = False) -> list[TopicDescription]:
        """All topics by name; `internal` includes those of the cluster itself."""

        def attempt() -> list[TopicDescription]:
            topics = self._cluster.metadata(None).topics
            found = [describe_topic(topic) for topic in topics if not topic.error_code]
            return sorted(
                (topic for topic in found if internal or not topic.internal),
                key=lambda topic: topic.name,
            )

        return self._cluster.retry("listing the topics", attempt)

    def describe_topic(self, name: str) -> TopicDescription:
        """One topic; ProtocolError UNKNOWN_TOPIC_OR_PARTITION when it does not exist."""
        return self.describe_topics([name])[0]

    def describe_topics(self, names: Sequence[str]) -> list[TopicDescription]:
        """Topics in the order of `names`; ProtocolError when one does not exist."""

        def attempt() -> list[TopicDescription] | ProtocolError:
            answered = {topic.name: topic for topic in self._cluster.metadata(names).topics}
            found: list[TopicDescription] = []
            for name in names:
                topic = answered.get(name)
                code = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION if topic is None else topic.error_code
                if topic is None or code:
                    failure = protocol_error(code, f"topic '{name}'")
                    if code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
                        return failure  # retriable for producers, final for who asks for it
                    raise failure
                found.append(describe_topic(topic))
            return found

        result = self._cluster.retry("describing topics", attempt)
        if isinstance(result, ProtocolError):
            raise result
        return result

    def create_topic(
        self,
        name: str,
        partitions: int = -1,
        replication_factor: int = -1,
        configs: Mapping[str, str] | None = None,
    ) -> CreatedTopic:
        """Create one topic; -1 stands for the cluster's defaults."""
        return self.create_topics([NewTopic(name, partitions, replication_factor, configs or {})])[
            0
        ]

    def create_topics(
        self, topics: Sequence[NewTopic], *, validate_only: bool = False
    ) -> list[CreatedTopic]:
        """Create topics; the ProtocolError of the first that fails, after all were tried."""
        created: dict[str, CreatedTopic] = {}
        lost = False

        def attempt() -> None:
            nonlocal lost
            request = CreateTopicsRequest(
                topics=[_creatable(topic) for topic in topics if topic.name not in created],
                timeout_ms=self._server_timeout_ms(),
                validate_only=validate_only,
            )
            try:
                response = self._cluster.ask(ApiKey.CREATE_TOPICS, request, CreateTopicsResponse)
            except ConnectionLostError:
                lost = True
                raise
            failures: list[ProtocolError] = []
            for result in response.topics:
                # A topic that exists after an answer was lost may well be the one just made.
                made = lost and result.error_code == ErrorCode.TOPIC_ALREADY_EXISTS
                if result.error_code and not made:
                    subject = f"topic '{result.name}'"
                    failures.append(
                        protocol_error(result.error_code, subject, result.error_message)
                    )
                    continue
                created[result.name] = CreatedTopic(
                    result.name, result.topic_id, result.num_partitions, result.replication_factor
                )
            if failures:
                raise failures[0]

        self._cluster.retry("creating topics", attempt)
        return [created[topic.name] for topic in topics]

    def delete_topic(self, name: str) -> None:
        """Delete one topic with its records."""
        self.delete_topics([name])

    def delete_topics(self, names: Sequence[str]) -> None:
        """Delete topics; the ProtocolError of the first that fails, after all were tried."""
        request = DeleteTopicsRequest(topic_names=list(names), timeout_ms=self._server_timeout_ms())
        lost = False

        def attempt() -> ProtocolError | None:
            nonlocal lost
            try:
                response = self._cluster.ask(ApiKey.DELETE_TOPICS, request, DeleteTopicsResponse)
            except ConnectionLostError:
                lost = True
                raise
            for result in response.responses:
                if result.error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
                    if lost:
                        continue  # deleted by the try whose answer was lost
                    return protocol_error(result.error_code, f"topic '{result.name}'")
                check_code(result.error_code, f"topic '{result.name}'", result.error_message)
            return None

        failure = self._cluster.retry("deleting topics", attempt)
        if failure is not None:
            raise failure

    def create_partitions(self, topic: str, total: int) -> None:
        """Raise a topic's number of partitions to `total`."""
        request = CreatePartitionsRequest(
            [CreatePartitionsTopic(topic, total, None)], timeout_ms=self._server_timeout_ms()
        )

        def attempt() -> None:
            response = self._cluster.ask(
                ApiKey.CREATE_PARTITIONS, request, CreatePartitionsResponse
            )
            for result in response.results:
                check_code(result.error_code, f"topic '{result.name}'", result.error_message)

        self._cluster.retry("creating partitions", attempt)

    def list_offsets(
        self, wanted: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, ListedOffset]:
        """Offsets by (topic, partition); values are times in ms or `OffsetSpec`s."""
        return list_offsets(self._cluster, wanted)

    def delete_records(self, before: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """Delete the records below each offset by (topic, partition); the first offsets kept.

        `OffsetSpec.LATEST` stands for all that is committed now. Done when no live replica has the
        records any more; ProtocolError of the first partition that is refused.
        """
        ends = {key: value for key, value in before.items() if value == OffsetSpec.LATEST}
        # Asked once: a retry must not take what was written in the meantime.
        found = self.list_offsets(ends)
        wanted = {**before, **{key: end.offset or 0 for key, end in found.items()}}
        return delete_records(self._cluster, wanted, self._server_timeout_ms())

    def describe_configs(self, resource: ConfigResource) -> list[ConfigEntry]:
        """All settings of a topic, broker or group, by name."""
        return configs.describe_configs(self._cluster, resource)

    def alter_configs(
        self,
        resource: ConfigResource,
        changes: Sequence[ConfigChange],
        *,
        validate_only: bool = False,
    ) -> None:
        """Change settings of one resource, all or none; see `configs.alter_configs`."""
        configs.alter_configs(self._cluster, resource, changes, validate_only=validate_only)

    def describe_quotas(self, of: QuotaEntity) -> list[tuple[QuotaEntity, dict[str, float]]]:
        """The quotas that concern somebody, also together with others; all for no names."""
        return quotas.describe_quotas(self._cluster, of)

    def alter_quotas(self, entity: QuotaEntity, changes: Mapping[str, float | None]) -> None:
        """Set what has a value, remove what has None."""
        quotas.alter_quotas(self._cluster, entity, changes)

    def list_groups(self) -> list[GroupListing]:
        """The groups of all brokers, by id."""
        return group_admin.list_groups(self._cluster)

    def describe_group(self, group_id: str) -> GroupDescription:
        """One group; one that nobody knows has the state ``Dead``, or GROUP_ID_NOT_FOUND."""
        return group_admin.describe_group(self._cluster, group_id)

    def committed_offsets(self, group_id: str) -> dict[TopicPartition, int]:
        """All offsets that a group has committed, by (topic, partition)."""
        return group_admin.committed_offsets(self._cluster, group_id)

    def set_offsets(self, group_id: str, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit offsets for a group without members; see `group_admin.set_offsets`."""
        group_admin.set_offsets(self._cluster, group_id, offsets)

    def delete_offsets(self, group_id: str, partitions: Sequence[TopicPartition]) -> None:
        """Forget committed offsets; GROUP_SUBSCRIBED_TO_TOPIC for what a member reads."""
        group_admin.delete_offsets(self._cluster, group_id, partitions)

    def delete_groups(self, group_ids: Sequence[str]) -> None:
        """Delete groups with their offsets; NON_EMPTY_GROUP, GROUP_ID_NOT_FOUND."""
        group_admin.delete_groups(self._cluster, group_ids)

    def list_transactions(
        self, states: Sequence[str] = (), duration_ms: int = -1
    ) -> list[TransactionListing]:
        """The transactional ids of all brokers; `duration_ms`: only those open for longer."""
        return transactions.list_transactions(self._cluster, states, duration_ms)

    def describe_transaction(self, transactional_id: str) -> TransactionDescription:
        """What its coordinator knows; TRANSACTIONAL_ID_NOT_FOUND."""
        return transactions.describe_transaction(self._cluster, transactional_id)

    def describe_producers(self, partitions: Sequence[TopicPartition]) -> list[ActiveProducer]:
        """Who writes to each partition, as its leader knows."""
        return transactions.describe_producers(self._cluster, partitions)

    def find_hanging_transactions(
        self, producers: Sequence[ActiveProducer], older_than_ms: int
    ) -> list[ActiveProducer]:
        """Those of `producers` whose open transaction no coordinator knows of."""
        now_ms = self._options.clock.timestamp_ms()
        return transactions.find_hanging(self._cluster, producers, older_than_ms, now_ms)

    def abort_transaction(self, producer: ActiveProducer) -> None:
        """Write an abort marker for a producer's transaction in one partition."""
        transactions.abort_transaction(self._cluster, producer)

    def alter_reassignments(self, targets: Mapping[TopicPartition, Sequence[int] | None]) -> None:
        """Begin to move partitions; None calls off. See `reassignments.alter_reassignments`."""
        reassignments.alter_reassignments(self._cluster, targets, self._server_timeout_ms())

    def list_reassignments(self) -> list[OngoingReassignment]:
        """All reassignments that are under way."""
        return reassignments.list_reassignments(self._cluster)

    def describe_log_directories(
        self, broker_ids: Iterable[int], *, timeout_ms: int | None = None
    ) -> dict[int, list[LogDirectoryDescription]]:
        """The log directories of each broker, with the size of every log. `timeout_ms` of each
        broker, another than that of all operations."""
        return reassignments.describe_log_directories(self._cluster, broker_ids, timeout_ms)

    def elect_leaders(
        self, partitions: Collection[TopicPartition] | None = None, *, unclean: bool = False
    ) -> dict[TopicPartition, ProtocolError | None]:
        """What became of each election; None: of all partitions that need one."""
        return reassignments.elect_leaders(
            self._cluster, partitions, unclean=unclean, timeout_ms=self._server_timeout_ms()
        )

    def unregister_broker(self, broker_id: int) -> None:
        """Forget a broker that is stopped for good."""
        reassignments.unregister_broker(self._cluster, broker_id)

    def describe_quorum(self) -> QuorumDescription:
        """The voters and observers of the controller quorum, and how far each has come."""
        return quorum.describe_quorum(self._cluster)

    def add_voter(
        self,
        node_id: int,
        directory_id: Uuid,
        raft: tuple[str, int],
        internal: tuple[str, int] | None = None,
    ) -> None:
        """Make a controller that runs a voter of the quorum, once it has caught up. `raft` and
        `internal` are its listeners, as other nodes dial them. ProtocolError DUPLICATE_VOTER."""
        quorum.add_voter(
            self._cluster, node_id, directory_id, raft, internal, self._server_timeout_ms()
        )

    def remove_voter(self, node_id: int, directory_id: Uuid | None = None) -> None:
        """Take a voter out of the quorum, dead or alive; with `directory_id`, only if it has that
        one. ProtocolError VOTER_NOT_FOUND."""
        quorum.remove_voter(self._cluster, node_id, directory_id)

    def _server_timeout_ms(self) -> int:
        return max(1, self._options.request_timeout_ms - _DEADLINE_MARGIN_MS)


def _creatable(topic: NewTopic) -> CreatableTopic:
    return CreatableTopic(
        name=topic.name,
        num_partitions=topic.partitions,
        replication_factor=topic.replication_factor,
        assignments=[
            CreatableReplicaAssignment(index, list(brokers))
            for index, brokers in topic.assignments.items()
        ],
        configs=[CreatableTopicConfig(name, value) for name, value in topic.configs.items()],
    )
