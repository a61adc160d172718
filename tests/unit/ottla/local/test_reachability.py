from collections.abc import Sequence

import pytest

from ottla.local.reachability import DialFailure, explain_advertised, explain_given

OUTSIDE = ("localhost:9092",)
INSIDE = ("broker-1:9092",)


def problem(address: str, failure: DialFailure, asked: Sequence[str] = OUTSIDE) -> str | None:
    explained = explain_advertised(2, address, failure, asked)
    if explained is None:
        return None
    assert explained.problem.startswith(f"broker 2 advertises {address}, ")
    return explained.problem.partition(", ")[2]


def remedy(address: str, failure: DialFailure, asked: Sequence[str] = OUTSIDE) -> str:
    explained = explain_advertised(2, address, failure, asked)
    assert explained is not None
    return explained.remedy


def test_a_containers_name_handed_to_a_client_outside() -> None:
    told = problem("broker-2:9092", DialFailure.UNRESOLVED)
    assert told is not None
    assert told.startswith("a name that does not resolve here")
    assert "connect to the listener that is meant for clients where you are" in remedy(
        "broker-2:9092", DialFailure.UNRESOLVED
    )


@pytest.mark.parametrize("address", ["127.0.0.1:9093", "localhost:9093", "[::1]:9093"])
def test_loopback_handed_to_another_machine(address: str) -> None:
    for asked in (INSIDE, ("192.168.7.1:9092",)):
        told = problem(address, DialFailure.REFUSED, asked)
        assert told is not None
        assert "here it leads back to this one" in told
    assert problem(address, DialFailure.REFUSED) == "where the port is closed"


@pytest.mark.parametrize("address", ["172.18.0.4:9092", "10.1.2.3:9092", "[fd00::4]:9092"])
def test_an_inside_address_that_nothing_leads_to(address: str) -> None:
    told = problem(address, DialFailure.SILENT)
    assert told is not None
    assert "may be inside a container's network" in told
    assert "advertised.listeners=INSIDE://" in remedy(address, DialFailure.SILENT)


def test_who_was_asked_there_is_not_told_that_it_is_elsewhere() -> None:
    assert problem("10.1.2.3:9093", DialFailure.SILENT, ("10.1.2.3:9092",)) is None
    assert problem("broker.example:9092", DialFailure.SILENT) is None


def test_a_closed_port() -> None:
    assert problem("broker.example:9093", DialFailure.REFUSED) == "where the port is closed"
    assert "publish the port" in remedy("broker.example:9093", DialFailure.REFUSED)


def test_a_published_port_with_nothing_behind_it() -> None:
    assert problem("localhost:9093", DialFailure.CLOSED) == "where connections are closed at once"
    given = explain_given("localhost:9093", DialFailure.CLOSED)
    assert given is not None
    assert given.problem == "localhost:9093 closes connections at once"
    assert "bound to 0.0.0.0 inside the container" in given.remedy


def test_a_name_that_the_user_gave() -> None:
    given = explain_given("broker-1:9092", DialFailure.UNRESOLVED)
    assert given is not None
    assert given.problem == "broker-1:9092 is a name that does not resolve here"
    assert explain_given("localhost:1", DialFailure.REFUSED) is None


def test_where_only_the_failure_is_known_nothing_is_guessed() -> None:
    assert problem("broker.example:9093", DialFailure.OTHER) is None
