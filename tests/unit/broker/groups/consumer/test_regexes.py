"""RE2's syntax; whole names; no internal topics."""

from __future__ import annotations

import pytest

from broker.groups.consumer.regexes import REGEX_LENGTH_MAX, check_regex, matching_topics
from ottla.core.errors import ErrorCode, ProtocolError


@pytest.mark.parametrize("regex", ["(", "a(?=b)", r"(a)\1", "a" * (REGEX_LENGTH_MAX + 1)])
def test_what_cannot_be_matched_in_linear_time_is_refused(regex: str) -> None:
    with pytest.raises(ProtocolError) as raised:
        check_regex(regex)
    assert raised.value.code is ErrorCode.INVALID_REGULAR_EXPRESSION


def test_whole_names_are_matched_and_internal_topics_never() -> None:
    names = ["orders", "orders-eu", "reorders", "__consumer_offsets"]
    assert matching_topics("orders.*", names) == ("orders", "orders-eu")
    assert matching_topics(".*", names) == ("orders", "orders-eu", "reorders")
