from __future__ import annotations

import pytest

from ottla.core.errors import ErrorCode
from ottla.protocol.api import ApiKey
from ottla.record.build import build_batch
from tests.support.command_line import CommandLine


def test_create(ottla: CommandLine) -> None:
    done = ottla("topic", "create", "orders", "-p", "3", "-r", "2", "-c", "retention.ms=5")
    assert (done.code, done.text) == (
        0,
        "Created topic orders: 3 partitions, replication factor 2.\n",
    )
    assert len(ottla.kafka.topics["orders"]) == 3
    assert ottla.kafka.topic_configs["orders"] == {"retention.ms": "5"}
    assert ottla("topic", "create", "one").text == (
        "Created topic one: 1 partition, replication factor 1.\n"
    )


def test_create_as_json(ottla: CommandLine) -> None:
    done = ottla("topic", "create", "a", "b", "--json")
    assert [(topic["name"], topic["created"]) for topic in done.json] == [("a", True), ("b", True)]
    assert done.json[0]["partitions"] == 1


def test_create_what_exists(ottla: CommandLine) -> None:
    ottla.kafka.create("orders")
    done = ottla("topic", "create", "orders", "new")
    assert done.code == 1
    assert "error: topic 'orders': Topic 'orders' already exists." in done.errors
    done = ottla("topic", "create", "orders", "new", "--if-not-exists")
    assert done.code == 0
    assert done.lines[0] == "Topic orders exists already."
    assert ottla("topic", "create", "orders", "--if-not-exists", "--json").json == [
        {"name": "orders", "created": False}
    ]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["a b"], "only ASCII letters"),
        (["a", "--config", "nothing"], "expected KEY=VALUE"),
        (["a", "--partitions", "0"], "--partitions"),
        ([], "Missing argument"),
    ],
)
def test_wrong_usage_of_create(ottla: CommandLine, arguments: list[str], words: str) -> None:
    done = ottla("topic", "create", *arguments)
    assert done.code == 2
    assert words in done.errors
    assert ottla.kafka.seen == []


def test_what_the_cluster_refuses(ottla: CommandLine) -> None:
    ottla.kafka.errors[ApiKey.CREATE_TOPICS].append(ErrorCode.INVALID_REPLICATION_FACTOR)
    done = ottla("topic", "create", "a", "-r", "9")
    assert done.code == 1
    assert done.errors == (
        "error: topic 'a' asks for more replicas than there are brokers, or fewer than one "
        "(INVALID_REPLICATION_FACTOR)\n"
    )


def test_list(ottla: CommandLine) -> None:
    assert "There are no topics" in ottla("topic", "list").text
    ottla.kafka.create("orders", 3)
    ottla.kafka.create("[red]", 1)
    ottla.kafka.create("__internal", 1)
    done = ottla("topic", "list")
    assert [line.split() for line in done.lines[2:]] == [
        ["[red]", "1", "3", "in", "sync"],
        ["orders", "3", "3", "in", "sync"],
    ]
    ottla.kafka.down.add(2)
    health = {topic["name"]: topic for topic in ottla("topic", "list", "--json").json}
    assert health["orders"]["leaderless_partitions"] == 1
    assert health["orders"]["under_replicated_partitions"] == 3
    assert "1 of 3 without leader" in ottla("topic", "list").text
    assert "1 of 1 under-replicated" in ottla("topic", "list").text
    assert "__internal" in ottla("topic", "list", "--internal").text


def test_describe(ottla: CommandLine) -> None:
    ottla.kafka.create("orders", 2)
    ottla.kafka.append("orders", 1, build_batch([(None, b"v", (), 0)] * 7))
    ottla.kafka.topic_configs["orders"] = {"retention.ms": "5"}
    done = ottla("topic", "describe", "orders")
    assert done.code == 0
    assert done.lines[:2] == ["Topic orders: in sync", "  retention.ms=5"]
    assert [line.split() for line in done.lines[4:]] == [
        ["0", "1", "1,", "2,", "3", "1,", "2,", "3", "0", "0"],
        ["1", "2", "1,", "2,", "3", "1,", "2,", "3", "0", "7"],
    ]
    (described,) = ottla("topic", "describe", "orders", "--json").json
    assert described["configs"] == {"retention.ms": "5"}
    assert described["partitions"][1] == {
        "partition": 1,
        "leader": 2,
        "leader_epoch": 0,
        "replicas": [1, 2, 3],
        "isr": [1, 2, 3],
        "log_start_offset": 0,
        "end_offset": 7,
    }


def test_describe_without_a_leader(ottla: CommandLine) -> None:
    ottla.kafka.create("orders", 1)
    ottla.kafka.down.add(1)
    assert ottla("topic", "describe", "orders").lines[-1].split() == [
        *("0", "none", "1,", "2,", "3", "2,", "3", "?", "?"),
    ]


def test_describe_what_does_not_exist(ottla: CommandLine) -> None:
    done = ottla("topic", "describe", "no")
    assert done.code == 1
    assert done.errors == (
        "error: topic 'no' does not exist; 'ottla topic list' shows what does "
        "(UNKNOWN_TOPIC_OR_PARTITION)\n"
    )


def test_delete(ottla: CommandLine) -> None:
    ottla.kafka.create("a")
    ottla.kafka.create("b")
    assert ottla("topic", "delete", "a").text == "Deleted topic a.\n"
    done = ottla("topic", "delete", "a")
    assert done.code == 1
    assert "does not exist" in done.errors
    done = ottla("topic", "delete", "a", "b", "--if-exists", "--json")
    assert done.json == [{"name": "a", "deleted": False}, {"name": "b", "deleted": True}]
    assert ottla("topic", "delete", "a", "--if-exists").text == "Topic a does not exist.\n"
    assert ottla.kafka.topics == {}


def test_delete_records(ottla: CommandLine) -> None:
    ottla.kafka.create("orders", 2)
    for index in (0, 1):
        ottla.kafka.append("orders", index, build_batch([(None, b"v", (), 0)] * 7))
    done = ottla("topic", "delete-records", "orders", "--partition", "1", "--before", "3")
    assert (done.code, done.text) == (0, "Partition 1 of orders begins at offset 3.\n")
    done = ottla("topic", "delete-records", "orders", "--before", "end", "--json")
    assert done.json == [
        {"topic": "orders", "partition": 0, "low_watermark": 7},
        {"topic": "orders", "partition": 1, "low_watermark": 7},
    ]
    done = ottla("topic", "delete-records", "orders", "--partition", "0", "--before", "8")
    assert done.code == 1
    assert "partition 0 of topic 'orders': the offset is beyond what is committed" in done.errors


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--before", "5"], "say which with --partition"),
        (["--before", "-1", "--partition", "0"], "expected an offset or 'end'"),
        (["--before", "x", "--partition", "0"], "expected an offset or 'end', not 'x'"),
        ([], "Missing option '--before'"),
    ],
)
def test_wrong_usage_of_delete_records(
    ottla: CommandLine, arguments: list[str], words: str
) -> None:
    done = ottla("topic", "delete-records", "orders", *arguments)
    assert done.code == 2
    assert words in done.errors
    assert ottla.kafka.seen == []
