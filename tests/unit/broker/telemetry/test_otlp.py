from __future__ import annotations

import math

import pytest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, MetricsData

from broker.telemetry import otlp
from broker.telemetry.otlp import Point, Reading, read
from ottla.core.errors import DecodeError
from ottla.record.compression import Compression, TooLarge, compress
from tests.unit.broker.telemetry.payloads import DELTA, gauge, payload, total

MEGABYTE = 1 << 20


def read_plain(data: bytes, prefix: str = "", points_max: int = 100) -> Reading:
    return read(data, Compression.NONE, MEGABYTE, lambda name: name.startswith(prefix), points_max)


@pytest.mark.parametrize("codec", list(Compression))
def test_gauges_and_sums_are_read_in_every_codec(codec: Compression) -> None:
    data = payload(
        [
            gauge("g", 1.5, topic="t"),
            total("c.total", 7),
            total("d.total", 8, DELTA),
            total("s", -3, monotonic=False),
        ],
        group_id="billing",
    )
    reading = read(compress(data, codec), codec, MEGABYTE, lambda _: True, 100)
    assert reading.points == [
        Point("g", (("topic", "t"),), 1.5, False, False),
        Point("c.total", (), 7, True, False),
        Point("d.total", (), 8, True, True),
        Point("s", (), -3, False, False),
    ]
    assert reading.resource == {"group_id": "billing"}
    assert reading.left_out == 0


def test_what_nobody_asked_for_is_left_out() -> None:
    histogram = Metric(name="a.h")
    histogram.histogram.data_points.add(count=1)
    reading = read_plain(payload([gauge("a.x", 1), gauge("b.x", 2), histogram]), "a.")
    assert [point.name for point in reading.points] == ["a.x"]
    assert reading.left_out == 2


def test_numbers_that_are_none_are_no_points() -> None:
    empty = Metric(name="e")
    empty.gauge.data_points.add()
    assert read_plain(payload([gauge("n", math.nan), gauge("i", math.inf), empty])).points == []


def test_attributes_are_text_and_bounded() -> None:
    metric = gauge("g", 1)
    point = metric.gauge.data_points[0]
    for number in range(40):
        point.attributes.add(key=f"k{number}").value.string_value = "v" * 1_000
    point.attributes[0].value.bool_value = True
    point.attributes[1].value.int_value = 5
    point.attributes[2].value.array_value.values.add().int_value = 1
    (found,) = read_plain(payload([metric])).points
    assert found.attributes[:2] == (("k0", "true"), ("k1", "5"))
    assert len(found.attributes) == otlp.ATTRIBUTES_MAX - 1
    assert max(len(value) for _, value in found.attributes) == otlp.VALUE_CHARACTERS_MAX


def test_points_are_bounded() -> None:
    reading = read_plain(payload([gauge(f"g{n}", n) for n in range(10)]), points_max=4)
    assert (len(reading.points), reading.left_out) == (4, 6)


def test_no_more_is_looked_at_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(otlp, "LOOKS_MAX", 10)
    metric = Metric(name="g")
    for number in range(1_000):
        metric.gauge.data_points.add(as_int=number)
    assert len(read_plain(payload([metric]), points_max=5_000).points) == 9
    many = MetricsData()
    for _ in range(1_000):
        many.resource_metrics.add()
    many.resource_metrics.add().scope_metrics.add().metrics.append(gauge("g", 1))
    assert read_plain(many.SerializeToString()).points == []


@pytest.mark.parametrize("codec", [c for c in Compression if c is not Compression.NONE])
def test_a_bomb_is_refused(codec: Compression) -> None:
    bomb = compress(bytes(64 * MEGABYTE), codec)
    with pytest.raises(TooLarge):
        read(bomb, codec, MEGABYTE, lambda _: True, 100)


@pytest.mark.parametrize("data", [bytes(100), b"\xff" * 100, payload([gauge("g", 1)])[:-1]])
def test_garbage_is_refused(data: bytes) -> None:
    for codec in Compression:
        with pytest.raises(DecodeError):
            read(data, codec, MEGABYTE, lambda _: True, 100)
