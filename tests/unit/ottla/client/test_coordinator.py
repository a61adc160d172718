from __future__ import annotations

import pytest

from ottla.client.cluster import Cluster
from ottla.client.coordinator import GroupCoordinatorLink
from ottla.client.errors import ConnectionLostError
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.list_groups_request import ListGroupsRequest
from ottla.protocol.messages.list_groups_response import ListGroupsResponse
from tests.support.fake_kafka import FakeKafka


def link_of(kafka: FakeKafka) -> GroupCoordinatorLink:
    return GroupCoordinatorLink(Cluster(kafka.bootstrap, kafka.options()), "g")


def ask(link: GroupCoordinatorLink) -> ListGroupsResponse:
    return link.ask(ApiKey.LIST_GROUPS, ListGroupsRequest(), ListGroupsResponse)


def test_the_coordinator_is_looked_up_once() -> None:
    kafka = FakeKafka()
    link = link_of(kafka)
    assert ask(link).groups
    assert ask(link).groups
    assert link.node_id == 3
    assert len(kafka.requests(ApiKey.FIND_COORDINATOR)) == 1


def test_a_coordinator_that_moved_is_looked_up_again() -> None:
    kafka = FakeKafka()
    link = link_of(kafka)
    ask(link)
    kafka.coordinator_id = 2
    with pytest.raises(ProtocolError, match="moved to another coordinator"):
        link.check(ErrorCode.NOT_COORDINATOR)
    ask(link)
    assert link.node_id == 2


def test_a_dead_coordinator_is_looked_up_again() -> None:
    kafka = FakeKafka()
    link = link_of(kafka)
    ask(link)
    kafka.down.add(3)
    with pytest.raises(ConnectionLostError):
        ask(link)
    kafka.coordinator_id = 1
    assert ask(link).groups


def test_no_coordinator_yet() -> None:
    kafka = FakeKafka()
    kafka.errors[ApiKey.FIND_COORDINATOR].append(ErrorCode.COORDINATOR_NOT_AVAILABLE)
    with pytest.raises(ProtocolError, match="group 'g' has no coordinator"):
        ask(link_of(kafka))


def test_check() -> None:
    link = link_of(FakeKafka())
    link.check(0)
    with pytest.raises(ProtocolError, match="may not be used"):
        link.check(ErrorCode.GROUP_AUTHORIZATION_FAILED)
