"""What a client sent: OTLP metrics (MetricsData of opentelemetry-proto), read within bounds. Pure.

    MetricsData → ResourceMetrics (resource) → ScopeMetrics → Metric (name) → data points

Gauges and sums are read, histograms and summaries are left out (no client of Kafka sends any).
Bytes come from strangers: they are decompressed up to a limit, and no more points than a bound are
looked at, whatever they hold.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from google.protobuf.message import DecodeError as ProtobufError
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, MetricsData

from ottla.core.errors import DecodeError
from ottla.record.compression import Compression, decompress

LOOKS_MAX: Final = 20_000
"""Messages of a push that are looked at, resources to points."""
NAME_CHARACTERS_MAX: Final = 200
ATTRIBUTES_MAX: Final = 16
VALUE_CHARACTERS_MAX: Final = 255

Attributes = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Point:
    """One number. `is_delta`: it is to be added to what came before."""

    name: str
    attributes: Attributes
    value: float
    is_counter: bool
    is_delta: bool


@dataclass(slots=True)
class Reading:
    """What one push holds."""

    points: list[Point] = field(default_factory=list)
    resource: dict[str, str] = field(default_factory=dict)
    left_out: int = 0
    """Points beyond a bound, of another kind, or that nobody asked for."""


def read(
    payload: bytes,
    codec: Compression,
    size_max: int,
    wants: Callable[[str], bool],
    points_max: int,
) -> Reading:
    """What `payload` holds of what is wanted; without numbers that are none (NaN, infinities).

    DecodeError; its kind TooLarge when it decompresses to more than `size_max` bytes.
    """
    message = MetricsData()
    try:
        message.ParseFromString(decompress(payload, codec, size_max))
    except ProtobufError as error:
        raise DecodeError(f"no OTLP metrics: {error}") from None
    reading = Reading()
    looks = 0
    for resource in message.resource_metrics:
        reading.resource.update(_attributes(resource.resource.attributes))
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                looks += _read_metric(metric, wants, points_max, reading, LOOKS_MAX - looks)
                if looks >= LOOKS_MAX:
                    return reading
            looks += 1
        looks += 1
        if looks >= LOOKS_MAX:
            return reading
    return reading


def _read_metric(
    metric: Any, wants: Callable[[str], bool], points_max: int, reading: Reading, looks_max: int
) -> int:
    """How many messages were looked at."""
    kind = metric.WhichOneof("data")
    if kind not in ("gauge", "sum"):
        reading.left_out += kind is not None
        return 1
    data = getattr(metric, kind)
    if len(metric.name) > NAME_CHARACTERS_MAX or not wants(metric.name):
        reading.left_out += len(data.data_points)
        return 1
    is_sum = kind == "sum"
    looks = 1
    for point in data.data_points:
        looks += 1
        if looks > looks_max:
            break
        value = _value(point)
        if value is None:
            continue
        if len(reading.points) >= points_max:
            reading.left_out += 1
            continue
        reading.points.append(
            Point(
                metric.name,
                tuple(_attributes(point.attributes)),
                value,
                is_sum and data.is_monotonic,
                is_sum
                and data.aggregation_temporality
                == AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA,
            )
        )
    return looks


def _value(point: Any) -> float | None:
    kind = point.WhichOneof("value")
    value = None if kind is None else getattr(point, kind)
    return value if value is not None and math.isfinite(value) else None


def _attributes(attributes: Iterable[Any]) -> Iterator[tuple[str, str]]:
    """The first ATTRIBUTES_MAX, as text; of those with structure nothing is told."""
    for number, attribute in enumerate(attributes):
        if number >= ATTRIBUTES_MAX:
            return
        kind = attribute.value.WhichOneof("value")
        if kind in ("string_value", "int_value", "double_value", "bool_value"):
            value = getattr(attribute.value, kind)
            text = str(value).lower() if kind == "bool_value" else str(value)
            yield attribute.key[:NAME_CHARACTERS_MAX], text[:VALUE_CHARACTERS_MAX]
