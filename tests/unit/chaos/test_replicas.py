from __future__ import annotations

from pathlib import Path

from tests.chaos.checker import Kind
from tests.chaos.replicas import compare, compare_replicas, verify

PLACE = ("topic", 0)


def test_the_same_bytes() -> None:
    assert compare_replicas(PLACE, {"a": b"abc", "b": b"abc"}) == []


def test_another_byte_a_missing_tail_and_no_replica() -> None:
    (found,) = compare_replicas(PLACE, {"a": b"abcd", "b": b"abXd"})
    assert found.kind is Kind.DIVERGED
    assert "byte 2" in found.detail
    (found,) = compare_replicas(PLACE, {"a": b"abcd", "b": b"ab"})
    assert "byte 2" in found.detail
    assert compare_replicas(PLACE, {})


def test_segments_may_be_cut_differently(tmp_path: Path) -> None:
    for node, segments in (("1", {0: b"abc", 3: b"de"}), ("2", {0: b"a", 1: b"bcde"})):
        folder = tmp_path / node / "topic-0"
        folder.mkdir(parents=True)
        for base_offset, content in segments.items():
            (folder / f"{base_offset:020}.log").write_bytes(content)
    directories = [tmp_path / "1", tmp_path / "2", tmp_path / "3"]
    assert compare(directories, {"topic": 1}) == []
    (tmp_path / "2" / "topic-0" / f"{1:020}.log").write_bytes(b"bcdX")
    assert [v.place for v in compare(directories, {"topic": 1})] == [PLACE]


def test_what_the_servers_own_check_calls_an_error(tmp_path: Path) -> None:
    folder = tmp_path / "log" / "topic-0"
    folder.mkdir(parents=True)
    (folder / "partition.metadata").write_text("version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ")
    (folder / f"{0:020}.log").write_bytes(b"")
    assert verify([tmp_path / "log"]) == []
    (folder / f"{5:020}.log").write_bytes(b"")
    (folder / f"{0:020}.log").write_bytes(b"no batch" * 20)
    found = verify([tmp_path / "log"])
    assert found
    assert all(violation.kind is Kind.DAMAGED for violation in found)
