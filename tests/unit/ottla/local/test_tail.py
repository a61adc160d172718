from pathlib import Path

from ottla.local.tail import Follower


def test_the_last_lines(tmp_path: Path) -> None:
    file = tmp_path / "log"
    assert Follower(file).last_lines(2) == []
    file.write_text("a\nb\nc\n")
    assert Follower(file).last_lines(2) == ["b", "c"]
    assert Follower(file).last_lines(0) == []


def test_nothing_is_left_out_between_the_last_lines_and_what_follows(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text("a\nb\nhal")
    follower = Follower(file)
    assert follower.last_lines(1) == ["b"]
    with file.open("a") as more:
        more.write("f\nnew\n")
    assert follower.read_lines() == ["half", "new"]
    assert follower.read_lines() == []


def test_only_what_is_added_is_followed_in_whole_lines(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text("old\n")
    follower = Follower(file)
    assert follower.last_lines(0) == []
    with file.open("a") as more:
        more.write("new\nhal")
        more.flush()
        assert follower.read_lines() == ["new"]
        more.write("f\n")
        more.flush()
        assert follower.read_lines() == ["half"]


def test_a_rotated_file_is_read_to_its_end_and_then_the_new_one(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text("")
    follower = Follower(file)
    with file.open("a") as more:
        more.write("last\n")
    file.rename(tmp_path / "log.1")
    file.write_text("first\n")
    assert follower.read_lines() == ["last", "first"]


def test_a_file_that_comes_later_is_read_from_its_beginning(tmp_path: Path) -> None:
    follower = Follower(tmp_path / "log")
    assert follower.read_lines() == []
    (tmp_path / "log").write_text("one\n")
    assert follower.read_lines() == ["one"]
