from __future__ import annotations

import errno
import os
import socket
from types import SimpleNamespace
from typing import Any, cast

import pytest

from ottla.client.network import reason_of
from ottla.core.errors import OttlaError
from ottla.local.health import failure_of, observe
from ottla.local.reachability import DialFailure


def os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (socket.gaierror(-2, "Name or service not known"), DialFailure.UNRESOLVED),
        (os_error(errno.ECONNREFUSED), DialFailure.REFUSED),
        (os_error(errno.ECONNRESET), DialFailure.CLOSED),
        (TimeoutError(), DialFailure.SILENT),
        (os_error(errno.EHOSTUNREACH), DialFailure.SILENT),
        (os_error(errno.ENETUNREACH), DialFailure.SILENT),
        (os_error(errno.EACCES), DialFailure.OTHER),
    ],
)
def test_the_clients_words_say_what_kind_of_failure_it_was(
    error: OSError, failure: DialFailure
) -> None:
    assert failure_of(reason_of(error, 3000)) is failure


class Asked:
    """A cluster that is asked from afar: each broker's listener, None for one that is silent."""

    def __init__(self, listeners: list[str | None]) -> None:
        self._listeners = listeners

    def describe_cluster(self) -> Any:
        brokers = [
            SimpleNamespace(broker_id=number, host=f"host-{number}", port=9092, fenced=False)
            for number in range(len(self._listeners))
        ]
        return SimpleNamespace(brokers=brokers, cluster_id="c", controller_id=0)

    def list_topics(self, *, internal: bool) -> list[Any]:
        return []

    def describe_configs(self, resource: Any) -> list[Any]:
        value = self._listeners[int(resource.name)]
        if value is None:
            raise OttlaError("it does not answer")
        return [
            SimpleNamespace(name="http.listener", value=value or None),
            SimpleNamespace(name="log.level", value="info"),
        ]


def test_where_brokers_tell_of_themselves_is_known_from_their_settings() -> None:
    asked = Asked(["127.0.0.1:1", "0.0.0.0:9404", "[::]:9404", "", None])
    seen = observe(cast(Any, asked), "host-0:9092", None)
    assert [row.http for row in seen.brokers] == [
        "127.0.0.1:1",
        "host-1:9404",
        "host-2:9404",
        None,
        None,
    ]
