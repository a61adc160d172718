from __future__ import annotations

from pathlib import Path

from tests.chaos.checker import Kind
from tests.chaos.replicas import compare, compare_replicas

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
