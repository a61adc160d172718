from __future__ import annotations

from collections.abc import Iterator

import pytest

from ottla.client.cluster import Cluster
from ottla.client.errors import DeadlineError
from ottla.client.group_admin import (
    committed_offsets,
    delete_groups,
    delete_offsets,
    describe_group,
    list_groups,
    set_offsets,
)
from ottla.client.groups import encode_assignment
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from tests.support.fake_kafka import FakeKafka


@pytest.fixture
def kafka() -> FakeKafka:
    kafka = FakeKafka()
    kafka.create("t", 2)
    return kafka


@pytest.fixture
def cluster(kafka: FakeKafka) -> Iterator[Cluster]:
    with Cluster(kafka.bootstrap, kafka.options(2_000)) as cluster:
        yield cluster


def test_offsets_are_set_and_read(kafka: FakeKafka, cluster: Cluster) -> None:
    kafka.errors[ApiKey.OFFSET_COMMIT].append(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    kafka.lose_answers[ApiKey.OFFSET_COMMIT] = 1
    set_offsets(cluster, "g", {("t", 1): 7, ("t", 0): 3})
    assert committed_offsets(cluster, "g") == {("t", 0): 3, ("t", 1): 7}


def test_offsets_of_a_group_with_members_are_its_own(kafka: FakeKafka, cluster: Cluster) -> None:
    kafka.members = {"m": b""}
    with pytest.raises(ProtocolError, match="stop its consumers first") as refused:
        set_offsets(cluster, "g", {("t", 0): 3})
    assert refused.value.code is ErrorCode.UNKNOWN_MEMBER_ID
    assert kafka.committed == {}


def test_a_partition_that_never_comes(kafka: FakeKafka, cluster: Cluster) -> None:
    kafka.errors[ApiKey.OFFSET_COMMIT].extend([ErrorCode.UNKNOWN_TOPIC_OR_PARTITION] * 1000)
    with pytest.raises(DeadlineError, match="partition 0 of topic 't' does not exist"):
        set_offsets(cluster, "g", {("t", 0): 3})


def test_offsets_are_deleted(kafka: FakeKafka, cluster: Cluster) -> None:
    kafka.committed = {("t", 0): 3, ("t", 1): 7}
    kafka.errors[ApiKey.OFFSET_DELETE].append(ErrorCode.NOT_COORDINATOR)
    delete_offsets(cluster, "g", [("t", 1)])
    assert kafka.committed == {("t", 0): 3}


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (ErrorCode.GROUP_ID_NOT_FOUND, "there is no such group"),
        (ErrorCode.NON_EMPTY_GROUP, "stop its consumers first"),
        (ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "partition 1 of topic 't' does not exist"),
    ],
)
def test_what_is_not_deleted(
    kafka: FakeKafka, cluster: Cluster, code: ErrorCode, words: str
) -> None:
    kafka.errors[ApiKey.OFFSET_DELETE].append(code)
    with pytest.raises(ProtocolError, match=words) as refused:
        delete_offsets(cluster, "g", [("t", 1)])
    assert refused.value.code is code
    assert len(kafka.requests(ApiKey.OFFSET_DELETE)) == 1, "it was tried again"


def test_what_a_member_reads_is_kept_and_the_rest_goes(kafka: FakeKafka, cluster: Cluster) -> None:
    kafka.committed = {("t", 0): 3, ("t", 1): 7}
    kafka.assignments = {"m": encode_assignment([("t", 0)])}
    with pytest.raises(ProtocolError, match="partition 0 of topic 't': a member of the group"):
        delete_offsets(cluster, "g", [("t", 0), ("t", 1)])
    assert kafka.committed == {("t", 0): 3}


def test_groups_are_listed_described_and_deleted(kafka: FakeKafka, cluster: Cluster) -> None:
    assert [one.group_id for one in list_groups(cluster)] == ["readers"]
    assert describe_group(cluster, "readers").state == "Empty"
    kafka.errors[ApiKey.DELETE_GROUPS].append(ErrorCode.GROUP_ID_NOT_FOUND)
    with pytest.raises(ProtocolError, match="there is no such group"):
        delete_groups(cluster, ["gone", "readers"])
    assert len(kafka.requests(ApiKey.DELETE_GROUPS)) == 1
    delete_groups(cluster, ["readers"])
    assert list_groups(cluster) == []
