"""What collectors tell, as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client.parser import text_string_to_metric_families

from broker.metrics.exposition import Family, lines


def values(families: Iterable[Family | None]) -> dict[tuple[str, ...], float]:
    """(name of the sample, values of its labels in the order of their names) → value."""
    text = "".join(lines(families, open_metrics=False))
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
