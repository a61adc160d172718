"""kcat, the command: it has no admin, so topics are asked for."""

from __future__ import annotations

import itertools
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tests.conformance.clients.kcat.processes import FORMAT, Running, records_in, run
from tests.conformance.clients.shared.python.contract import (
    Passed,
    ask,
    expect,
    give_verdict,
    wait_until,
)
from tests.conformance.clients.shared.python.driver import Record
from tests.conformance.clients.shared.python.plain_scenarios import MIB, WORDS

STABLE_SECONDS_MAX = 40.0
READ_SECONDS_MAX = 30.0
PACE_SECONDS = 0.005
LEAVES_AFTER = 100
DELIMITER = "\x01"
"""Between a key and its value."""

PADDING = " " * 4_096
"""kcat takes a pipe's bytes in blocks: a message is sent once later ones have filled its block."""
FILLING = b" " * 16_384
"""Sends what was written before; it becomes part of the next message's key."""

Message = tuple[bytes | None, bytes]


class Kcat:
    def __init__(self, bootstrap: str, prefix: str) -> None:
        self._bootstrap = bootstrap
        self._prefix = prefix
        self.group = f"{prefix}-group"

    def create(self, name: str, partitions: int = 3, *configs: str) -> str:
        topic = f"{self._prefix}-{name}"
        ask(" ".join(["create", topic, str(partitions), "3", *configs]))
        return topic

    def producing(self, topic: str, *more: str) -> list[str]:
        return ["-P", "-b", self._bootstrap, "-t", topic, "-X", "acks=all", *more]

    def produce(self, topic: str, messages: Iterable[Message], *more: str) -> None:
        lines = [
            value if key is None else key + DELIMITER.encode() + value for key, value in messages
        ]
        arguments = self.producing(topic, "-K", DELIMITER, *more)
        code, _, errors = run(*arguments, data=b"\n".join(lines) + b"\n")
        expect(code == 0, f"kcat -P ended with {code}: {errors}")

    def reading(self, topic: str, *more: str) -> list[str]:
        settings = ["-X", "auto.offset.reset=earliest", "-o", "beginning", "-f", FORMAT, *more]
        return ["-C", "-b", self._bootstrap, "-t", topic, *settings]

    def read(self, topic: str) -> list[Record]:
        """All that is there."""
        code, output, errors = run(*self.reading(topic, "-e", "-q"))
        expect(code == 0, f"kcat -C ended with {code}: {errors}")
        return records_in(output)[0]

    def member(self, topic: str, *more: str) -> list[str]:
        settings = ["-X", "auto.offset.reset=earliest", "-u", "-f", FORMAT, *more]
        return ["-G", self.group, "-b", self._bootstrap, *settings, topic]


def check_numbers(records: Sequence[Record], count: int) -> None:
    """Values that begin with 0 … count - 1: all, once, in order within each partition."""
    by_partition: dict[int, list[int]] = defaultdict(list)
    for record in records:
        by_partition[record.partition].append(int((record.value or b"-1").split()[0]))
    for partition, numbers in by_partition.items():
        expect(numbers == sorted(numbers), f"partition {partition} is out of order")
    every = sorted(number for numbers in by_partition.values() for number in numbers)
    missing = len(set(range(count)) - set(every))
    expect(every == list(range(count)), f"{count} sent, {len(every)} read, {missing} missing")


def compression(kcat: Kcat, codec: str) -> Passed:
    topic = kcat.create("compressed")
    source = random.Random(codec)
    texts = [f"{n} " + " ".join(source.choices(WORDS, k=140)) for n in range(1_000)]
    messages = [(str(number).encode(), text.encode()) for number, text in enumerate(texts)]
    kcat.produce(topic, messages, "-z", codec)
    records = kcat.read(topic)
    check_numbers(records, 1_000)
    expect({record.value for record in records} == {value for _, value in messages}, "other texts")
    return Passed("1000 messages", {"messages": 1_000})


def keyed(kcat: Kcat) -> Passed:
    topic = kcat.create("keyed")
    kcat.produce(topic, [(f"key-{n % 100}".encode(), str(n).encode()) for n in range(1_000)])
    records = kcat.read(topic)
    check_numbers(records, 1_000)
    homes: dict[bytes | None, set[int]] = defaultdict(set)
    for record in records:
        homes[record.key].add(record.partition)
        wanted = f"key-{int(record.value or b'') % 100}".encode()
        expect(record.key == wanted, f"{record.value!r} has the key {record.key!r}")
    expect(len(homes) == 100, f"{len(homes)} keys")
    expect(all(len(home) == 1 for home in homes.values()), "a key's messages are in two partitions")
    expect(len(set().union(*homes.values())) > 1, "all keys went to one partition")
    return Passed("1000 messages, 100 keys", {"messages": 1_000})


def round_robin(kcat: Kcat) -> Passed:
    topic = kcat.create("spread")
    messages = [(None, str(number).encode()) for number in range(300)]
    kcat.produce(topic, messages, "-X", "sticky.partitioning.linger.ms=0")
    records = kcat.read(topic)
    check_numbers(records, 300)
    sizes = [sum(record.partition == index for record in records) for index in range(3)]
    expect(all(sizes), f"messages by partition: {sizes}")
    return Passed(f"300 messages, by partition {sizes}", {"messages": 300})


def headers(kcat: Kcat) -> Passed:
    topic = kcat.create("headers")
    every: list[tuple[list[bytes], bytes]] = [
        (
            [b"twice=first", b"other=between", b"twice=second"],
            b"twice=first,other=between,twice=second",
        ),
        ([b"empty=", b"null"], b"empty=,null=NULL"),
        ([b"bytes=\xff\xfe\x80"], b"bytes=\xff\xfe\x80"),
        (["überschrift-見出し=значение".encode()], "überschrift-見出し=значение".encode()),
        ([], b""),
    ]
    for number, (given, _) in enumerate(every):
        flags = list(itertools.chain.from_iterable((b"-H", header) for header in given))
        arguments = [word.encode() for word in kcat.producing(topic, "-k", "k", "-p", "0")]
        code, _, errors = run(*arguments, *flags, data=f"{number}\n".encode())
        expect(code == 0, f"kcat -P ended with {code}: {errors}")
    kcat.produce(topic, [(None, b"5")], "-p", "0")
    kcat.produce(topic, [(b"without a value", b"")], "-p", "0", "-Z")
    records = kcat.read(topic)
    found = [dict(record.headers).get("all") or b"" for record in records]
    expect(found == [shown for _, shown in every] + [b"", b""], f"headers: {found}")
    expect([r.key for r in records] == [b"k"] * 5 + [None, b"without a value"], "other keys")
    values = [record.value for record in records]
    expect(values == [b"0", b"1", b"2", b"3", b"4", b"5", None], f"values: {values}")
    return Passed("7 messages", {"messages": 7})


def large_messages(kcat: Kcat) -> Passed:
    topic = kcat.create("large", 3, f"max.message.bytes={4 * MIB}")
    source = random.Random(1)
    raised = ("-X", f"message.max.bytes={8 * MIB}")
    with tempfile.TemporaryDirectory() as folder:
        contents = [source.randbytes(3 * MIB) for _ in range(6)]
        files = [Path(folder) / str(number) for number in range(6)]
        for file, content in zip(files, contents, strict=True):
            file.write_bytes(content)
        code, _, errors = run(*kcat.producing(topic, *raised, *map(str, files)))
        expect(code == 0, f"kcat -P ended with {code}: {errors}")
        files[0].write_bytes(source.randbytes(5 * MIB))
        code, _, errors = run(*kcat.producing(topic, *raised, str(files[0])))
        expect(code != 0 and "Message size too large" in errors, f"5 MiB: {code}, {errors[-300:]}")
    found = sorted(record.value or b"" for record in kcat.read(topic))
    expect(found == sorted(contents), f"{len(found)} are read, not the 6 that were sent")
    return Passed("6 messages of 3 MiB; 5 MiB refused", {"messages": 6})


def idempotent(kcat: Kcat) -> Passed:
    topic = kcat.create("once")
    messages = [(str(n % 50).encode(), str(n).encode()) for n in range(5_000)]
    kcat.produce(topic, messages, "-X", "enable.idempotence=true")
    check_numbers(kcat.read(topic), 5_000)
    return Passed("5000 messages", {"messages": 5_000})


def commit_and_resume(kcat: Kcat) -> Passed:
    topic = kcat.create("resumed")
    kcat.produce(topic, [(str(n).encode(), str(n).encode()) for n in range(1_000)])
    records: list[Record] = []
    for more in (("-c", "400"), ("-c", "600"), ("-e",)):
        code, output, errors = run(*kcat.member(topic, *more))
        expect(code == 0, f"kcat -G ended with {code}: {errors}")
        records += records_in(output)[0]
    check_numbers(records, 1_000)
    return Passed("400 read, then the other 600, then none", {"messages": 1_000})


def rebalance(kcat: Kcat) -> Passed:
    topic = kcat.create("shared", 6)
    sent = 0
    every = set(range(6))
    with (
        Running(*kcat.producing(topic, "-K", DELIMITER)) as producer,
        Running(*kcat.member(topic)) as first,
    ):
        running = [producer, first]

        def produce_until(condition: Callable[[], bool], what: str) -> None:
            nonlocal sent
            deadline = time.monotonic() + STABLE_SECONDS_MAX
            while not condition():
                for one in running:
                    one.check_running()
                expect(time.monotonic() < deadline, f"not after {STABLE_SECONDS_MAX:.0f} s: {what}")
                producer.write(f"{sent}{DELIMITER}{sent}{PADDING}\n".encode())
                sent += 1
                time.sleep(0.01)

        produce_until(
            lambda: first.assignment == every and len(first.records) > 50, "the first has all"
        )
        # It leaves by a count: on SIGTERM kcat forgets the message that it is just handed.
        with Running(*kcat.member(topic, "-c", str(LEAVES_AFTER))) as second:
            produce_until(lambda: _is_split(first, second, every), "both have some")
            before = len(first.records)
            produce_until(lambda: second.has_ended, "the second reads and leaves")
            second.wait_end()
            expect(len(first.records) > before, "the first did not read beside the second")
        produce_until(lambda: first.assignment == every, "the first has all again")
        producer.finish()
        _wait_read(sent, first, second)
        time.sleep(1)
        first.stop()
    duplicates = len(first.records) + len(second.records) - len(_distinct(first, second))
    check_numbers([record for _, record in sorted(_distinct(first, second).items())], sent)
    expect(duplicates == 0, f"{duplicates} messages were read twice")
    numbers = {"messages": sent, "duplicates": duplicates}
    return Passed(f"{sent} messages, {len(second.records)} by the second member", numbers)


def _wait_read(count: int, *members: Running) -> None:
    deadline = time.monotonic() + STABLE_SECONDS_MAX
    while len(found := _distinct(*members)) < count and time.monotonic() < deadline:
        time.sleep(0.02)
    by_partition: dict[int, list[int]] = defaultdict(list)
    for partition, offset in sorted(found):
        by_partition[partition].append(offset)
    gaps = {
        partition: sorted(set(range(offsets[-1] + 1)) - set(offsets))
        for partition, offsets in by_partition.items()
    }
    ends = {partition: offsets[-1] + 1 for partition, offsets in sorted(by_partition.items())}
    expect(len(found) >= count, f"{len(found)} of {count} are read; up to {ends}, without {gaps}")


def _is_split(one: Running, other: Running, every: set[int]) -> bool:
    parts = (one.assignment, other.assignment)
    return all(parts) and parts[0] | parts[1] == every and not parts[0] & parts[1]


def _distinct(*members: Running) -> dict[tuple[int, int], Record]:
    return {(r.partition, r.offset): r for member in members for r in member.records}


def group_protocol_classic(kcat: Kcat) -> Passed:
    topic = kcat.create("split")
    with Running(*kcat.member(topic)) as one, Running(*kcat.member(topic)) as other:
        wait_until(
            lambda: _is_split(one, other, {0, 1, 2}),
            STABLE_SECONDS_MAX,
            "both members have partitions",
        )
        kcat.produce(topic, [(str(n).encode(), str(n).encode()) for n in range(600)])
        wait_until(
            lambda: len(one.records) + len(other.records) >= 600, STABLE_SECONDS_MAX, "all read"
        )
        time.sleep(1)
        one.stop()
        other.stop()
    records = [*one.records, *other.records]
    check_numbers(sorted(records, key=lambda record: (record.partition, record.offset)), 600)
    code, output, errors = run(*kcat.member(topic, "-e"))
    expect(code == 0, f"kcat -G ended with {code}: {errors}")
    expect(not output, "some were read although they were committed")
    sizes = f"{len(one.records)}/{len(other.records)}"
    return Passed(f"600 messages, by member {sizes}", {"messages": 600})


def leader_killed(kcat: Kcat) -> Passed:
    topic = kcat.create("survives", 1, "min.insync.replicas=2")
    arguments = kcat.producing(topic, "-p", "0", "-X", "enable.idempotence=true", "-vvv")
    with Running(*arguments) as producer:
        begun = time.monotonic()
        killed = ""
        sent = 0
        while time.monotonic() < begun + 6:
            if not killed and time.monotonic() > begun + 2:
                killed = ask(f"kill-leader {topic} 0")
            producer.check_running()
            producer.write(f"{sent}{PADDING}\n".encode())
            sent += 1
            time.sleep(PACE_SECONDS)
        producer.finish()
    times = producer.delivered_at
    expect(len(times) == sent, f"{sent} sent, {len(times)} acknowledged")
    gap_ms = max(after - before for before, after in itertools.pairwise(times)) * 1_000
    ask("restart")
    kcat.produce(topic, [(None, str(number).encode()) for number in range(sent, sent + 100)])
    check_numbers(kcat.read(topic), sent + 100)
    numbers = {"messages": sent + 100, "longest_gap_ms": round(gap_ms)}
    return Passed(f"{sent + 100} messages, broker {killed} killed, gap {gap_ms:.0f} ms", numbers)


def topic_recreated(kcat: Kcat) -> Passed:
    topic = kcat.create("again")
    with (
        Running(*kcat.producing(topic, "-K", DELIMITER, "-E")) as producer,
        Running(*kcat.reading(topic, "-u", "-E")) as consumer,
    ):
        for number in range(100):
            producer.write(f"{number}{DELIMITER}{number}{PADDING}\n".encode())
        producer.write(FILLING)
        wait_until(lambda: len(consumer.records) >= 100, READ_SECONDS_MAX, "the first 100 are read")
        check_numbers(consumer.records, 100)
        consumer.records.clear()
        ask(f"delete {topic}")
        kcat.create("again")
        begun = time.monotonic()
        for number in range(40):
            producer.write(f"{number}{DELIMITER}{number}{PADDING}\n".encode())
        producer.write(FILLING)
        wait_until(lambda: len(consumer.records) >= 40, READ_SECONDS_MAX, "the new 40 are read")
        after = time.monotonic() - begun
        time.sleep(1)
        check_numbers(consumer.records, 40)
        producer.finish()
    return Passed(
        f"read {after:.1f} s after", {"messages": 140, "seen_after_ms": round(after * 1_000)}
    )


SCENARIOS: dict[str, Callable[[Kcat], Passed]] = {
    "keyed": keyed,
    "round-robin": round_robin,
    "headers": headers,
    "large-messages": large_messages,
    "idempotent": idempotent,
    "rebalance": rebalance,
    "commit-and-resume": commit_and_resume,
    "leader-killed": leader_killed,
    "topic-recreated": topic_recreated,
    "group-protocol-classic": group_protocol_classic,
}


def main() -> int:
    name, bootstrap, prefix = sys.argv[1:4]
    kcat = Kcat(bootstrap, prefix)

    def scenario() -> Passed:
        if name.startswith("compression-"):
            return compression(kcat, name.removeprefix("compression-"))
        return SCENARIOS[name](kcat)

    return give_verdict(scenario)


if __name__ == "__main__":
    sys.exit(main())
