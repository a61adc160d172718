"""The uniform assignor: complete, even, sticky."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from broker.groups.consumer.uniform_assignor import assign_uniformly

TOPICS = [bytes([n] * 16) for n in range(1, 4)]
SUBSCRIPTIONS = st.dictionaries(
    st.sampled_from("abcde"), st.frozensets(st.sampled_from(TOPICS)), min_size=1
)
COUNTS = st.fixed_dictionaries({topic: st.integers(0, 7) for topic in TOPICS})


@given(SUBSCRIPTIONS, SUBSCRIPTIONS, COUNTS)
def test_complete_and_even_after_any_change(
    before: dict[str, frozenset[bytes]],
    after: dict[str, frozenset[bytes]],
    counts: dict[bytes, int],
) -> None:
    first = assign_uniformly(before, counts, {})
    result = assign_uniformly(after, counts, first)
    assert result.keys() == after.keys()
    given_out = [partition for its in result.values() for partition in its]
    wanted = {t for its in after.values() for t in its}
    assert sorted(given_out) == sorted((t, i) for t in wanted for i in range(counts[t]))
    for member, its in result.items():
        for topic, _ in its:
            assert topic in after[member]
            for other in after:
                if topic in after[other]:
                    assert len(its) <= len(result[other]) + 1
    assert assign_uniformly(after, counts, result) == result
