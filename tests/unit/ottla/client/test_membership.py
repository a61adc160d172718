from __future__ import annotations

import pytest

from ottla.client.cluster import Cluster
from ottla.client.errors import ClientError, DeadlineError
from ottla.client.groups import decode_assignment, encode_subscription
from ottla.client.membership import Membership
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from tests.support.fake_kafka import FakeKafka


@pytest.fixture
def kafka() -> FakeKafka:
    kafka = FakeKafka()
    kafka.create("t", 4)
    return kafka


def member_of(kafka: FakeKafka, timeout_ms: int = 30_000) -> Membership:
    return Membership(Cluster(kafka.bootstrap, kafka.options(timeout_ms)), "g", ["t"])


def test_joining_alone(kafka: FakeKafka) -> None:
    member = member_of(kafka)
    assert member.join() == [("t", index) for index in range(4)]
    assert member.joined
    assert (member.member_id, member.generation) == ("m1", 1)
    # The first answer gave the member id (KIP-394).
    assert [request.member_id for request in kafka.requests(ApiKey.JOIN_GROUP)] == ["", "m1"]


def test_the_leader_assigns_to_all(kafka: FakeKafka) -> None:
    kafka.members["a"] = encode_subscription(["t", "gone"])
    member = member_of(kafka)
    assert member.join() == [("t", 2), ("t", 3)]
    assert decode_assignment(kafka.assignments["a"]) == [("t", 0), ("t", 1)]


def test_codes_that_pass_are_retried(kafka: FakeKafka) -> None:
    kafka.errors[ApiKey.FIND_COORDINATOR].append(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    kafka.errors[ApiKey.JOIN_GROUP].append(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)
    kafka.errors[ApiKey.SYNC_GROUP].extend(
        [ErrorCode.REBALANCE_IN_PROGRESS, ErrorCode.UNKNOWN_MEMBER_ID, ErrorCode.NOT_COORDINATOR]
    )
    member = member_of(kafka)
    assert ("t", 3) in member.join()
    assert member.joined
    assert [r.member_id for r in kafka.requests(ApiKey.JOIN_GROUP)] == [
        *("", "", "m1", "m1", "", "m4", "m4"),
    ]


def test_codes_that_stay(kafka: FakeKafka) -> None:
    kafka.errors[ApiKey.JOIN_GROUP].append(ErrorCode.INCONSISTENT_GROUP_PROTOCOL)
    with pytest.raises(ProtocolError, match="INCONSISTENT_GROUP_PROTOCOL"):
        member_of(kafka).join()


def test_no_coordinator_for_too_long(kafka: FakeKafka) -> None:
    kafka.errors[ApiKey.FIND_COORDINATOR].extend([ErrorCode.COORDINATOR_NOT_AVAILABLE] * 100)
    with pytest.raises(DeadlineError, match="joining group 'g' did not succeed within 3 s"):
        member_of(kafka, 3_000).join()


def test_heartbeats_are_sent_when_it_is_time(kafka: FakeKafka) -> None:
    member = member_of(kafka)
    member.heartbeat()
    member.join()
    for _ in range(10):
        kafka.clock.advance(1000)
        member.heartbeat()
    assert len(kafka.requests(ApiKey.HEARTBEAT)) == 3
    assert member.joined


@pytest.mark.parametrize(
    ("code", "member_id"),
    [
        (ErrorCode.REBALANCE_IN_PROGRESS, "m1"),
        (ErrorCode.UNKNOWN_MEMBER_ID, ""),
        (ErrorCode.ILLEGAL_GENERATION, ""),
    ],
)
def test_a_heartbeat_tells_of_a_rebalance(
    kafka: FakeKafka, code: ErrorCode, member_id: str
) -> None:
    member = member_of(kafka)
    member.join()
    kafka.errors[ApiKey.HEARTBEAT].append(code)
    kafka.clock.advance(3000)
    member.heartbeat()
    if not member_id:
        kafka.members.clear()
    assert not member.joined
    assert member.member_id == member_id
    assert len(member.join()) == 4


def test_a_coordinator_that_dies_is_replaced(kafka: FakeKafka) -> None:
    member = member_of(kafka)
    member.join()
    kafka.down.add(3)
    kafka.coordinator_id = 1
    kafka.clock.advance(3000)
    member.heartbeat()
    assert member.joined
    assert "heartbeat" in kafka.retries[-1]
    kafka.clock.advance(1000)
    member.heartbeat()
    assert kafka.seen[-1][:2] == (1, ApiKey.HEARTBEAT)
    member.commit({("t", 0): 5})
    assert kafka.committed == {("t", 0): 5}


def test_a_heartbeat_that_is_refused(kafka: FakeKafka) -> None:
    member = member_of(kafka)
    member.join()
    kafka.errors[ApiKey.HEARTBEAT].append(ErrorCode.GROUP_AUTHORIZATION_FAILED)
    kafka.clock.advance(3000)
    with pytest.raises(ProtocolError, match="may not be used"):
        member.heartbeat()


def test_commits(kafka: FakeKafka) -> None:
    member = member_of(kafka)
    member.join()
    member.commit({("t", 0): 5, ("t", 3): 7})
    assert kafka.committed == {("t", 0): 5, ("t", 3): 7}
    assert member.committed([("t", 0), ("t", 1)]) == {("t", 0): 5}
    kafka.generation += 1
    with pytest.raises(ClientError, match="has rebalanced; the offsets were not committed"):
        member.commit({("t", 0): 6})
    assert not member.joined
    assert kafka.committed["t", 0] == 5


def test_leaving(kafka: FakeKafka) -> None:
    member = member_of(kafka)
    member.leave()
    member.join()
    member.leave()
    assert kafka.members == {}
    assert not member.joined
    member.join()
    kafka.down = {1, 2, 3}
    member.leave()
    assert "leaving group 'g' failed" in kafka.retries[-1]
