"""RESULTS.md and its plots from the results file. Pure but for `write`.

Figures are medians with the lowest and highest in brackets; a ratio is Ottla's figure by Kafka's,
and is in bold where Ottla is the better of the two.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tests.benchmark.compare import statistics
from tests.benchmark.compare.kafka_system import HEAP, JVM, SETTINGS
from tests.benchmark.compare.samples import KAFKA, OTTLA, Measure, Results
from tests.benchmark.compare.statistics import Spread

FAMILY_TITLES = {
    "start": "Start and idle",
    "produce": "Produce",
    "consume": "Consume",
    "latency": "End-to-end latency, 1 KB, acks=all, RF 3",
    "fail-over": "Fail-over",
    "connections": "Connections",
    "partitions": "Partitions",
    "groups": "Group rebalances",
    "unclean-stop": "Restart after an unclean stop",
    "topics": "Many topics",
}
FINDINGS = "FINDINGS.md"
"""Beside RESULTS.md, written by hand: what the figures mean and where an aim is missed, why."""


def markdown(results: Results, plots: Iterable[str], findings: str) -> str:
    parts = [
        "# Ottla and Apache Kafka side by side\n",
        "Made by `make bench-compare`; do not edit. Ratios are Ottla to Apache Kafka in the same "
        "round, the median of the rounds with the lowest and the highest; **bold** where Ottla is "
        "better. Figures are the median with the lowest and the highest of all rounds.\n",
        _conditions(results),
        "## The aims\n",
        _aims(results),
        findings,
        *[f"![{name}](plots/{name}.svg)\n" for name in plots],
    ]
    for family, title in FAMILY_TITLES.items():
        measures = [m for m in results.measures.values() if m.family == family]
        if measures:
            parts += [f"## {title}\n", _table(results, measures)]
    if results.failures:
        parts += ["## Not measured\n", *[f"- {failure}" for failure in results.failures], ""]
    parts += ["## How it is measured\n", _method()]
    return "\n".join(part for part in parts if part)


def _conditions(results: Results) -> str:
    """One table line for all families that were measured under the same conditions."""
    together: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for family, found in results.conditions.items():
        together.setdefault(tuple(found.items()), []).append(family)
    lines = []
    for conditions, families in together.items():
        said = "; ".join(f"{name} {value}" for name, value in conditions)
        lines.append(f"- {', '.join(families)}: {said}")
    return "\n".join(lines) + "\n"


def _aims(results: Results) -> str:
    rows = [["measure", "aim", "ratio", "met"]]
    for measure in results.measures.values():
        found = statistics.ratio(results.samples, measure.key)
        if measure.aim is None or found is None:
            continue
        met = "yes" if statistics.aim_is_met(measure, found) else "no"
        rows.append([measure.title, _aim(measure), _spread(found), met])
    return _rows(rows)


def _aim(measure: Measure) -> str:
    return f"{'≤' if measure.lower_is_better else '≥'} {measure.aim:g}"


def _table(results: Results, measures: list[Measure]) -> str:
    rows = [["measure", "unit", "Ottla", "Apache Kafka", "ratio"]]
    for measure in measures:
        ours = statistics.values(results.samples, measure.key, OTTLA)
        theirs = statistics.values(results.samples, measure.key, KAFKA)
        rows.append(
            [
                measure.title,
                measure.unit,
                _spread(ours) if ours else "–",
                _spread(theirs) if theirs else "–",
                _ratio(results, measure),
            ]
        )
    return _rows(rows)


def _ratio(results: Results, measure: Measure) -> str:
    found = statistics.ratio(results.samples, measure.key)
    if found is None:
        return "–"
    is_better = found.median < 1 if measure.lower_is_better else found.median > 1
    text = _spread(found)
    return f"**{text}**" if is_better else text


def _spread(found: Spread) -> str:
    median, low, high = (figure(value) for value in (found.median, found.low, found.high))
    return median if low == high else f"{median} ({low}–{high})"


def figure(value: float) -> str:
    """Three digits that count."""
    if abs(value) >= 1_000:
        return f"{float(f'{value:.3g}'):,.0f}"
    if value == 0 or abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:#.3g}".rstrip(".")


def _rows(rows: list[list[str]]) -> str:
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body]) + "\n"


def _method() -> str:
    settings = ", ".join(f"`{key}={value}`" for key, value in SETTINGS.items())
    return f"""\
- Each system is three nodes on loopback, broker and controller in one process each, started anew in
  each round; the order of the two changes from round to round. The clients share the machine's
  cores with the nodes. Topics have three partitions unless a line says otherwise.
- Apache Kafka runs from its Maven jars with the settings of its config/server.properties and
  bin/kafka-server-start.sh: heap `{" ".join(HEAP)}`, `{" ".join(JVM)}`, {settings}. It logs
  nothing. Its storage is formatted before the start is timed. Ottla runs with the defaults of
  `ottla up`, and prepares its storage within the timed start. Both have `min.insync.replicas=2`
  and leave flushing to the page cache.
- ProducerPerformance, ConsumerPerformance and EndToEndLatency are Apache Kafka's own, with 512 MiB
  of heap and the defaults of the Java clients (batch.size=16384, linger.ms=5) unless a line says
  otherwise. The rate is their own; a JVM's warm-up is in it, for both systems alike. MB are
  1,000,000 bytes of payload. librdkafka has its defaults unless a line says otherwise: a second
  without a fetch when its queue is full (fetch.queue.backoff.ms) is most of what it takes to read
  from a broker that can fill the queue. Before the first measured point 200 MB
  are produced, so that Kafka's brokers have compiled what is hot.
- Latency under load is taken by an open loop (tests/benchmark/compare/open_loop.py): the times at
  which messages are to be sent are fixed beforehand and carried in the messages, so that a delay
  of the sender or the broker counts for every message that was due meanwhile.
- From a cold disk: segments are flushed and dropped from the page cache (POSIX_FADV_DONTNEED).
- Memory is resident memory, mapped files included. CPU of the nodes is user and system time of all
  three, by payload; it goes on until all replicas have everything.
- A fail-over is over when every partition of a topic has an acknowledged record that was sent after
  the kill. Kafka's brokers notice a death by `broker.session.timeout.ms` (9 s by default).
"""


def summary(results: Results, families: Iterable[str]) -> list[str]:
    """The measures of these families with their ratios, a line each, for a terminal."""
    names = set(families)
    measures = [measure for measure in results.measures.values() if measure.family in names]
    width = max((len(measure.title) for measure in measures), default=0)
    lines = []
    for measure in measures:
        found = statistics.ratio(results.samples, measure.key)
        aim = "" if measure.aim is None else f"  aim {_aim(measure)}"
        ours, theirs = (
            _spread(spread) if spread else "–"
            for spread in (
                statistics.values(results.samples, measure.key, system) for system in (OTTLA, KAFKA)
            )
        )
        ratio = _spread(found) if found else "–"
        lines.append(
            f"{measure.title:{width}}  Ottla {ours}  Kafka {theirs} {measure.unit}  "
            f"ratio {ratio}{aim}"
        )
    return lines + results.failures


def write(results: Results, folder: Path) -> Path:
    """RESULTS.md in `folder`, and its plots in plots/ there; needs matplotlib."""
    from tests.benchmark.compare import plots

    names = plots.write(results, folder / "plots")
    findings = folder / FINDINGS
    text = markdown(results, names, findings.read_text("utf-8") if findings.exists() else "")
    file = folder / "RESULTS.md"
    file.write_text(text, "utf-8")
    return file
