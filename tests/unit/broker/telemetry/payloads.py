"""What clients send, made by opentelemetry-proto."""

from __future__ import annotations

from collections.abc import Iterable

from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric, MetricsData

CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA


def gauge(name: str, value: float, **attributes: str) -> Metric:
    metric = Metric(name=name)
    point = metric.gauge.data_points.add(as_double=value)
    for key, text in attributes.items():
        point.attributes.add(key=key).value.string_value = text
    return metric


def total(
    name: str,
    value: int,
    temporality: AggregationTemporality.ValueType = CUMULATIVE,
    *,
    monotonic: bool = True,
) -> Metric:
    metric = Metric(name=name)
    metric.sum.is_monotonic = monotonic
    metric.sum.aggregation_temporality = temporality
    metric.sum.data_points.add(as_int=value)
    return metric


def payload(metrics: Iterable[Metric], **resource: str) -> bytes:
    data = MetricsData()
    part = data.resource_metrics.add()
    for key, text in resource.items():
        part.resource.attributes.add(key=key).value.string_value = text
    part.scope_metrics.add().metrics.extend(metrics)
    return data.SerializeToString()
