from __future__ import annotations

from pathlib import Path

import pytest

from ottla.core.errors import ErrorCode
from ottla.core.hashing import partition_for_key
from ottla.protocol.api import ApiKey
from ottla.record.compression import Compression
from tests.support.command_line import CommandLine


@pytest.fixture(autouse=True)
def topic(ottla: CommandLine) -> None:
    ottla.kafka.create("t", 3)


def records(ottla: CommandLine) -> list[tuple[bytes | None, bytes | None]]:
    return [(r.key, r.value) for partition in ottla.kafka.topics["t"] for r in partition.records()]


def test_lines_of_standard_input(ottla: CommandLine) -> None:
    done = ottla("produce", "t", stdin=b"one\n\ntwo \xff\r\nlast without newline")
    assert done.code == 0
    assert done.text.startswith("4 records sent to t in ")
    values = {value for _, value in records(ottla)}
    assert values == {b"one", b"", b"two \xff\r", b"last without newline"}
    assert {key for key, _ in records(ottla)} == {None}


def test_one_record(ottla: CommandLine) -> None:
    assert ottla("produce", "t", stdin=b"one\n").text.startswith("1 record sent")


def test_nothing(ottla: CommandLine) -> None:
    done = ottla("produce", "t", "--json")
    assert done.code == 0
    assert done.json["records"] == 0


def test_a_file(ottla: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"".join(b"%d\n" % number for number in range(1000)))
    done = ottla("produce", "t", "--file", str(path), "--compression", "zstd", "--json")
    assert done.json["topic"] == "t"
    assert done.json["records"] == 1000
    assert len(records(ottla)) == 1000
    header, _ = next(p for p in ottla.kafka.topics["t"] if p.batches).batches[0]
    assert header.compression is Compression.ZSTD


def test_a_file_that_cannot_be_read(ottla: CommandLine, tmp_path: Path) -> None:
    done = ottla("produce", "t", "--file", str(tmp_path / "none"))
    assert done.code == 1
    assert done.errors == f"error: cannot read {tmp_path / 'none'}: No such file or directory\n"


def test_keys(ottla: CommandLine) -> None:
    ottla("produce", "t", "-k", "::", stdin=b"a::1\nb::2::3\n::4\n")
    assert sorted(records(ottla)) == [(b"", b"4"), (b"a", b"1"), (b"b", b"2::3")]
    index = partition_for_key(b"a", 3)
    assert b"1" in ottla.kafka.topics["t"][index].values()


def test_a_line_without_a_key(ottla: CommandLine) -> None:
    done = ottla("produce", "t", "-k", ":", stdin=b"a:1\nb:2\nnothing\nc:3\n")
    assert done.code == 1
    assert done.errors == (
        "error: line 3 has no key separator ':'; the 2 lines before it were sent\n"
    )
    assert len(records(ottla)) == 2


def test_a_partition_and_acks(ottla: CommandLine) -> None:
    ottla("produce", "t", "--partition", "2", "--acks", "1", stdin=b"v\n")
    assert ottla.kafka.topics["t"][2].values() == [b"v"]
    assert ottla.kafka.requests(ApiKey.PRODUCE)[0].acks == 1


@pytest.mark.parametrize(
    "arguments", [["--acks", "2"], ["--compression", "brotli"], ["--key-separator", ""]]
)
def test_wrong_usage(ottla: CommandLine, arguments: list[str]) -> None:
    assert ottla("produce", "t", *arguments).code == 2


def test_failures(ottla: CommandLine) -> None:
    done = ottla("produce", "no", stdin=b"v\n")
    assert done.code == 1
    assert "topic 'no' does not exist" in done.errors
    ottla.kafka.errors[ApiKey.PRODUCE].append(ErrorCode.TOPIC_AUTHORIZATION_FAILED)
    done = ottla("produce", "t", stdin=b"v\n")
    assert done.code == 1
    assert "1 record was not delivered" in done.errors
    assert done.text == ""


def test_the_first_failure_ends_it(ottla: CommandLine, tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_bytes(b"x" * 999 + b"\n" * 1 + (b"y" * 999 + b"\n") * 20_000)
    ottla.kafka.errors[ApiKey.PRODUCE].extend([ErrorCode.TOPIC_AUTHORIZATION_FAILED] * 1_000)
    done = ottla("produce", "t", "--file", str(path))
    assert done.code == 1
    assert "not delivered" in done.errors
    refused = 1_000 - len(ottla.kafka.errors[ApiKey.PRODUCE])
    assert refused < 10  # of more than twenty batches: nobody waits for all to fail


def test_all_lines_are_one_transaction(ottla: CommandLine) -> None:
    kafka = ottla.kafka
    kafka.topics.clear()
    (partition,) = kafka.create("t")
    done = ottla("produce", "t", "--transactional-id", "x", stdin=b"a:1\nb:2\n")
    assert done.text.startswith("2 records sent to t in ")
    assert kafka.transactions["x"].state == "CompleteCommit"
    assert partition.aborted() == []
    bad = ("produce", "t", "--transactional-id", "x", "--key-separator", ":")
    done = ottla(*bad, stdin=b"c:3\nnone\n")
    assert done.code == 1
    assert "line 2 has no key separator ':'; the transaction is aborted" in done.errors
    assert kafka.transactions["x"].state == "CompleteAbort"
    assert len(partition.aborted()) == 1


def test_records_that_fail_abort_the_transaction(ottla: CommandLine) -> None:
    ottla.kafka.topics.clear()
    ottla.kafka.create("t")
    ottla.kafka.errors[ApiKey.PRODUCE].append(ErrorCode.INVALID_RECORD)
    done = ottla("produce", "t", "--transactional-id", "x", stdin=b"a\n")
    assert done.code == 1
    assert "1 record was not delivered" in done.errors
    assert ottla.kafka.transactions["x"].state == "CompleteAbort"


def test_a_transaction_needs_all_acks(ottla: CommandLine) -> None:
    done = ottla("produce", "t", "--transactional-id", "x", "--acks", "1", stdin=b"a\n")
    assert done.code == 2
    assert "a transaction needs --acks all" in done.errors
