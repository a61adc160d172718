"""What a scrape costs a broker with many partitions: its event loop's time, and the wait."""

from __future__ import annotations

import time
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

from ottla.testing import Cluster
from tests.benchmark.measure import Measure
from tests.support.commits import commit_offsets
from tests.support.topics import create_topic

PARTITIONS = 1_000
_COMMIT_SECONDS_MAX = 120.0
_LOOP_TIME = "ottla_metrics_scrape_slice_seconds_sum"
_LONGEST = "ottla_metrics_scrape_slice_max_seconds"
_CPU_TIME = "ottla_metrics_scrape_cpu_seconds_total"
_SLICES = "ottla_metrics_scrape_slice_seconds_count"


def scrape(measures: list[Measure], tries: int) -> None:
    """Three brokers with all partitions on each, and a group that has committed in all of them."""
    loop_time = Measure(f"loop time of a scrape, {PARTITIONS:,} partitions", "ms", True, "50 ms")
    cpu_time = Measure("CPU time of it", "ms", True)
    slice_time = Measure("mean slice of it, between which others have a turn", "ms", True, "1 ms")
    longest = Measure("longest slice of a scrape: so long the loop stood still", "ms", True, "5 ms")
    waited = Measure("a scrape as Prometheus sees it", "ms", True)
    series = Measure("series of a scrape", "", True)
    with Cluster(brokers=3) as cluster:
        create_topic(cluster.bootstrap, "many", partitions=PARTITIONS)
        offsets = {("many", partition): 0 for partition in range(PARTITIONS)}
        commit_offsets(cluster.bootstrap, "one", offsets, _COMMIT_SECONDS_MAX)
        address = cluster.http_address(1)
        _page(address)
        before = _page(address)
        for _ in range(tries):
            began = time.monotonic()
            page = _page(address)
            waited.values.append((time.monotonic() - began) * 1000)
            # A page tells of the scrapes that ended before it.
            taken = (page[_LOOP_TIME] - before[_LOOP_TIME]) * 1000
            loop_time.values.append(taken)
            cpu_time.values.append((page[_CPU_TIME] - before[_CPU_TIME]) * 1000)
            slice_time.values.append(taken / (page[_SLICES] - before[_SLICES]))
            longest.values.append(page[_LONGEST] * 1000)
            series.values.append(len(page))
            before = page
    measures += [loop_time, cpu_time, slice_time, longest, waited, series]


def _page(address: str) -> dict[str, float]:
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    return {
        sample.name + "".join(sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
