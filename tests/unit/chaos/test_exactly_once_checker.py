from __future__ import annotations

import pytest

from tests.chaos.exactly_once.application import ABORTED
from tests.chaos.exactly_once.checker import judge

INPUT = [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")]


def test_every_record_once_and_in_the_order_of_its_key_is_good() -> None:
    assert judge(INPUT, [(b"b", b"2"), (b"a", b"1"), (b"a", b"3")]).is_good


@pytest.mark.parametrize(
    ("output", "fault"),
    [
        (INPUT[:2], "lost"),
        ([*INPUT, INPUT[0]], "duplicated"),
        ([*INPUT, (b"a", b"9")], "strangers"),
        ([*INPUT, (b"a", ABORTED)], "aborted"),
        (INPUT[::-1], "disordered"),
    ],
)
def test_every_fault_is_seen(output: list[tuple[bytes, bytes]], fault: str) -> None:
    verdict = judge(INPUT, output)
    assert not verdict.is_good
    assert getattr(verdict, fault) == 1
