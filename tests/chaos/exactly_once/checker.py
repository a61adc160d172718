"""What must hold of an exactly-once application's output. Pure."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.chaos.exactly_once.application import ABORTED


@dataclass(frozen=True, slots=True)
class Verdict:
    lost: int
    duplicated: int
    strangers: int
    """Records that were never in the input."""
    aborted: int
    """Records of aborted transactions that a read_committed consumer saw."""
    disordered: int
    """Neighbours of one key in the wrong order."""

    @property
    def is_good(self) -> bool:
        return not (
            self.lost or self.duplicated or self.strangers or self.aborted or self.disordered
        )


def judge(
    acknowledged: Iterable[tuple[bytes, bytes]], output: Sequence[tuple[bytes, bytes]]
) -> Verdict:
    """(key, value) of what was acknowledged as input, in order, and of the output as it was read.

    Values are different from each other, and rise within a key.
    """
    wanted = Counter(acknowledged)
    seen = Counter(output)
    aborted = sum(count for (_, value), count in seen.items() if value == ABORTED)
    by_key: dict[bytes, list[bytes]] = defaultdict(list)
    for key, value in output:
        if value != ABORTED:
            by_key[key].append(value)
    return Verdict(
        lost=sum((wanted - seen).values()),
        duplicated=sum(count - 1 for one, count in seen.items() if one in wanted and count > 1),
        strangers=sum(
            count for one, count in seen.items() if one not in wanted and one[1] != ABORTED
        ),
        aborted=aborted,
        disordered=sum(
            later < earlier
            for values in by_key.values()
            for earlier, later in itertools.pairwise(values)
        ),
    )
