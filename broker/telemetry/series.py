"""The series that clients' metrics become, bounded in every way. Pure.

A metric's name becomes the family's as an OpenTelemetry collector does it, dots become underscores:
`org.apache.kafka.producer.node.request.latency.max` is org_apache_kafka_producer_node_request_…
Names of other origin get `client_` before them, so that none is taken for one of the node's own.
Each series has the client's id and instance id, and the attributes of its point.

A push replaces what the client had; what it sends as differences is added up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from broker.metrics.exposition import Family, counter, gauge, labels
from broker.telemetry.otlp import Point
from ottla.core.identifiers import Uuid

SERIES_MAX: Final = 10_000
CLIENT_SERIES_MAX: Final = 500
CLIENTS_MAX: Final = 1_000
"""That have series."""
_ORIGIN: Final = "org_apache_kafka_"
_NOT_IN_NAMES: Final = re.compile(r"[^a-zA-Z0-9_]")
_TOTALS: Final = re.compile(r"(_total)+$")
_HELP: Final = "Sent by clients (KIP-714)."

_Key = tuple[str, str]  # (family, labels as they stand between the braces)


@dataclass(slots=True)
class _Series:
    is_counter: bool
    values: dict[str, float] = field(default_factory=dict)  # by labels


@dataclass(slots=True)
class _Client:
    info: str
    keys: set[_Key] = field(default_factory=set)
    sums: set[_Key] = field(default_factory=set)
    """Those of the keys that are added up: a push without one says that it did not change."""


class ClientSeries:
    """See the module."""

    def __init__(self) -> None:
        self.left_out = 0
        """Series and clients that a bound kept out, ever."""
        self._families: dict[str, _Series] = {}
        self._clients: dict[Uuid, _Client] = {}
        self._count = 0

    @property
    def clients(self) -> int:
        return len(self._clients)

    def __len__(self) -> int:
        return self._count

    def put(
        self,
        instance_id: Uuid,
        own: Mapping[str, str],
        info: Mapping[str, str],
        points: Iterable[Point],
    ) -> None:
        """`own` are the labels of each of the client's series, `info` those told once."""
        client = self._clients.get(instance_id)
        if client is None:
            if len(self._clients) >= CLIENTS_MAX:
                self.left_out += 1
                return
            client = self._clients[instance_id] = _Client("")
        client.info = _labels(info.items(), own)
        put: set[_Key] = set()
        for point in points:
            key = _family(point.name), _labels(point.attributes, own)
            if key in put:
                continue
            if self._maybe_put(client, key, point):
                put.add(key)
                if point.is_delta:
                    client.sums.add(key)
        self._remove(client, client.keys - client.sums - put)

    def remove(self, instance_id: Uuid) -> None:
        """The client is gone."""
        client = self._clients.pop(instance_id, None)
        if client is not None:
            self._remove(client, set(client.keys))

    def families(self) -> Iterator[Family]:
        """For a page; bears changes between two samples."""
        yield gauge(
            "ottla_telemetry_client_info",
            "Always 1: a client whose metrics are shown; the labels tell who it is.",
            [(client.info, 1) for client in self._clients.values()],
        )
        for name, series in [*self._families.items()]:
            make = counter if series.is_counter else gauge
            yield make(name, _HELP, [*series.values.items()])

    def _maybe_put(self, client: _Client, key: _Key, point: Point) -> bool:
        name, label = key
        series = self._families.get(name)
        if series is not None and series.is_counter != point.is_counter:
            self.left_out += 1  # somebody else sends it as another kind
            return False
        if key not in client.keys:
            if self._count >= SERIES_MAX or len(client.keys) >= CLIENT_SERIES_MAX:
                self.left_out += 1
                return False
            if series is None:
                series = self._families[name] = _Series(point.is_counter)
            client.keys.add(key)
            self._count += 1
            series.values[label] = point.value
            return True
        assert series is not None
        series.values[label] = point.value + (series.values[label] if point.is_delta else 0)
        return True

    def _remove(self, client: _Client, keys: set[_Key]) -> None:
        for name, label in keys:
            series = self._families[name]
            del series.values[label]
            if not series.values:
                del self._families[name]
        client.keys -= keys
        client.sums -= keys
        self._count -= len(keys)


def _family(name: str) -> str:
    """Without `_total`: a counter gets it where it is written."""
    found = _TOTALS.sub("", _NOT_IN_NAMES.sub("_", name))
    return found if found.startswith(_ORIGIN) else f"client_{found}"


def _labels(sent: Iterable[tuple[str, str]], own: Mapping[str, str]) -> str:
    """What a client `sent` cannot take the place of its `own`."""
    named: dict[str, str] = {}
    for name, value in sent:
        label = _NOT_IN_NAMES.sub("_", name).lstrip("_")
        if not label or label[0].isdigit():
            label = f"label_{label}"
        named[label] = value
    return labels(**{**named, **own})
