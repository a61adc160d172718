"""A Kafka cluster in memory for tests of the client: real frames, no sockets, no real time.

It is the client's `Network` and its `Clock`: waiting moves the clock. It keeps record batches,
checks sequences of idempotent producers, and plays one group's coordinator. Faults are injected by
node (`down`, `silent`) or by API (`errors`, `lose_answers`).
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from ottla.client.groups import decode_assignment
from ottla.client.network import Transport
from ottla.client.options import ClientOptions
from ottla.core.clock import ManualClock
from ottla.core.errors import ErrorCode
from ottla.protocol.api import (
    ApiKey,
    api_spec,
    request_header_version,
    response_header_version,
)
from ottla.protocol.header import RequestHeader, ResponseHeader
from ottla.protocol.message import Message
from ottla.protocol.messages import (
    api_versions_response,
    create_partitions_response,
    create_topics_response,
    delete_groups_response,
    delete_records_response,
    delete_topics_response,
    describe_cluster_response,
    describe_configs_response,
    describe_groups_response,
    fetch_response,
    find_coordinator_response,
    heartbeat_response,
    incremental_alter_configs_response,
    join_group_response,
    leave_group_response,
    list_groups_response,
    list_offsets_response,
    metadata_response,
    offset_commit_response,
    offset_delete_response,
    offset_fetch_response,
    produce_response,
    sync_group_response,
)
from ottla.record.batch import (
    BatchHeader,
    Record,
    crc_matches,
    iter_records,
    patch_offset_and_epoch,
    read_header,
)
from ottla.record.control import ControlRecordType, control_record_type
from tests.support.fake_transactions import FakeTransactions

HOST = "broker"
FIRST_PORT = 9000
SERVED = (
    ApiKey.PRODUCE,
    ApiKey.FETCH,
    ApiKey.LIST_OFFSETS,
    ApiKey.METADATA,
    ApiKey.OFFSET_COMMIT,
    ApiKey.OFFSET_FETCH,
    ApiKey.FIND_COORDINATOR,
    ApiKey.JOIN_GROUP,
    ApiKey.HEARTBEAT,
    ApiKey.LEAVE_GROUP,
    ApiKey.SYNC_GROUP,
    ApiKey.DESCRIBE_GROUPS,
    ApiKey.LIST_GROUPS,
    ApiKey.API_VERSIONS,
    ApiKey.CREATE_TOPICS,
    ApiKey.DELETE_TOPICS,
    ApiKey.DELETE_RECORDS,
    ApiKey.INIT_PRODUCER_ID,
    ApiKey.ADD_PARTITIONS_TO_TXN,
    ApiKey.ADD_OFFSETS_TO_TXN,
    ApiKey.END_TXN,
    ApiKey.LIST_TRANSACTIONS,
    ApiKey.DESCRIBE_TRANSACTIONS,
    ApiKey.DESCRIBE_PRODUCERS,
    ApiKey.WRITE_TXN_MARKERS,
    ApiKey.OFFSET_DELETE,
    ApiKey.DELETE_GROUPS,
    ApiKey.TXN_OFFSET_COMMIT,
    ApiKey.DESCRIBE_CONFIGS,
    ApiKey.INCREMENTAL_ALTER_CONFIGS,
    ApiKey.CREATE_PARTITIONS,
    ApiKey.DESCRIBE_CLUSTER,
)


@dataclass
class FakePartition:
    """A log of whole batches and the last sequences of producers."""

    leader_id: int
    leader_epoch: int = 0
    batches: list[tuple[BatchHeader, bytes]] = field(default_factory=list)
    start_offset: int = 0
    end_offset: int = 0
    sequences: dict[tuple[int, int], tuple[int, int, int]] = field(default_factory=dict)
    """(producer id, epoch) → (first, last sequence, base offset) of its last batch."""

    def transactions(self) -> list[tuple[int, int, int | None, bool]]:
        """(producer id, first offset, offset of the marker or None, whether committed), by end;
        open ones come last."""
        started: dict[int, int] = {}
        ended: list[tuple[int, int, int | None, bool]] = []
        for header, data in self.batches:
            producer_id = header.producer_id
            if header.is_control:
                (marker,) = iter_records(data, 0, header)
                is_commit = control_record_type(marker.key) is ControlRecordType.COMMIT
                first = started.pop(producer_id, header.base_offset)
                ended.append((producer_id, first, header.base_offset, is_commit))
            elif header.is_transactional:
                started.setdefault(producer_id, header.base_offset)
        return ended + [(producer_id, first, None, False) for producer_id, first in started.items()]

    def last_stable_offset(self) -> int:
        return min(
            [first for _, first, end, _ in self.transactions() if end is None],
            default=self.end_offset,
        )

    def aborted(self) -> list[tuple[int, int, int]]:
        """(producer id, first, last offset), by end as in Kafka's index."""
        return [
            (producer_id, first, end)
            for producer_id, first, end, is_commit in self.transactions()
            if end is not None and not is_commit
        ]

    def records(self) -> list[Record]:
        return [record for header, data in self.batches for record in iter_records(data, 0, header)]

    def values(self) -> list[bytes | None]:
        return [record.value for record in self.records()]


class FakeTransport:
    """One connection to one node."""

    def __init__(self, kafka: FakeKafka, node_id: int) -> None:
        self.kafka = kafka
        self.node_id = node_id
        self.closed = False
        self.answers: deque[tuple[int, bytes | None]] = deque()
        """(when it is there, frame; None: the connection breaks)"""

    def send(self, frame: bytes | bytearray, timeout_ms: int) -> None:
        if self.closed or self.node_id in self.kafka.down:
            raise ConnectionResetError
        assert int.from_bytes(frame[:4], "big") == len(frame) - 4
        if self.node_id not in self.kafka.silent:
            self.kafka.serve(self, bytes(frame[4:]))

    def receive(self, timeout_ms: int) -> bytearray:
        if self.closed or self.node_id in self.kafka.down:
            raise ConnectionResetError
        now_ms = self.kafka.clock.now_ms()
        if not self.answers or self.answers[0][0] > now_ms + timeout_ms:
            self.kafka.clock.advance(timeout_ms)
            raise TimeoutError
        ready_ms, frame = self.answers.popleft()
        self.kafka.clock.advance(max(0, ready_ms - now_ms))
        if frame is None:
            raise ConnectionResetError
        return bytearray(frame)

    def close(self) -> None:
        self.closed = True


class FakeKafka(FakeTransactions):
    """The cluster: nodes 1…`brokers`, listening at broker:9001 and so on."""

    def __init__(self, brokers: int = 3) -> None:
        self.clock = ManualClock(now_ms=1_000_000)
        self.brokers = list(range(1, brokers + 1))
        self.topics: dict[str, list[FakePartition]] = {}
        self.topic_configs: dict[str, dict[str, str]] = {}
        self.down: set[int] = set()
        self.silent: set[int] = set()
        self.errors: dict[ApiKey, deque[ErrorCode]] = defaultdict(deque)
        """Answered instead of doing anything, one a partition or request."""
        self.lose_answers: dict[ApiKey, int] = defaultdict(int)
        """So many requests are served, and then their connection breaks."""
        self.seen: list[tuple[int, ApiKey, Any]] = []
        """(node, API, request), in order."""
        self.retries: list[str] = []
        self.auto_create = False
        self.max_batch_bytes = 1_000_000
        super().__init__()
        self.served = SERVED
        self.old_api_versions = False
        # One group.
        self.coordinator_id = self.brokers[-1]
        self.groups = [("readers", "consumer", "Stable", "classic")]
        """As listed: id, protocol type, state, type."""
        self.generation = 0
        self.members: dict[str, bytes] = {}
        self.assignments: dict[str, bytes] = {}
        self.committed: dict[tuple[str, int], int] = {}
        self.rebalancing = False

    @property
    def bootstrap(self) -> str:
        return ",".join(f"{HOST}:{FIRST_PORT + node_id}" for node_id in self.brokers)

    def options(self, timeout_ms: int = 30_000) -> ClientOptions:
        return ClientOptions(
            timeout_ms=timeout_ms,
            network=self,
            clock=self.clock,
            on_retry=self.retries.append,
        )

    def create(self, topic: str, partitions: int = 1) -> list[FakePartition]:
        self.topics[topic] = [
            FakePartition(leader_id=self.brokers[index % len(self.brokers)])
            for index in range(partitions)
        ]
        return self.topics[topic]

    def append(self, topic: str, index: int, batch: bytearray) -> int:
        """Append a batch as a leader does; its base offset."""
        partition = self.topics[topic][index]
        patch_offset_and_epoch(
            batch, 0, base_offset=partition.end_offset, leader_epoch=partition.leader_epoch
        )
        header = read_header(batch)
        partition.batches.append((header, bytes(batch)))
        partition.end_offset = header.next_offset
        return header.base_offset

    def requests(self, key: ApiKey) -> list[Any]:
        return [request for _, seen, request in self.seen if seen is key]

    # The client's network.

    def connect(self, host: str, port: int, timeout_ms: int) -> FakeTransport:
        node_id = port - FIRST_PORT
        if host != HOST or node_id not in self.brokers or node_id in self.down:
            raise ConnectionRefusedError
        return FakeTransport(self, node_id)

    def wait(self, transports: Sequence[Transport], timeout_ms: int) -> list[Transport]:
        now_ms = self.clock.now_ms()
        mine = [cast(FakeTransport, one) for one in transports]
        due = [
            now_ms if one.node_id in self.down else one.answers[0][0]
            for one in mine
            if one.answers or one.node_id in self.down
        ]
        if not due or min(due) > now_ms + timeout_ms:
            self.clock.advance(max(0, timeout_ms))
            return []
        self.clock.advance(max(0, min(due) - now_ms))
        now_ms = self.clock.now_ms()
        return [
            one
            for one in mine
            if one.node_id in self.down or (one.answers and one.answers[0][0] <= now_ms)
        ]

    # The brokers.

    def serve(self, transport: FakeTransport, frame: bytes) -> None:
        key = ApiKey(int.from_bytes(frame[:2], "big"))
        version = int.from_bytes(frame[2:4], "big")
        header, position = RequestHeader.decode_from(frame, 0, request_header_version(key, version))
        if key is ApiKey.API_VERSIONS and self.old_api_versions and version > 0:
            answer: Message | None = api_versions_response.ApiVersionsResponse(error_code=35)
            version = 0
        else:
            request = api_spec(key).request_type.decode(frame, version, position)
            self.seen.append((transport.node_id, key, request))
            self.version = version
            handler: Callable[..., Message | None] = getattr(self, f"_{key.name.lower()}")
            answer = handler(request, transport.node_id)
        if self.lose_answers[key]:
            self.lose_answers[key] -= 1
            transport.answers.append((self.clock.now_ms(), None))
            return
        if answer is None:
            return
        out = bytearray()
        ResponseHeader(header.correlation_id).encode_into(
            out, response_header_version(key, version)
        )
        for part in answer.encode_parts(version):
            out += cast(bytes, part)
        delay_ms = 1
        if key is ApiKey.FETCH and len(out) < 100 + 40 * len(self.topics):
            delay_ms = max(1, self.seen[-1][2].max_wait_ms)
        transport.answers.append((self.clock.now_ms() + delay_ms, bytes(out)))

    def _error(self, key: ApiKey) -> int:
        return self.errors[key].popleft() if self.errors[key] else 0

    def _partition(self, topic: str, index: int, node_id: int) -> tuple[FakePartition | None, int]:
        partitions = self.topics.get(topic)
        if partitions is None or index >= len(partitions):
            return None, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
        if partitions[index].leader_id != node_id:
            return None, ErrorCode.NOT_LEADER_OR_FOLLOWER
        return partitions[index], 0

    def _api_versions(self, request: Any, node_id: int) -> Message:
        return api_versions_response.ApiVersionsResponse(
            api_keys=[
                api_versions_response.ApiVersion(
                    key, api_spec(key).min_version, api_spec(key).max_version
                )
                for key in self.served
            ],
            finalized_features=[
                api_versions_response.FinalizedFeatureKey(
                    "transaction.version", self.transaction_version, self.transaction_version
                )
            ],
        )

    def _metadata(self, request: Any, node_id: int) -> Message:
        m = metadata_response
        names = list(self.topics) if request.topics is None else [t.name for t in request.topics]
        topics = []
        for name in names:
            code = self._error(ApiKey.METADATA)
            if not code and name not in self.topics:
                code = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
                if self.auto_create and request.allow_auto_topic_creation:
                    self.create(name)
            topics.append(
                m.MetadataResponseTopic(
                    error_code=code,
                    name=name,
                    topic_id=name.encode().ljust(16, b"_")[:16],
                    is_internal=name.startswith("__"),
                    partitions=[
                        m.MetadataResponsePartition(
                            partition_index=index,
                            leader_id=-1 if p.leader_id in self.down else p.leader_id,
                            leader_epoch=p.leader_epoch,
                            replica_nodes=list(self.brokers),
                            isr_nodes=[n for n in self.brokers if n not in self.down],
                        )
                        for index, p in enumerate(self.topics.get(name, []))
                    ]
                    if not code
                    else [],
                )
            )
        return m.MetadataResponse(
            brokers=[
                m.MetadataResponseBroker(node, HOST, FIRST_PORT + node, None)
                for node in self.brokers
                if node not in self.down
            ],
            cluster_id="fake",
            controller_id=1,
            topics=topics,
        )

    def _produce(self, request: Any, node_id: int) -> Message | None:
        m = produce_response
        responses = [
            m.TopicProduceResponse(
                name=topic.name,
                partition_responses=[
                    self._produce_partition(topic.name, data, node_id, request.transactional_id)
                    for data in topic.partition_data
                ],
            )
            for topic in request.topic_data
        ]
        return m.ProduceResponse(responses) if request.acks else None

    def _produce_partition(
        self, topic: str, data: Any, node_id: int, transactional_id: str | None
    ) -> Any:
        answer = produce_response.PartitionProduceResponse(index=data.index)
        batch = bytearray(data.records)
        header = read_header(batch)
        assert header.size == len(batch)
        assert crc_matches(batch, 0, header)
        partition, answer.error_code = self._partition(topic, data.index, node_id)
        answer.error_code = answer.error_code or self._error(ApiKey.PRODUCE)
        if partition is None or answer.error_code:
            return answer
        assert header.is_transactional == (transactional_id is not None)
        if transactional_id is not None:
            key = (topic, data.index)
            answer.error_code = self.admit(transactional_id, header, key)
            if answer.error_code:
                return answer
        if len(batch) > self.max_batch_bytes:
            answer.error_code = ErrorCode.MESSAGE_TOO_LARGE
            return answer
        producer = (header.producer_id, header.producer_epoch)
        if header.has_producer_id:
            first, last, base_offset = partition.sequences.get(producer, (-1, -1, -1))
            if header.base_sequence == first and header.last_sequence == last:
                answer.base_offset = base_offset
                return answer
            if header.base_sequence != (last + 1) & 0x7FFFFFFF:
                answer.error_code = ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER
                return answer
        answer.base_offset = self.append(topic, data.index, batch)
        partition.sequences[producer] = (
            header.base_sequence,
            header.last_sequence,
            answer.base_offset,
        )
        return answer

    def _fetch(self, request: Any, node_id: int) -> Message:
        m = fetch_response
        responses = []
        for topic in request.topics:
            answers = []
            for asked in topic.partitions:
                partition, code = self._partition(topic.topic, asked.partition, node_id)
                code = code or self._error(ApiKey.FETCH)
                data = m.PartitionData(partition_index=asked.partition, error_code=code)
                if partition is not None and not code:
                    data.high_watermark = partition.end_offset
                    data.last_stable_offset = stable = partition.last_stable_offset()
                    committed_only = request.isolation_level == 1
                    data.log_start_offset = partition.start_offset
                    if not partition.start_offset <= asked.fetch_offset <= partition.end_offset:
                        data.error_code = ErrorCode.OFFSET_OUT_OF_RANGE
                    else:
                        data.records = b"".join(
                            batch
                            for header, batch in partition.batches
                            if header.last_offset >= asked.fetch_offset
                            and not (committed_only and header.base_offset >= stable)
                        )[: asked.partition_max_bytes]
                        if committed_only:
                            data.aborted_transactions = [
                                m.AbortedTransaction(producer_id, first)
                                for producer_id, first, last in partition.aborted()
                                if last >= asked.fetch_offset
                            ]
                answers.append(data)
            responses.append(m.FetchableTopicResponse(topic=topic.topic, partitions=answers))
        return m.FetchResponse(responses=responses)

    def _list_offsets(self, request: Any, node_id: int) -> Message:
        m = list_offsets_response
        topics = []
        for topic in request.topics:
            answers = []
            for asked in topic.partitions:
                index = asked.partition_index
                partition, code = self._partition(topic.name, index, node_id)
                code = code or self._error(ApiKey.LIST_OFFSETS)
                answer = m.ListOffsetsPartitionResponse(index, code)
                if partition is not None and not code:
                    later = [r for r in partition.records() if r.timestamp >= asked.timestamp]
                    if asked.timestamp == -1:
                        answer.offset = (
                            partition.last_stable_offset()
                            if request.isolation_level == 1
                            else partition.end_offset
                        )
                    elif asked.timestamp == -2:
                        answer.offset = partition.start_offset
                    elif later:
                        answer.offset, answer.timestamp = later[0].offset, later[0].timestamp
                answers.append(answer)
            topics.append(m.ListOffsetsTopicResponse(topic.name, answers))
        return m.ListOffsetsResponse(topics=topics)

    def _delete_records(self, request: Any, node_id: int) -> Message:
        m = delete_records_response
        topics = []
        for topic in request.topics:
            answers = []
            for asked in topic.partitions:
                index = asked.partition_index
                partition, code = self._partition(topic.name, index, node_id)
                code = code or self._error(ApiKey.DELETE_RECORDS)
                if partition is not None and not code and asked.offset > partition.end_offset:
                    code = ErrorCode.OFFSET_OUT_OF_RANGE
                answer = m.DeleteRecordsPartitionResult(index, -1, code)
                if partition is not None and not code:
                    partition.start_offset = max(partition.start_offset, asked.offset)
                    answer.low_watermark = partition.start_offset
                answers.append(answer)
            topics.append(m.DeleteRecordsTopicResult(topic.name, answers))
        return m.DeleteRecordsResponse(topics=topics)

    def _describe_cluster(self, request: Any, node_id: int) -> Message:
        m = describe_cluster_response
        return m.DescribeClusterResponse(
            cluster_id="fake",
            controller_id=-1 if 1 in self.down else 1,
            brokers=[
                m.DescribeClusterBroker(node, HOST, FIRST_PORT + node)
                for node in reversed(self.brokers)
                if node not in self.down
            ],
        )

    def _create_topics(self, request: Any, node_id: int) -> Message:
        m = create_topics_response
        results = []
        for topic in request.topics:
            result = m.CreatableTopicResult(name=topic.name)
            result.error_code = self._error(ApiKey.CREATE_TOPICS)
            if result.error_code:
                result.error_message = None
            elif topic.name in self.topics:
                result.error_code = ErrorCode.TOPIC_ALREADY_EXISTS
                result.error_message = f"Topic '{topic.name}' already exists."
            else:
                result.num_partitions = max(1, topic.num_partitions)
                result.replication_factor = max(1, topic.replication_factor)
                if not request.validate_only:
                    self.create(topic.name, result.num_partitions)
                    self.topic_configs[topic.name] = {c.name: c.value for c in topic.configs}
            results.append(result)
        return m.CreateTopicsResponse(topics=results)

    def _delete_topics(self, request: Any, node_id: int) -> Message:
        m = delete_topics_response
        results = []
        for name in request.topic_names:
            code = self._error(ApiKey.DELETE_TOPICS)
            if not code and self.topics.pop(name, None) is None:
                code = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
            results.append(m.DeletableTopicResult(name=name, error_code=code))
        return m.DeleteTopicsResponse(responses=results)

    def _create_partitions(self, request: Any, node_id: int) -> Message:
        m = create_partitions_response
        results = []
        for topic in request.topics:
            partitions = self.topics[topic.name]
            code = self._error(ApiKey.CREATE_PARTITIONS)
            if topic.count <= len(partitions):
                code = ErrorCode.INVALID_PARTITIONS
            while not code and len(partitions) < topic.count:
                partitions.append(FakePartition(leader_id=1))
            results.append(m.CreatePartitionsTopicResult(topic.name, code, None))
        return m.CreatePartitionsResponse(results=results)

    def _describe_configs(self, request: Any, node_id: int) -> Message:
        m = describe_configs_response
        results = []
        for resource in request.resources:
            result = m.DescribeConfigsResult(
                resource_type=resource.resource_type, resource_name=resource.resource_name
            )
            if resource.resource_type == 2 and resource.resource_name not in self.topics:
                result.error_code = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
            else:
                configs = self.topic_configs.get(resource.resource_name, {})
                result.configs = [
                    m.DescribeConfigsResourceResult(name, value, config_source=1)
                    for name, value in configs.items()
                ]
                result.configs.append(
                    m.DescribeConfigsResourceResult("asked.at", str(node_id), config_source=5)
                )
            results.append(result)
        return m.DescribeConfigsResponse(results=results)

    def _incremental_alter_configs(self, request: Any, node_id: int) -> Message:
        m = incremental_alter_configs_response
        results = []
        for resource in request.resources:
            code = self._error(ApiKey.INCREMENTAL_ALTER_CONFIGS)
            if resource.resource_type == 2 and resource.resource_name not in self.topics:
                code = ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
            elif not code and not request.validate_only:
                configs = self.topic_configs.setdefault(resource.resource_name, {})
                for config in resource.configs:
                    if config.config_operation == 1:
                        configs.pop(config.name, None)
                    else:
                        configs[config.name] = config.value
            message = f"{ErrorCode(code).name} here" if code else None
            results.append(
                m.AlterConfigsResourceResponse(
                    code, message, resource.resource_type, resource.resource_name
                )
            )
        return m.IncrementalAlterConfigsResponse(responses=results)

    # The coordinator of all groups, as if there were one.

    def _find_coordinator(self, request: Any, node_id: int) -> Message:
        return find_coordinator_response.FindCoordinatorResponse(
            error_code=self._error(ApiKey.FIND_COORDINATOR),
            error_message=None,
            node_id=self.coordinator_id,
            host=HOST,
            port=FIRST_PORT + self.coordinator_id,
        )

    def _member_error(self, key: ApiKey, request: Any, node_id: int) -> int:
        code = self._error(key)
        if not code and node_id != self.coordinator_id:
            code = ErrorCode.NOT_COORDINATOR
        if not code and request.member_id not in self.members:
            code = ErrorCode.UNKNOWN_MEMBER_ID
        return code

    def _join_group(self, request: Any, node_id: int) -> Message:
        m = join_group_response
        response = m.JoinGroupResponse(error_code=self._error(ApiKey.JOIN_GROUP))
        if not response.error_code and not request.member_id:
            response.error_code = ErrorCode.MEMBER_ID_REQUIRED
            response.member_id = f"m{len(self.members) + self.generation + 1}"
        elif not response.error_code:
            self.rebalancing = False
            self.generation += 1
            self.members[request.member_id] = request.protocols[0].metadata
            response = m.JoinGroupResponse(
                generation_id=self.generation,
                protocol_type="consumer",
                protocol_name="range",
                leader=request.member_id,
                member_id=request.member_id,
                members=[
                    m.JoinGroupResponseMember(member, None, metadata)
                    for member, metadata in self.members.items()
                ],
            )
        return response

    def _sync_group(self, request: Any, node_id: int) -> Message:
        code = self._member_error(ApiKey.SYNC_GROUP, request, node_id)
        if not code:
            self.assignments = {a.member_id: a.assignment for a in request.assignments}
        return sync_group_response.SyncGroupResponse(
            error_code=code,
            protocol_type="consumer",
            protocol_name="range",
            assignment=self.assignments.get(request.member_id, b"") if not code else b"",
        )

    def _heartbeat(self, request: Any, node_id: int) -> Message:
        code = self._member_error(ApiKey.HEARTBEAT, request, node_id)
        if not code and self.rebalancing:
            code = ErrorCode.REBALANCE_IN_PROGRESS
        return heartbeat_response.HeartbeatResponse(error_code=code)

    def _leave_group(self, request: Any, node_id: int) -> Message:
        for member in request.members:
            self.members.pop(member.member_id, None)
        return leave_group_response.LeaveGroupResponse()

    def _offset_commit(self, request: Any, node_id: int) -> Message:
        m = offset_commit_response
        if not request.member_id and not self.members:
            code = self._error(ApiKey.OFFSET_COMMIT)  # an operator's, which is in no generation
        else:
            code = self._member_error(ApiKey.OFFSET_COMMIT, request, node_id)
            if not code and request.generation_id_or_member_epoch != self.generation:
                code = ErrorCode.ILLEGAL_GENERATION
        topics = []
        for topic in request.topics:
            answers = []
            for partition in topic.partitions:
                if not code:
                    key = (topic.name, partition.partition_index)
                    self.committed[key] = partition.committed_offset
                answers.append(m.OffsetCommitResponsePartition(partition.partition_index, code))
            topics.append(m.OffsetCommitResponseTopic(name=topic.name, partitions=answers))
        return m.OffsetCommitResponse(topics=topics)

    def _offset_fetch(self, request: Any, node_id: int) -> Message:
        m = offset_fetch_response
        if request.topics is None:
            wanted = list(self.committed)
        else:
            wanted = [(t.name, index) for t in request.topics for index in t.partition_indexes]
        return m.OffsetFetchResponse(
            error_code=self._error(ApiKey.OFFSET_FETCH),
            topics=[
                m.OffsetFetchResponseTopic(
                    topic,
                    [m.OffsetFetchResponsePartition(index, self.committed.get((topic, index), -1))],
                )
                for topic, index in wanted
            ],
        )

    def _offset_delete(self, request: Any, node_id: int) -> Message:
        m = offset_delete_response
        code = self._error(ApiKey.OFFSET_DELETE)
        if code not in (0, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION):
            return m.OffsetDeleteResponse(error_code=code)
        read = {
            (topic, index)
            for assignment in self.assignments.values()
            for topic, index in decode_assignment(assignment)
        }
        topics = []
        for topic in request.topics:
            answers = []
            for partition in topic.partitions:
                key = (topic.name, partition.partition_index)
                one = code or (ErrorCode.GROUP_SUBSCRIBED_TO_TOPIC if key in read else 0)
                if not one:
                    self.committed.pop(key, None)
                answers.append(m.OffsetDeleteResponsePartition(partition.partition_index, one))
            topics.append(m.OffsetDeleteResponseTopic(topic.name, answers))
        return m.OffsetDeleteResponse(topics=topics)

    def _delete_groups(self, request: Any, node_id: int) -> Message:
        m = delete_groups_response
        results = []
        for group_id in request.groups_names:
            code = self._error(ApiKey.DELETE_GROUPS)
            if not code and self.members:
                code = ErrorCode.NON_EMPTY_GROUP
            if not code:
                self.groups = [one for one in self.groups if one[0] != group_id]
                self.committed.clear()
            results.append(m.DeletableGroupResult(group_id, code))
        return m.DeleteGroupsResponse(results=results)

    def _list_groups(self, request: Any, node_id: int) -> Message:
        m = list_groups_response
        groups = [m.ListedGroup(*one) for one in self.groups]
        return m.ListGroupsResponse(
            error_code=self._error(ApiKey.LIST_GROUPS),
            groups=groups if node_id == self.coordinator_id else [],
        )

    def _describe_groups(self, request: Any, node_id: int) -> Message:
        m = describe_groups_response
        return m.DescribeGroupsResponse(
            groups=[
                m.DescribedGroup(
                    error_code=self._error(ApiKey.DESCRIBE_GROUPS),
                    group_id=group_id,
                    group_state="Stable" if self.members else "Empty",
                    protocol_type="consumer",
                    protocol_data="range",
                    members=[
                        m.DescribedGroupMember(
                            member_id=member,
                            client_id="ottla",
                            client_host="/127.0.0.1",
                            member_assignment=self.assignments.get(member, b""),
                        )
                        for member in self.members
                    ],
                )
                for group_id in request.groups
            ]
        )
