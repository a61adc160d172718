"""What is believed of a cell, what is expected of it, and how the page shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ottla.record.batch import CONTROL_BIT, TRANSACTIONAL_BIT, BatchHeader
from tests.conformance.compatibility.cell import Verdict
from tests.conformance.compatibility.evidence import missing_evidence
from tests.conformance.compatibility.outcomes import (
    KNOWN_FILE,
    Cell,
    Known,
    Outcome,
    cell_of,
    read_known,
)
from tests.conformance.compatibility.program import ClientError, ClientProgram, build, load_clients
from tests.conformance.compatibility.report import Column, page
from tests.conformance.compatibility.scenarios import SCENARIOS

ZSTD = 4


@dataclass
class Remains:
    headers: list[BatchHeader] = field(default_factory=list)
    types: set[str] = field(default_factory=set)

    def batches(self) -> list[BatchHeader]:
        return self.headers

    def group_types(self) -> set[str]:
        return self.types


def batch(attributes: int = 0, producer_id: int = -1) -> BatchHeader:
    return BatchHeader(0, 100, 0, 2, 0, attributes, 0, 0, 0, producer_id, 0, 0, 1)


@pytest.mark.parametrize(
    ("scenario", "good", "bad"),
    [
        ("compression-none", Remains([batch(0)]), Remains([batch(ZSTD)])),
        ("compression-zstd", Remains([batch(ZSTD)]), Remains([batch(ZSTD), batch(0)])),
        ("compression-zstd", Remains([batch(ZSTD), batch(CONTROL_BIT)]), Remains()),
        ("idempotent", Remains([batch(0, 7)]), Remains([batch(0, 7), batch(0)])),
        ("idempotent", Remains([batch(0, 7)]), Remains()),
        (
            "transactions",
            Remains([batch(TRANSACTIONAL_BIT, 7), batch(TRANSACTIONAL_BIT | CONTROL_BIT, 7)]),
            Remains([batch(TRANSACTIONAL_BIT, 7)]),
        ),
        (
            "transactions",
            Remains([batch(TRANSACTIONAL_BIT, 7), batch(TRANSACTIONAL_BIT | CONTROL_BIT, 7)]),
            Remains([batch(0, 7), batch(TRANSACTIONAL_BIT | CONTROL_BIT, 7)]),
        ),
        ("group-protocol-classic", Remains(types={"classic"}), Remains(types={"consumer"})),
        ("group-protocol-consumer", Remains(types={"consumer"}), Remains()),
    ],
)
def test_a_pass_is_believed_only_with_what_it_leaves_behind(
    scenario: str, good: Remains, bad: Remains
) -> None:
    assert missing_evidence(scenario, good) is None
    assert missing_evidence(scenario, bad)


def test_what_leaves_nothing_special_needs_no_evidence() -> None:
    assert missing_evidence("keyed", Remains()) is None


@pytest.mark.parametrize(
    ("passed", "known", "outcome", "is_expected"),
    [
        (True, None, Outcome.PASSED, True),
        (False, None, Outcome.FAILED, False),
        (False, Known("a race"), Outcome.FAILED_AS_KNOWN, True),
        (True, Known("a race"), Outcome.PASSED_BESIDE_KNOWN, False),
        (False, Known("a race", sometimes=True), Outcome.FAILED_AS_KNOWN, True),
        (True, Known("a race", sometimes=True), Outcome.PASSED, True),
    ],
)
def test_a_cell_that_surprises_fails_the_run(
    passed: bool, known: Known | None, outcome: Outcome, is_expected: bool
) -> None:
    key = ("client", "keyed")
    cell = cell_of(key, Verdict(passed, "", 1.0), {key: known} if known else {})
    assert cell.outcome is outcome
    assert cell.outcome.is_expected == is_expected


@pytest.mark.parametrize(
    "text",
    [
        '[[known]]\nclient = "other"\nscenario = "keyed"\ncause = "c"\n',
        '[[known]]\nclient = "client"\nscenario = "kayed"\ncause = "c"\n',
        '[[known]]\nclient = "client"\nscenario = "keyed"\ncause = ""\n',
        '[[known]]\nclient = "client"\nscenario = "keyed"\ncause = "c"\n' * 2,
    ],
)
def test_known_failures_name_cells_that_exist_once_with_a_cause(tmp_path: Path, text: str) -> None:
    file = tmp_path / "known.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(ValueError, match=r"known\.toml"):
        read_known(["client"], file)


def test_the_clients_and_the_known_failures_of_this_repository_are_sound() -> None:
    clients = load_clients()
    assert {"aiokafka", "confluent_kafka", "java", "kafka_python", "kcat"} <= {
        c.id for c in clients
    }
    read_known([client.id for client in clients], KNOWN_FILE)


@pytest.fixture
def make_client(tmp_path: Path) -> Callable[[str], ClientProgram]:
    def make(text: str) -> ClientProgram:
        folder = tmp_path / "clients" / "one"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "client.json").write_text(text, "utf-8")
        return ClientProgram.load(folder)

    return make


DESCRIPTION = (
    '{"name": "n", "language": "l", "version": "1", "include": ["shared"], '
    '"build": ["sh", "-c", "cat source >> made"], "run": ["sh", "{root}/x"], "scenarios": {%s}}'
)


def test_a_build_is_made_again_only_when_something_changed(
    make_client: Callable[[str], ClientProgram], tmp_path: Path
) -> None:
    program = make_client(DESCRIPTION % "")
    shared = tmp_path / "clients" / "shared"
    shared.mkdir()
    (shared / "source").write_text("a", "utf-8")
    cache = tmp_path / "cache"
    built = build(program, {"root": "/r"}, cache)
    assert built.command("keyed", "b", "p") == ["sh", "/r/x", "keyed", "b", "p"]
    build(program, {"root": "/r"}, cache)
    assert (cache / "one" / "made").read_text("utf-8") == "a"
    (shared / "source").write_text("b", "utf-8")
    build(program, {"root": "/r"}, cache)
    assert (cache / "one" / "made").read_text("utf-8") == "ab"


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "no json",
        DESCRIPTION % '"kayed": "no such scenario"',
        DESCRIPTION % '"keyed": ""',
    ],
)
def test_a_description_that_breaks_the_contract_is_named(
    make_client: Callable[[str], ClientProgram], text: str
) -> None:
    with pytest.raises(ClientError, match=r"one/client\.json"):
        make_client(text)


def test_a_build_that_fails_says_what_it_printed(
    make_client: Callable[[str], ClientProgram], tmp_path: Path
) -> None:
    (tmp_path / "clients" / "shared").mkdir(parents=True)
    with pytest.raises(ClientError, match="cat: source"):
        build(make_client(DESCRIPTION % ""), {"root": "/r"}, tmp_path / "cache")


def test_the_page_shows_every_cell_and_numbers_its_reasons() -> None:
    columns = [Column("one", "one", "C", "1.0"), Column("two", "two", "Go", "2.0")]
    gap = Verdict(True, "", 1.0, {"longest_gap_ms": 1234})
    cells = {
        ("one", scenario): Cell("one", scenario, Outcome.PASSED, gap) for scenario in SCENARIOS
    }
    for scenario in ("keyed", "headers"):
        cells["two", scenario] = Cell(
            "two", scenario, Outcome.FAILED_AS_KNOWN, gap, "a race", "owner/name#1"
        )
    cells["two", "admin"] = Cell("two", "admin", Outcome.NOT_OFFERED, reason="it has none")
    lines = page(columns, cells, "today").splitlines()
    assert "| version | 1.0 | 2.0 |" in lines
    assert "| keyed | ✓ | ✗ <sup>1</sup> |" in lines
    assert "| headers | ✓ | ✗ <sup>1</sup> |" in lines
    assert "| admin | ✓ | – <sup>2</sup> |" in lines
    assert "| idempotent | ✓ | not run |" in lines
    assert "1. a race (owner/name#1)" in lines
    assert "2. Not offered: it has none" in lines
    assert any(line.endswith("| 1,234 |  |") for line in lines)
