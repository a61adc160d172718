from __future__ import annotations

from collections.abc import Iterable

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from broker.metrics.exposition import lines
from broker.telemetry import series
from broker.telemetry.otlp import Point
from broker.telemetry.series import ClientSeries

ONE, TWO = b"1" * 16, b"2" * 16


def gauge(name: str, value: float, **attributes: str) -> Point:
    return Point(name, tuple(attributes.items()), value, False, False)


def total(name: str, value: float, *, is_delta: bool = False) -> Point:
    return Point(name, (), value, True, is_delta)


def put(shown: ClientSeries, client: bytes, points: Iterable[Point]) -> None:
    shown.put(client, {"client_id": client.decode()[0]}, {"group_id": "g"}, points)


def values(shown: ClientSeries) -> dict[str, float]:
    """By name and labels, as Prometheus' own parser reads the page."""
    text = "".join(lines(shown.families(), open_metrics=True))
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
        for sample in family.samples
        if not sample.name.startswith("ottla_")
    }


def test_each_client_has_series_of_its_own() -> None:
    shown = ClientSeries()
    put(shown, ONE, [gauge("org.apache.kafka.a.max", 1, **{"node-id": "7"}), total("my.total", 5)])
    put(shown, TWO, [gauge("org.apache.kafka.a.max", 2)])
    assert values(shown) == {
        "org_apache_kafka_a_max[('client_id', '1'), ('node_id', '7')]": 1,
        "client_my_total[('client_id', '1')]": 5,
        "org_apache_kafka_a_max[('client_id', '2')]": 2,
    }
    shown.remove(ONE)
    assert values(shown) == {"org_apache_kafka_a_max[('client_id', '2')]": 2}
    shown.remove(TWO)
    assert (len(shown), shown.clients, values(shown)) == (0, 0, {})


def test_a_push_replaces_what_was_there_and_adds_up_differences() -> None:
    shown = ClientSeries()
    put(shown, ONE, [gauge("a", 1), total("b", 2), total("c", 3, is_delta=True)])
    put(shown, ONE, [total("b", 5), total("c", 4, is_delta=True)])
    put(shown, ONE, [total("b", 6)])
    assert set(values(shown).values()) == {6, 7}
    assert len(shown) == 2


@pytest.mark.parametrize(
    "points",
    [
        [gauge("a b/c", 1), gauge("", 2), gauge("é", 3)],
        [gauge("x.total", 1), total("x", 2), total("x.total.total", 3)],
        [gauge("x", 1, **{"a-b": "1", "a.b": "2", "": "3", "9": "4", "__n": "5"})],
        [gauge("x", 1, client_id="forged", **{"client-id": "forged too"})],
        [gauge("x", 1, label='quote"\n\\')],
        [gauge("ottla_node_ready", 0), gauge("process.cpu.seconds", 0)],
        [gauge("x", 1), gauge("x", 2)],
    ],
)
def test_whatever_a_client_sends_the_page_can_be_read(points: list[Point]) -> None:
    shown = ClientSeries()
    put(shown, ONE, points)
    found = values(shown)
    assert found
    assert all(name.startswith("client_") for name in found)
    assert all("('client_id', '1')" in name for name in found)
    assert len(found) == len(shown)


def test_the_first_kind_of_a_name_holds() -> None:
    shown = ClientSeries()
    put(shown, ONE, [gauge("x", 1)])
    put(shown, TWO, [total("x", 2)])
    assert list(values(shown).values()) == [1]
    assert shown.left_out == 1


def test_everything_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series, "SERIES_MAX", 5)
    monkeypatch.setattr(series, "CLIENT_SERIES_MAX", 3)
    monkeypatch.setattr(series, "CLIENTS_MAX", 2)
    shown = ClientSeries()
    for client in (ONE, TWO, b"3" * 16):
        put(shown, client, [gauge(f"g{n}", n) for n in range(4)])
    assert (len(shown), shown.clients) == (5, 2)
    assert shown.left_out == 1 + 2 + 1
    put(shown, ONE, [gauge("g0", 9)])
    put(shown, TWO, [gauge(f"g{n}", n) for n in range(4)])
    assert len(shown) == 4
