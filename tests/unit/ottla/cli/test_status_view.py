from __future__ import annotations

import io

import pytest

from ottla.cli.status_view import all_is_well, escape, finding_json, status_json, status_view
from ottla.client.model import PartitionDescription, TopicDescription
from ottla.local.doctor import AddressFacts, ClusterFacts, Finding, PartitionFacts
from ottla.local.health import BrokerRow, ClusterStatus

ID = bytes(16)


def status(leader_id: int | None = 1) -> ClusterStatus:
    partition = PartitionDescription(
        index=0, leader_id=leader_id, leader_epoch=0, replicas=(1, 2), isr=(1,), offline=()
    )
    topic = TopicDescription(name="a[b]", topic_id=ID, internal=False, partitions=(partition,))
    rows = (
        BrokerRow(1, "127.0.0.1:1", "up", True, 1, 1, 0, "127.0.0.1:1001"),
        BrokerRow(2, "127.0.0.1:2", "stopped", False, 0, 1, 1),
    )
    return ClusterStatus("id", "127.0.0.1:1", 1, rows, (topic,), {"a[b]": 1234}, 0.0)


def shown(seen: ClusterStatus, rates: dict[str, float], problem: str | None = None) -> list[str]:
    from rich.console import Console

    out = io.StringIO()
    Console(file=out, width=200).print(status_view(seen, rates, problem, "hint"))
    return [" ".join(line.split()) for line in out.getvalue().splitlines() if line.strip()]


def test_the_table_shows_brokers_topics_and_rates() -> None:
    lines = shown(status(), {"a[b]": 99_999.6}, "something is wrong")
    assert lines[0] == "cluster id at 127.0.0.1:1"
    assert "1 127.0.0.1:1 127.0.0.1:1001 up, controller 1 1 0" in lines
    assert "2 127.0.0.1:2 stopped 0 1 1" in lines
    assert "a[b] 1 1 1/2 1,234 100,000" in lines
    assert lines[-2:] == ["something is wrong", "hint"]


def test_eighty_columns_are_enough() -> None:
    from rich.console import Console

    address, http = "127.0.0.1:19092", "127.0.0.1:20092"
    row = BrokerRow(99, address, "up", True, 100, 9999, 9999, http)
    seen = ClusterStatus("id", address, 1, (row,), (), {}, 0.0)
    out = io.StringIO()
    Console(file=out, width=80).print(status_view(seen, {}))
    assert "…" not in out.getvalue()


def test_without_rates_there_is_no_column_of_them() -> None:
    lines = shown(status(leader_id=None), {})
    assert "a[b] 1 none 1/2 1,234" in lines
    assert not [line for line in lines if "records/s" in line]


def test_json_has_the_same() -> None:
    seen = status_json(status())
    assert seen["brokers"][1]["state"] == "stopped"
    assert [row["http"] for row in seen["brokers"]] == ["127.0.0.1:1001", None]
    assert seen["topics"] == [
        {
            "name": "a[b]",
            "records": 1234,
            "partitions": [{"index": 0, "leader": 1, "replicas": [1, 2], "isr": [1]}],
        }
    ]
    assert finding_json(Finding("cause", "remedy")) == {"problem": "cause", "remedy": "remedy"}


@pytest.mark.parametrize(
    ("brokers", "partitions", "sentence"),
    [
        (1, 0, "All is well: 1 broker answers; there are no topics yet."),
        (
            1,
            1,
            "All is well: 1 broker answers; the one partition has a leader and all its replicas in "
            "sync.",
        ),
        (
            3,
            6,
            "All is well: all 3 brokers answer; each of 6 partitions has a leader and all its "
            "replicas in sync.",
        ),
    ],
)
def test_what_a_doctor_says_who_found_nothing(brokers: int, partitions: int, sentence: str) -> None:
    address = AddressFacts("a:1", 1, brokers_seen=frozenset(range(brokers)))
    parts = [PartitionFacts("t", index, 1, (1,), (1,)) for index in range(partitions)]
    assert all_is_well(ClusterFacts(addresses=[address], partitions=parts)) == sentence


def test_brackets_of_names_are_no_markup() -> None:
    assert escape("[red]") == "\\[red]"
