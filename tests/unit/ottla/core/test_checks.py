import pytest

from ottla.core.checks import check
from ottla.core.errors import InvariantError


def test_a_condition_that_holds_says_nothing() -> None:
    check(True, "never shown")


def test_a_broken_invariant_names_the_state() -> None:
    with pytest.raises(InvariantError, match=r"offset went back \(offset=3\)"):
        check(False, "offset went back", offset=3)
