from __future__ import annotations

from typing import Any, cast

import pytest
import typer

from ottla.cli.cluster_places import latest_sizes, parse_ids, places_of, plan_for
from ottla.core.errors import ConfigError
from ottla.reassignment.planner import Wishes
from tests.support.moving_cluster import MovingCluster


def test_places_are_of_live_brokers_and_all_topics() -> None:
    cluster = MovingCluster()
    cluster.add("t", 0, (1, 2), 70)
    cluster.add("__consumer_offsets", 0, (2, 3), 5)
    cluster.sizes[1]["t", 0] = 30  # it lags
    cluster.dead.add(4)
    places = places_of(cast(Any, cluster))
    assert places.live_ids == (1, 2, 3)
    found = {(one.topic, one.index): one for one in places.partitions()}
    assert found["t", 0].size_bytes == 70
    assert found["__consumer_offsets", 0].replicas == (2, 3)
    assert [one.topic for one in places.partitions(["t"])] == ["t"]
    assert [(one.broker_id, one.rack) for one in places.planned_for([3, 1])] == [
        (1, "rack-1"),
        (3, "rack-3"),
    ]
    with pytest.raises(ConfigError, match="no topic 'x'"):
        places.partitions(["t", "x"])
    with pytest.raises(ConfigError, match="broker 4 is not live"):
        places.planned_for([1, 4])
    (change,) = plan_for(places, ["t"], [2, 3], Wishes())
    assert (change.before, {*change.after}) == ((1, 2), {2, 3})


def test_sizes_of_who_does_not_answer_stay() -> None:
    cluster = MovingCluster()
    cluster.add("t", 0, (1, 2), 70)
    sizes: dict[int, dict[tuple[str, int], int]] = {}
    assert latest_sizes(cast(Any, cluster), [1, 2], sizes) == {1, 2}
    cluster.add("t", 0, (1, 2), 90)
    cluster.silent.add(2)
    assert latest_sizes(cast(Any, cluster), [1, 2], sizes) == {1}
    assert sizes == {1: {("t", 0): 90}, 2: {("t", 0): 70}}


def test_ids() -> None:
    assert parse_ids(" 2, 3,4,", "--brokers") == {2, 3, 4}
    for text in ("", ",", "1,x", "-1", "١"):
        with pytest.raises(typer.BadParameter):
            parse_ids(text, "--brokers")
