from __future__ import annotations

from dataclasses import replace

import pytest

from ottla.client import Admin, DeadlineError
from ottla.client.configs import ConfigChange, ConfigOperation, ConfigResource, ResourceKind
from ottla.client.groups import encode_assignment
from ottla.client.model import NewTopic, OffsetSpec
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.record.build import build_batch
from tests.support.fake_kafka import FakeKafka


@pytest.fixture
def kafka() -> FakeKafka:
    return FakeKafka()


@pytest.fixture
def admin(kafka: FakeKafka) -> Admin:
    return Admin(kafka.bootstrap, options=kafka.options())


def test_describe_cluster(kafka: FakeKafka, admin: Admin) -> None:
    described = admin.describe_cluster()
    assert described.cluster_id == "fake"
    assert described.controller_id == 1
    assert [broker.broker_id for broker in described.brokers] == [1, 2, 3]
    assert (described.brokers[0].host, described.brokers[0].port) == ("broker", 9001)
    kafka.down.add(1)
    assert admin.describe_cluster().controller_id is None


def test_topics(kafka: FakeKafka, admin: Admin) -> None:
    kafka.create("b", 2)
    kafka.create("a", 1)
    kafka.create("__hidden")
    assert [topic.name for topic in admin.list_topics()] == ["a", "b"]
    assert [topic.name for topic in admin.list_topics(internal=True)] == ["__hidden", "a", "b"]
    kafka.down.add(2)
    topic = admin.describe_topic("b")
    assert topic.replication_factor == 3
    assert [(p.index, p.leader_id, p.isr) for p in topic.partitions] == [
        (0, 1, (1, 3)),
        (1, None, (1, 3)),
    ]
    assert topic.partitions[0].under_replicated
    assert [topic.name for topic in admin.describe_topics(["b", "a"])] == ["b", "a"]


def batch(count: int) -> bytearray:
    return build_batch([(None, b"v", (), 0)] * count)


def test_records_are_deleted_at_each_leader(kafka: FakeKafka, admin: Admin) -> None:
    kafka.create("t", 3)
    for index in range(3):
        kafka.append("t", index, batch(5 + index))
    kept = admin.delete_records({("t", 0): 2, ("t", 1): OffsetSpec.LATEST})
    assert kept == {("t", 0): 2, ("t", 1): 6}
    assert [p.start_offset for p in kafka.topics["t"]] == [2, 6, 0]
    assert admin.delete_records({("t", 0): 1}) == {("t", 0): 2}


def test_deleting_to_the_end_means_the_end_as_it_was(kafka: FakeKafka, admin: Admin) -> None:
    kafka.create("t", 1)
    kafka.append("t", 0, batch(5))
    kafka.errors[ApiKey.DELETE_RECORDS].append(ErrorCode.REQUEST_TIMED_OUT)
    retries = kafka.options().on_retry
    asked: list[str] = []

    def append_meanwhile(sentence: str) -> None:
        asked.append(sentence)
        kafka.append("t", 0, batch(1))
        retries(sentence)

    options = replace(kafka.options(), on_retry=append_meanwhile)
    with Admin(kafka.bootstrap, options=options) as other:
        assert other.delete_records({("t", 0): OffsetSpec.LATEST}) == {("t", 0): 5}
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (ErrorCode.OFFSET_OUT_OF_RANGE, "beyond what is committed"),
        (ErrorCode.POLICY_VIOLATION, "cleanup.policy has delete"),
        (ErrorCode.INVALID_TOPIC_EXCEPTION, "the cluster's own"),
    ],
)
def test_records_that_may_not_be_deleted(
    kafka: FakeKafka, admin: Admin, code: ErrorCode, words: str
) -> None:
    kafka.create("t", 1)
    kafka.errors[ApiKey.DELETE_RECORDS].append(code)
    with pytest.raises(ProtocolError, match=f"partition 0 of topic 't'.*{words}") as caught:
        admin.delete_records({("t", 0): 0})
    assert caught.value.code is code


def test_a_topic_that_does_not_exist_is_not_waited_for(kafka: FakeKafka, admin: Admin) -> None:
    for ask in (
        lambda: admin.describe_topic("no"),
        lambda: admin.delete_topic("no"),
        lambda: admin.describe_configs(ConfigResource(ResourceKind.TOPIC, "no")),
        lambda: admin.alter_configs(ConfigResource(ResourceKind.TOPIC, "no"), []),
        lambda: admin.list_offsets({("no", 0): OffsetSpec.LATEST}),
        lambda: admin.delete_records({("no", 0): 1}),
    ):
        with pytest.raises(ProtocolError, match="topic 'no' does not exist"):
            ask()
    assert kafka.retries == []


def test_create(kafka: FakeKafka, admin: Admin) -> None:
    created = admin.create_topic("t", 3, 2, {"retention.ms": "5"})
    assert (created.name, created.partitions, created.replication_factor) == ("t", 3, 2)
    assert kafka.topic_configs["t"] == {"retention.ms": "5"}
    with pytest.raises(ProtocolError, match="already exists") as caught:
        admin.create_topic("t")
    assert caught.value.code is ErrorCode.TOPIC_ALREADY_EXISTS
    admin.create_topics([NewTopic("u")], validate_only=True)
    assert "u" not in kafka.topics


def test_create_with_assignments(kafka: FakeKafka, admin: Admin) -> None:
    admin.create_topics([NewTopic("t", assignments={0: (1, 2)})])
    (request,) = kafka.requests(ApiKey.CREATE_TOPICS)
    assert request.topics[0].assignments[0].broker_ids == [1, 2]


def test_creation_whose_answer_was_lost(kafka: FakeKafka, admin: Admin) -> None:
    kafka.lose_answers[ApiKey.CREATE_TOPICS] = 1
    assert admin.create_topic("t").name == "t"
    assert len(kafka.requests(ApiKey.CREATE_TOPICS)) == 2


def test_only_topics_that_were_not_created_are_tried_again(kafka: FakeKafka, admin: Admin) -> None:
    kafka.errors[ApiKey.CREATE_TOPICS].extend([ErrorCode.NONE, ErrorCode.NOT_CONTROLLER])
    created = admin.create_topics([NewTopic("a"), NewTopic("b")])
    assert [topic.name for topic in created] == ["a", "b"]
    assert [
        [topic.name for topic in request.topics] for request in kafka.requests(ApiKey.CREATE_TOPICS)
    ] == [["a", "b"], ["b"]]


def test_delete(kafka: FakeKafka, admin: Admin) -> None:
    kafka.create("a")
    kafka.create("b")
    admin.delete_topics(["a", "b"])
    assert kafka.topics == {}


def test_deletion_whose_answer_was_lost(kafka: FakeKafka, admin: Admin) -> None:
    kafka.create("a")
    kafka.lose_answers[ApiKey.DELETE_TOPICS] = 1
    admin.delete_topic("a")
    assert kafka.topics == {}


def test_create_partitions(kafka: FakeKafka, admin: Admin) -> None:
    kafka.create("t", 1)
    admin.create_partitions("t", 3)
    assert len(kafka.topics["t"]) == 3
    with pytest.raises(ProtocolError, match="impossible number"):
        admin.create_partitions("t", 3)


def test_configs(kafka: FakeKafka, admin: Admin) -> None:
    kafka.create("t")
    kafka.topic_configs["t"] = {"retention.ms": "5"}
    resource = ConfigResource(ResourceKind.TOPIC, "t")
    entries = admin.describe_configs(resource)
    assert [(entry.name, entry.value, entry.source, entry.is_default) for entry in entries] == [
        ("asked.at", "1", "default", True),
        ("retention.ms", "5", "topic", False),
    ]
    broker = ConfigResource(ResourceKind.BROKER, "3")
    assert admin.describe_configs(broker)[0].value == "3"
    changes = [
        ConfigChange("flush.ms", ConfigOperation.SET, "7"),
        ConfigChange("retention.ms", ConfigOperation.DELETE),
    ]
    admin.alter_configs(resource, changes, validate_only=True)
    assert kafka.topic_configs["t"] == {"retention.ms": "5"}
    admin.alter_configs(resource, changes)
    assert kafka.topic_configs["t"] == {"flush.ms": "7"}
    kafka.errors[ApiKey.INCREMENTAL_ALTER_CONFIGS].append(ErrorCode.INVALID_CONFIG)
    with pytest.raises(ProtocolError, match="topic 't': INVALID_CONFIG here") as caught:
        admin.alter_configs(resource, changes)
    assert caught.value.code is ErrorCode.INVALID_CONFIG


def test_offsets(kafka: FakeKafka, admin: Admin) -> None:
    kafka.create("t")
    assert admin.list_offsets({("t", 0): OffsetSpec.LATEST})["t", 0].offset == 0


def test_groups(kafka: FakeKafka, admin: Admin) -> None:
    assert [group.group_id for group in admin.list_groups()] == ["readers"]
    kafka.members = {"m1": b"", "m0": b""}
    kafka.assignments = {"m1": encode_assignment([("t", 1)])}
    kafka.errors[ApiKey.DESCRIBE_GROUPS].append(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    group = admin.describe_group("readers")
    assert (group.state, group.protocol, group.coordinator_id) == ("Stable", "range", 3)
    assert [(m.member_id, m.partitions) for m in group.members] == [
        ("m0", ()),
        ("m1", (("t", 1),)),
    ]
    kafka.committed = {("t", 1): 4}
    assert admin.committed_offsets("readers") == {("t", 1): 4}


def test_the_deadline(kafka: FakeKafka) -> None:
    kafka.errors[ApiKey.CREATE_TOPICS].extend([ErrorCode.NOT_CONTROLLER] * 100)
    with (
        Admin(kafka.bootstrap, options=kafka.options(2_000)) as admin,
        pytest.raises(DeadlineError, match="creating topics did not succeed within 2 s"),
    ):
        admin.create_topic("t")
