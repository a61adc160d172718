from __future__ import annotations

from pathlib import Path

from tests.benchmark.compare.samples import KAFKA, OTTLA, Measure, Results, load, save

START = Measure("start/first", "start", "s", True, 0.25)
RATE = Measure("produce/rate", "rate", "MB/s", False)
OLD_RATE = Measure("produce/dropped", "a point that is measured no more", "MB/s", False)


def results(*noted: tuple[Measure, float]) -> Results:
    found = Results()
    for measure, value in noted:
        found.note(measure, OTTLA, 1, value)
        found.note(measure, KAFKA, 1, 2 * value)
        found.conditions[measure.family] = {"date": f"of {value}"}
    return found


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "results.json"
    assert load(file) == Results()
    found = results((START, 1.0), (RATE, 5.0))
    found.failures.append("topics: kafka, round 1: too slow")
    save(found, file)
    assert load(file) == found


def test_a_family_measured_again_replaces_itself_alone() -> None:
    found = results((START, 1.0), (RATE, 5.0), (OLD_RATE, 7.0))
    found.failures = ["produce: kafka, round 1: ended", "start: kafka, round 2: ended"]
    newer = results((RATE, 6.0))
    newer.failures = ["produce: ottla, round 1: ended"]
    found.replace_families(newer, ["produce"])
    assert [(s.measure, s.value) for s in found.samples if s.system == OTTLA] == [
        (START.key, 1.0),
        (RATE.key, 6.0),
    ]
    assert list(found.measures) == [START.key, RATE.key]
    assert found.conditions == {"start": {"date": "of 1.0"}, "produce": {"date": "of 6.0"}}
    assert found.failures == ["start: kafka, round 2: ended", "produce: ottla, round 1: ended"]


def test_a_family_that_failed_altogether_keeps_nothing_old() -> None:
    """Figures of an older commit must not pass for those of this run."""
    found = results((START, 1.0), (RATE, 5.0))
    found.replace_families(Results(failures=["produce: ottla, round 1: ended"]), ["produce"])
    assert list(found.measures) == [START.key]
