from __future__ import annotations

import json
import os
import signal
from typing import Any

import pytest

from ottla.client.consumer import Consumer
from ottla.record.build import build_batch
from tests.support.command_line import CommandLine


@pytest.fixture(autouse=True)
def topic(ottla: CommandLine) -> None:
    ottla.kafka.create("t", 2)
    for index in range(2):
        ottla.kafka.append(
            "t",
            index,
            build_batch(
                [
                    (b"k", b"%d.%d \xff" % (index, number), [("h", b"x"), ("n", None)], 1000)
                    for number in range(5)
                ]
            ),
        )


def test_values_as_they_are(ottla: CommandLine) -> None:
    done = ottla("consume", "t", "--from-beginning", "--timeout", "1")
    assert done.code == 0
    assert sorted(done.output.splitlines()) == [
        b"%d.%d \xff" % (index, number) for index in range(2) for number in range(5)
    ]


def test_only_what_comes_from_now_on(ottla: CommandLine) -> None:
    assert ottla("consume", "t", "--timeout", "2").output == b""


def test_only_what_is_committed(ottla: CommandLine) -> None:
    batch = build_batch(
        [(None, b"open", (), 5)],
        producer_id=7,
        producer_epoch=0,
        base_sequence=0,
        transactional=True,
    )
    ottla.kafka.append("t", 0, batch)
    read = ("consume", "t", "--from-beginning", "--timeout", "1")
    assert b"open" in ottla(*read).output
    committed = ottla(*read, "--isolation", "read_committed")
    assert len(committed.output.splitlines()) == 10
    assert b"open" not in committed.output
    assert ottla(*read, "--isolation", "snapshot").code == 2


def test_limits(ottla: CommandLine) -> None:
    done = ottla("consume", "t", "--from-beginning", "-n", "3")
    assert len(done.output.splitlines()) == 3
    assert ottla("consume", "t", "--from-beginning", "-n", "0").output == b""


def test_a_partition_and_an_offset(ottla: CommandLine) -> None:
    done = ottla("consume", "t", "-p", "1", "-o", "3", "--timeout", "1")
    assert done.output == b"1.3 \xff\n1.4 \xff\n"
    done = ottla("consume", "t", "-p", "0", "--from-beginning", "-n", "1")
    assert done.output == b"0.0 \xff\n"


def test_an_offset_that_is_not_there(ottla: CommandLine) -> None:
    done = ottla("consume", "t", "-p", "1", "-o", "30", "--timeout", "1")
    assert done.code == 1
    assert "it has no offset 30; it begins at 0 and ends before 5" in done.errors


def test_keys(ottla: CommandLine) -> None:
    ottla.kafka.append("t", 1, build_batch([(None, None, (), 0)]))
    done = ottla("consume", "t", "--key", "-p", "1", "-o", "4", "-n", "2")
    assert done.output == b"k\t1.4 \xff\n\t\n"


def test_json(ottla: CommandLine) -> None:
    ottla.kafka.append("t", 0, build_batch([(None, "ä".encode(), (), 7)]))
    done = ottla("consume", "t", "--json", "-p", "0", "-o", "4", "-n", "2")
    first, second = (json.loads(line) for line in done.output.splitlines())
    assert first == {
        "topic": "t",
        "partition": 0,
        "offset": 4,
        "timestamp": 1000,
        "key": "k",
        "value_base64": "MC40IP8=",
        "headers": [{"name": "h", "value": "x"}, {"name": "n", "value": None}],
    }
    assert (second["key"], second["value"]) == (None, "ä")


def test_groups(ottla: CommandLine) -> None:
    first = ottla("consume", "t", "-g", "readers", "--from-beginning", "-n", "4")
    second = ottla("consume", "t", "-g", "readers", "--from-beginning", "--timeout", "1")
    assert len(first.output.splitlines()) == 4
    assert len(second.output.splitlines()) == 6
    assert sum(ottla.kafka.committed.values()) == 10
    assert ottla.kafka.members == {}


@pytest.mark.parametrize(
    "arguments",
    [
        ["-g", "x", "-p", "1"],
        ["-o", "1"],
        ["-o", "1", "-p", "0", "--from-beginning"],
        ["-n", "-1"],
        ["-p", "9"],
    ],
)
def test_wrong_usage(ottla: CommandLine, arguments: list[str]) -> None:
    done = ottla("consume", "t", *arguments)
    assert done.code == 2
    assert "Error" in done.errors


def test_a_topic_that_does_not_exist(ottla: CommandLine) -> None:
    done = ottla("consume", "no", "--timeout", "1")
    assert done.code == 1
    assert "topic 'no' does not exist" in done.errors


def test_an_interrupt_ends_it_after_what_was_printed(
    ottla: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A shell starts what runs in its background with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    poll, polls = Consumer.poll, []

    def interrupted_poll(consumer: Consumer, *arguments: Any) -> Any:
        polls.append(1)
        if len(polls) == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return poll(consumer, 0.5, 3)

    monkeypatch.setattr(Consumer, "poll", interrupted_poll)
    done = ottla("consume", "t", "-g", "readers", "--from-beginning")
    assert done.code == 0
    assert len(done.output.splitlines()) == 6
    assert sum(ottla.kafka.committed.values()) == 6
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
