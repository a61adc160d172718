"""The features of the cluster and the levels that they may have (KIP-584, KIP-1022).

A feature's *finalized* level is what clients go by; it is the highest that this version supports
until somebody changes it. Level 0 stands for a feature that is off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Feature:
    """Levels, inclusive; clients are told of the range."""

    level_min: int
    level_max: int
    fixed: bool = False
    """It only says which rules hold, and cannot be changed."""


FEATURES: Final[Mapping[str, Feature]] = {
    # From 3.3-IV3, the first of clusters without ZooKeeper, to 4.0-IV3. What clients read from it
    # is that KIP-896 and later protocol rules hold.
    "metadata.version": Feature(7, 25, fixed=True),
    # 1: groups of the consumer protocol (KIP-848).
    "group.version": Feature(0, 1, fixed=True),
    # 1: flexible records; 2: an epoch for each transaction, and batches that add their partition
    # themselves (KIP-890).
    "transaction.version": Feature(0, 2),
}


def finalized_levels(changed: Mapping[str, int]) -> dict[str, int]:
    """The level of every feature; `changed` holds those that somebody chose."""
    return {name: changed.get(name, feature.level_max) for name, feature in FEATURES.items()}
