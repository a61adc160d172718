"""Topics, as a broker has them made, grown and deleted for its clients.

Each call answers topic by topic, once every live broker has applied the change or the time is up;
this broker has then applied it too, unless it is cut off.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Mapping, Sequence
from typing import Final

from broker.control.commands import Answer, Commands
from broker.control.metadata_cache import MetadataCache
from broker.control.requests import NewPartitions, NewTopic, TopicResult
from controller.generated import metadata_pb2 as pb
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import NIL_UUID, Uuid, random_uuid
from ottla.core.topic_configs import effective_topic_configs, topic_defaults

OWN_METADATA_MS: Final = 2_000


class TopicAdmin:
    """See the module. `topic_defaults` are this node's, by the topics' names for them."""

    def __init__(
        self,
        broker_id: int,
        commands: Commands,
        cache: MetadataCache,
        topic_defaults: Mapping[str, str],
        rng: random.Random,
    ) -> None:
        self._broker_id = broker_id
        self._commands = commands
        self._cache = cache
        self._topic_defaults = topic_defaults
        self._rng = rng

    async def create_topics(
        self, topics: Sequence[NewTopic], *, validate_only: bool, timeout_ms: int
    ) -> list[TopicResult]:
        refused: list[TopicResult] = []
        messages: list[pb.NewTopic] = []
        for topic in topics:
            try:
                messages.append(_new_topic_message(topic, random_uuid(self._rng)))
            except ProtocolError as error:
                refused.append(_failure(topic.name, error.code, error.message))
        if not messages:
            return refused
        command = pb.Command(
            create_topics=pb.CreateTopics(topics=messages, validate_only=validate_only)
        )
        answer = await self._execute(command, timeout_ms, changes=not validate_only)
        own = {message.name: dict(message.configs) for message in messages}
        return refused + [
            self._result(result, own.get(result.name, {})) for result in answer.result.topics
        ]

    async def delete_topics(
        self, names: Sequence[str | Uuid], timeout_ms: int
    ) -> list[TopicResult]:
        """By name or id. A known name is deleted by its id, so that sending the command again never
        deletes a topic that was made after it."""
        known = self._cache.state.topic_ids
        wanted = [
            _by_name(name)
            if isinstance(name, str) and name not in known
            else _by_id(known[name] if isinstance(name, str) else name)
            for name in names
        ]
        answer = await self._delete(wanted, timeout_ms)
        results = list(answer.result.topics)
        outdated = [
            position
            for position, name in enumerate(names)
            if isinstance(name, str) and results[position].error_code == ErrorCode.UNKNOWN_TOPIC_ID
        ]
        if outdated and not answer.repeated:
            # Our metadata was behind: under the name is another topic by now, or none.
            again = await self._delete(
                [_by_name(str(names[position])) for position in outdated], timeout_ms
            )
            for position, result in zip(outdated, again.result.topics, strict=True):
                results[position] = result
        elif outdated:
            for position in outdated:
                results[position].error_code = 0  # the first attempt did it
        return [
            TopicResult(
                result.name or (name if isinstance(name, str) else ""),
                ErrorCode(result.error_code),
                result.message or None,
                result.topic_id or NIL_UUID,
                -1,
                -1,
                {},
            )
            for name, result in zip(names, results, strict=True)
        ]

    async def _delete(self, topics: list[pb.TopicName], timeout_ms: int) -> Answer:
        command = pb.Command(delete_topics=pb.DeleteTopics(topics=topics))
        return await self._execute(command, timeout_ms, changes=True)

    async def create_partitions(
        self, topics: Sequence[NewPartitions], *, validate_only: bool, timeout_ms: int
    ) -> list[TopicResult]:
        messages = [
            pb.NewPartitions(
                name=topic.name,
                count=topic.count,
                assignments=[
                    pb.ReplicaAssignment(replicas=replicas) for replicas in topic.assignments or ()
                ],
                assigned=topic.assignments is not None,
            )
            for topic in topics
        ]
        command = pb.Command(
            create_partitions=pb.CreatePartitions(topics=messages, validate_only=validate_only)
        )
        answer = await self._execute(command, timeout_ms, changes=not validate_only)
        if answer.repeated:
            for wanted, result in zip(messages, answer.result.topics, strict=True):
                topic = self._cache.state.topic_named(wanted.name)
                if topic is not None and len(topic.partitions) == wanted.count:
                    result.error_code = 0  # an earlier attempt did it
        return [self._result(result, {}) for result in answer.result.topics]

    async def _execute(self, command: pb.Command, timeout_ms: int, *, changes: bool) -> Answer:
        answer = await self._commands.execute(command, timeout_ms, wait_for_brokers=changes)
        if changes:
            with contextlib.suppress(ProtocolError):
                await self._cache.wait_offset(answer.offset, OWN_METADATA_MS)
        return answer

    def _result(self, result: pb.TopicResult, own: Mapping[str, str]) -> TopicResult:
        if result.error_code:
            return _failure(result.name, ErrorCode(result.error_code), result.message)
        state = self._cache.state
        dynamic = topic_defaults(state.dynamic_broker_configs(self._broker_id))
        return TopicResult(
            result.name,
            ErrorCode.NONE,
            None,
            result.topic_id or NIL_UUID,
            result.partition_count,
            result.replication_factor,
            # What the controller in office says goes before this node's own file.
            effective_topic_configs(own, dynamic, state.election_defaults(), self._topic_defaults),
        )


def _new_topic_message(topic: NewTopic, topic_id: Uuid) -> pb.NewTopic:
    """INVALID_REPLICA_ASSIGNMENT when partitions are missing in the assignment."""
    assignments = topic.assignments or {}
    if sorted(assignments) != list(range(len(assignments))):
        raise ProtocolError(
            ErrorCode.INVALID_REPLICA_ASSIGNMENT,
            f"the partitions assigned, {sorted(assignments)}, are not numbered from 0 without gaps",
        )
    return pb.NewTopic(
        name=topic.name,
        partition_count=topic.partition_count,
        replication_factor=topic.replication_factor,
        assignments=[
            pb.ReplicaAssignment(replicas=assignments[index]) for index in range(len(assignments))
        ],
        configs={key: value for key, value in topic.configs.items() if value is not None},
        topic_id=topic_id,
    )


def _by_name(name: str) -> pb.TopicName:
    return pb.TopicName(name=name)


def _by_id(topic_id: Uuid) -> pb.TopicName:
    return pb.TopicName(topic_id=topic_id)


def _failure(name: str, code: ErrorCode, message: str | None) -> TopicResult:
    return TopicResult(name, code, message or None, NIL_UUID, -1, -1, {})
