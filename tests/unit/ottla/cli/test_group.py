from __future__ import annotations

import pytest

from ottla.client.groups import encode_assignment
from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from ottla.record.build import build_batch
from tests.support.command_line import CommandLine


@pytest.fixture(autouse=True)
def readers(ottla: CommandLine) -> None:
    """Ten records a partition, at 1 s, 2 s and so on; offsets 4 and 8 are committed."""
    kafka = ottla.kafka
    kafka.create("t", 2)
    for index in range(2):
        for number in range(10):
            kafka.append("t", index, build_batch([(None, b"v", (), 1_000 * (number + 1))]))
    kafka.committed = {("t", 0): 4, ("t", 1): 8}


def join(ottla: CommandLine) -> None:
    ottla.kafka.members = {"m": b""}
    ottla.kafka.assignments = {"m": encode_assignment([("t", 0), ("t", 1)])}


def rows(lines: list[str]) -> list[list[str]]:
    """The cells of a table's rows."""
    return [line.split() for line in lines if line.strip().startswith("t ")]


def test_list(ottla: CommandLine) -> None:
    ottla.kafka.groups += [
        ("idle", "consumer", "Empty", "classic"),
        ("modern", "consumer", "Stable", "consumer"),
    ]

    def listed(*options: str) -> list[str]:
        return [one["group"] for one in ottla("group", "list", "--json", *options).json]

    assert listed() == ["idle", "modern", "readers"]
    assert listed("--state", "EMPTY") == ["idle"]
    assert listed("--type", "consumer") == ["modern"]
    assert listed("--type", "classic", "--state", "stable") == ["readers"]
    assert listed("--type", "classic", "--type", "consumer") == ["idle", "modern", "readers"]
    assert ottla("group", "list", "--type", "share").code == 2
    done = ottla("group", "list")
    assert [line.split()[0] for line in done.lines if "consumer" in line] == listed()


def test_describe(ottla: CommandLine) -> None:
    join(ottla)
    done = ottla("group", "describe", "readers")
    assert done.lines[0] == (
        "Group readers is Stable, protocol range; broker 3 coordinates; lag 8 in all."
    )
    assert rows(done.lines) == [["t", "0", "4", "10", "6", "m"], ["t", "1", "8", "10", "2", "m"]]
    shown = ottla("group", "describe", "readers", "--json").json
    assert shown["members"][0]["partitions"][1] == {"topic": "t", "partition": 1}
    assert [one["lag"] for one in shown["offsets"]] == [6, 2]


def test_a_partition_without_an_offset_has_no_lag(ottla: CommandLine) -> None:
    join(ottla)
    del ottla.kafka.committed["t", 1]
    done = ottla("group", "describe", "readers")
    assert rows(done.lines)[1] == ["t", "1", "-", "10", "-", "m"]
    assert ottla("group", "describe", "readers", "--json").json["offsets"][1]["lag"] is None


@pytest.mark.parametrize(
    ("how", "new"),
    [
        (["--to-earliest"], [0, 0]),
        (["--to-latest"], [10, 10]),
        (["--shift-by", "-5"], [0, 3]),
        (["--shift-by", "3"], [7, 10]),
        (["--to-offset", "6"], [6, 6]),
        (["--to-datetime", "1970-01-01T00:00:05+00:00"], [4, 4]),
        (["--to-datetime", "2026-01-01T00:00:00+00:00"], [10, 10]),
    ],
)
def test_where_a_group_goes_on(ottla: CommandLine, how: list[str], new: list[int]) -> None:
    before = dict(ottla.kafka.committed)
    planned = ottla("group", "reset-offsets", "readers", "--topic", "t", *how, "--json").json
    assert planned["executed"] is False
    assert [one["new"] for one in planned["offsets"]] == new
    assert ottla.kafka.committed == before
    done = ottla("group", "reset-offsets", "readers", "--all-topics", *how, "--execute")
    assert done.lines[-1] == "Done."
    assert ottla.kafka.committed == {("t", index): new[index] for index in range(2)}


def test_the_plan_shows_lag_and_difference(ottla: CommandLine) -> None:
    del ottla.kafka.committed["t", 1]
    plan = ("group", "reset-offsets", "readers", "--topic", "t", "--to-offset", "3")
    done = ottla(*plan)
    assert done.lines[0].split() == [
        "Topic", "Partition", "Current", "Lag", "New", "Difference", "Lag", "then",
    ]  # fmt: skip
    assert rows(done.lines) == [
        ["t", "0", "4", "6", "3", "-1", "7"],
        ["t", "1", "-", "-", "3", "-", "7"],
    ]
    assert "--execute" in done.lines[-1]
    first, second = ottla(*plan, "--json").json["offsets"]
    assert (first["difference"], first["lag_before"], first["lag"]) == (-1, 6, 7)
    assert (second["current"], second["difference"], second["lag_before"]) == (None, None, None)


def test_some_partitions_alone(ottla: CommandLine) -> None:
    ottla("group", "reset-offsets", "readers", "--topic", "t:1", "--to-earliest", "--execute")
    assert ottla.kafka.committed == {("t", 0): 4, ("t", 1): 0}


def test_a_group_that_is_read_is_not_reset(ottla: CommandLine) -> None:
    join(ottla)
    reset = ("group", "reset-offsets", "readers", "--topic", "t", "--to-earliest")
    assert ottla(*reset).code == 0
    done = ottla(*reset, "--execute")
    assert done.code == 2
    assert "stop its consumers" in " ".join(done.errors.split())
    assert ottla.kafka.committed["t", 0] == 4


def test_a_group_that_does_not_exist_yet_can_be_given_offsets(ottla: CommandLine) -> None:
    ottla.kafka.committed.clear()
    ottla.kafka.errors[ApiKey.DESCRIBE_GROUPS].append(ErrorCode.GROUP_ID_NOT_FOUND)
    ottla("group", "reset-offsets", "new", "--topic", "t:0", "--to-latest", "--execute")
    assert ottla.kafka.committed == {("t", 0): 10}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--topic", "t"], "give one of --to-earliest"),
        (["--topic", "t", "--to-earliest", "--to-latest"], "give one of --to-earliest"),
        (["--to-earliest"], "say which partitions"),
        (["--topic", "t", "--all-topics", "--to-earliest"], "say which partitions"),
        (["--topic", "t:x", "--to-earliest"], "expected TOPIC:0,1"),
        (["--topic", "t", "--to-datetime", "yesterday"], "is no date and time"),
    ],
)
def test_wrong_usage(ottla: CommandLine, arguments: list[str], words: str) -> None:
    done = ottla("group", "reset-offsets", "readers", *arguments)
    assert done.code == 2
    assert words in done.errors


def test_offsets_are_deleted(ottla: CommandLine) -> None:
    planned = ottla("group", "delete-offsets", "readers", "t")
    assert rows(planned.lines) == [["t", "0", "4"], ["t", "1", "8"]]
    assert "--execute" in planned.lines[-1]
    assert len(ottla.kafka.committed) == 2
    done = ottla("group", "delete-offsets", "readers", "t:1", "--execute", "--json")
    assert done.json["offsets"] == [{"topic": "t", "partition": 1, "committed": 8}]
    assert ottla.kafka.committed == {("t", 0): 4}
    assert ottla("group", "delete-offsets", "readers", "t", "--execute").lines[-1] == "Deleted."
    assert ottla.kafka.committed == {}


def test_offsets_that_are_not_there_or_in_use(ottla: CommandLine) -> None:
    done = ottla("group", "delete-offsets", "readers", "other", "--execute")
    assert done.code == 1
    assert "has committed nothing for topic 'other'" in done.errors
    assert "partitions 7 of topic 't'" in ottla("group", "delete-offsets", "readers", "t:7").errors
    assert ottla("group", "delete-offsets", "readers", "t:").code == 2
    join(ottla)
    done = ottla("group", "delete-offsets", "readers", "t", "--execute")
    assert done.code == 1
    assert "partition 0 of topic 't': a member of the group reads it" in done.errors
    assert len(ottla.kafka.committed) == 2


def test_groups_are_deleted(ottla: CommandLine) -> None:
    planned = ottla("group", "delete", "readers")
    assert "--execute" in planned.lines[-1]
    assert ottla.kafka.groups
    join(ottla)
    done = ottla("group", "delete", "readers", "--execute")
    assert done.code == 1
    assert "group 'readers': the group has members: stop its consumers first" in done.errors
    ottla.kafka.members.clear()
    (gone,) = ottla("group", "delete", "readers", "--execute", "--json").json
    assert (gone["offsets"], gone["deleted"]) == (2, True)
    assert ottla.kafka.groups == []
