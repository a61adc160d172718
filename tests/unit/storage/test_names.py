from __future__ import annotations

import pytest

from storage import names


def test_a_segments_name_has_twenty_digits() -> None:
    assert names.segment_name(42) == "00000000000000000042"
    assert names.base_offset_of("00000000000000000042.log") == 42
    assert names.base_offset_of("09223372036854775807.log") == 2**63 - 1


@pytest.mark.parametrize(
    "name", ["42.log", "00000000000000000042.index", "00000000000000000042.log.deleted", "x.log"]
)
def test_other_files_are_no_segments(name: str) -> None:
    assert names.base_offset_of(name) is None


def test_folders() -> None:
    assert names.folder_name("my.topic-a", 12) == "my.topic-a-12"
    assert names.parse_folder("my.topic-a-12") == ("my.topic-a", 12)
    assert names.parse_folder("t-0") == ("t", 0)


@pytest.mark.parametrize(
    "name",
    ["t", "-0", "t-", "t-01", "t-x", "checkpoints.lmdb", "t-0.ab-delete", "t-0.ab-stray", "a b-0"],
)
def test_other_folders_are_no_logs(name: str) -> None:
    assert names.parse_folder(name) is None


def test_a_retired_folder_fits_a_file_name_and_is_no_log() -> None:
    short = names.retired_name("t", 3, bytes(16), names.DELETE_ENDING)
    assert short == "t-3." + "0" * 32 + "-delete"
    long = names.retired_name("x" * 249, 2**31 - 1, bytes(16), names.STRAY_ENDING)
    assert len(long) == 255
    assert names.parse_folder(short) is names.parse_folder(long) is None
