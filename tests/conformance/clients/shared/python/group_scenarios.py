"""Scenarios of consumers and groups: positions, commits, rebalances, transactions, protocols."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.conformance.clients.shared.python.contract import Passed, expect, wait_until
from tests.conformance.clients.shared.python.driver import (
    Consumer,
    ConsumerOptions,
    Driver,
    Producer,
    ProducerOptions,
    Record,
)
from tests.conformance.clients.shared.python.members import Member
from tests.conformance.clients.shared.python.reading import Content, Sent, check_read, read

STABLE_SECONDS_MAX = 40.0


def seek_pause_offsets_for_times(driver: Driver, prefix: str) -> Passed:
    topic = f"{prefix}-timed"
    driver.admin().create(topic, 3, {})
    sent = Sent(driver.producer(ProducerOptions()), topic)
    first_ms = (round(time.time()) - 3_600) * 1_000
    for number in range(100):
        for partition in range(3):
            at = first_ms + number * 1_000
            sent.send(str(number).encode(), partition=partition, timestamp_ms=at)
    sent.producer.flush()
    expected = sent.acknowledged()
    consumer = driver.consumer(topic, ConsumerOptions())

    asked = {0: first_ms + 70_500, 1: first_ms + 70_000, 2: first_ms + 200_000}
    found = consumer.offsets_for_times(asked)
    expect(found == {0: 71, 1: 70, 2: None}, f"offsets for times: {found}")

    consumer.seek(0, 50)
    expected[0] = expected[0][50:]
    check_read(expected, read(consumer, 250))

    consumer.pause(0)
    more = Sent(sent.producer, topic)
    for number in range(20):
        for partition in range(3):
            more.send(f"more {number}".encode(), partition=partition)
    more.producer.flush()
    later = more.acknowledged()
    others = {partition: later[partition] for partition in (1, 2)}
    until = time.monotonic() + 2
    records: list[Record] = []
    while time.monotonic() < until or (len(records) < 40 and time.monotonic() < until + 20):
        records += consumer.poll(0.2)
    check_read(others, records)
    consumer.resume(0)
    check_read({0: later[0]}, read(consumer, 20))
    consumer.close()
    return Passed("offsets for times, seek, pause, resume", {"messages": 310})


def commit_and_resume(driver: Driver, prefix: str) -> Passed:
    topic, group = f"{prefix}-resumed", f"{prefix}-readers"
    driver.admin().create(topic, 3, {})
    sent = Sent(driver.producer(ProducerOptions()), topic)
    for number in range(1_000):
        sent.send(str(number).encode(), partition=number % 3)
    sent.producer.flush()
    expected = sent.acknowledged()

    first = driver.consumer(topic, ConsumerOptions(group=group))
    records: list[Record] = []
    deadline = time.monotonic() + STABLE_SECONDS_MAX
    while len(records) < 400 and time.monotonic() < deadline:
        records += first.poll(0.5)
    expect(400 <= len(records) < 1_000, f"the first member read {len(records)}")
    first.commit()
    ends: dict[int, int] = {}
    for record in records:
        ends[record.partition] = record.offset + 1
    for partition, end in ends.items():
        told = first.committed(partition)
        expect(told == end, f"committed of {partition} is {told}, {end} was read")
    first.close()

    second = driver.consumer(topic, ConsumerOptions(group=group))
    rest = read(second, 1_000 - len(records))
    second.close()
    check_read(expected, records + rest)
    return Passed(f"{len(records)} read, then the other {len(rest)}", {"messages": 1_000})


def transactions(driver: Driver, prefix: str) -> Passed:
    source, results, group = f"{prefix}-input", f"{prefix}-output", f"{prefix}-workers"
    driver.admin().create(source, 3, {})
    driver.admin().create(results, 3, {})
    sent = Sent(driver.producer(ProducerOptions(idempotent=True)), source)
    for number in range(300):
        sent.send(str(number).encode(), partition=number % 3)
    sent.producer.flush()
    expected: dict[int, list[Content]] = {
        partition: [(None, _changed(value), ()) for _, value, _ in contents]
        for partition, contents in sent.acknowledged().items()
    }

    options = ConsumerOptions(group=group, read_committed=True)
    consumer = driver.consumer(source, options)
    producer = driver.producer(ProducerOptions(transactional_id=f"{prefix}-worker"))
    producer.init_transactions()
    waiting: list[Record] = []
    done = 0
    deadline = time.monotonic() + 60
    while done < 300 and time.monotonic() < deadline:
        if len(waiting) < 50:
            waiting += consumer.poll(0.5)
            continue
        work, waiting = waiting[:50], waiting[50:]
        if done == 100:
            _transform(producer, results, work)
            producer.flush()
            producer.abort()
        _transform(producer, results, work)
        ends: dict[int, int] = {}
        for record in work:
            ends[record.partition] = record.offset + 1
        producer.send_offsets(consumer, ends)
        producer.commit()
        done += len(work)
    expect(done == 300 and not waiting, f"{done} done, {len(waiting)} left")
    # A commit is answered before its markers are written, and until then a client that does not
    # ask for stable offsets (KIP-447) is told those before.
    wait_until(
        lambda: [consumer.committed(partition) for partition in range(3)] == [100, 100, 100],
        STABLE_SECONDS_MAX,
        "the offsets of the input are committed",
    )
    consumer.close()

    reader = driver.consumer(results, ConsumerOptions(read_committed=True))
    count = check_read(expected, read(reader, 300))
    reader.close()
    all_reader = driver.consumer(results, ConsumerOptions())
    seen = read(all_reader, 350)
    all_reader.close()
    expect(len(seen) == 350, f"read_uncommitted sees {len(seen)} records, not 350")
    return Passed(f"{count} results in 6 transactions, one aborted", {"messages": count})


def _changed(value: bytes | None) -> bytes:
    return b"done " + (value or b"")


def _transform(producer: Producer, topic: str, work: list[Record]) -> None:
    producer.begin()
    for record in work:
        producer.send(topic, _changed(record.value), partition=record.partition)


def rebalance(driver: Driver, prefix: str) -> Passed:
    topic, group = f"{prefix}-shared", f"{prefix}-members"
    driver.admin().create(topic, 6, {})
    sent = Sent(driver.producer(ProducerOptions()), topic)

    def make() -> Consumer:
        return driver.consumer(topic, ConsumerOptions(group=group, commits_on_revoke=True))

    def produce_until(condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + STABLE_SECONDS_MAX
        while not condition():
            for member in members:
                member.check()
            expect(time.monotonic() < deadline, f"not so after {STABLE_SECONDS_MAX:.0f} s: {what}")
            sent.send(str(len(sent)).encode(), partition=len(sent) % 6)
            sent.producer.serve(0.01)

    every = set(range(6))
    members = [first := Member(make)]
    produce_until(
        lambda: first.assignment == every and len(first.records) > 50, "the first has all"
    )
    members.append(second := Member(make))

    def shared() -> bool:
        parts = (first.assignment, second.assignment)
        return all(parts) and parts[0] | parts[1] == every and not parts[0] & parts[1]

    produce_until(lambda: shared() and len(second.records) > 20, "both have some and read")
    before = len(first.records)
    produce_until(lambda: len(first.records) > before + 20, "the first reads on beside the second")
    second.leave()
    members.remove(second)
    produce_until(lambda: first.assignment == every, "the first has all again")
    for _ in range(100):
        sent.send(str(len(sent)).encode(), partition=len(sent) % 6)
    sent.producer.flush()
    expected = sent.acknowledged()
    wait_until(
        lambda: len({(r.partition, r.offset) for r in first.records + second.records}) >= len(sent),
        STABLE_SECONDS_MAX,
        "all is read",
    )
    time.sleep(1)
    first.leave()
    duplicates = _check_shared(expected, [first.records, second.records])
    expect(duplicates == 0, f"{duplicates} messages were read twice")
    numbers = {"messages": len(sent), "duplicates": duplicates}
    return Passed(f"{len(sent)} messages, {len(second.records)} by the second member", numbers)


def _check_shared(expected: dict[int, list[Content]], by_member: list[list[Record]]) -> int:
    """All read by one or the other; how many were read more than once."""
    records = [record for one in by_member for record in one]
    by_place = {(record.partition, record.offset): record for record in records}
    check_read(expected, [by_place[place] for place in sorted(by_place)])
    return len(records) - len(by_place)


def group_protocol(driver: Driver, prefix: str, protocol: str) -> Passed:
    topic, group = f"{prefix}-split", f"{prefix}-pair"
    driver.admin().create(topic, 3, {})
    sent = Sent(driver.producer(ProducerOptions()), topic)
    options = ConsumerOptions(group=group, protocol=protocol, commits_on_revoke=True)
    members = [Member(lambda: driver.consumer(topic, options)) for _ in range(2)]

    def split() -> bool:
        for member in members:
            member.check()
        parts = [member.assignment for member in members]
        return (
            all(parts) and len(parts[0]) + len(parts[1]) == 3 and parts[0] | parts[1] == {0, 1, 2}
        )

    wait_until(split, STABLE_SECONDS_MAX, "both members have partitions")
    for number in range(600):
        sent.send(str(number).encode(), partition=number % 3)
    sent.producer.flush()
    expected = sent.acknowledged()
    wait_until(
        lambda: sum(len(member.records) for member in members) >= 600,
        STABLE_SECONDS_MAX,
        "all read",
    )
    time.sleep(1)
    for member in members:
        member.leave()
    records = [record for member in members for record in member.records]
    check_read(expected, sorted(records, key=lambda record: record.offset))
    follower = driver.consumer(topic, ConsumerOptions(group=group, protocol=protocol))
    rest = read(follower, 1, seconds=3)
    told = {partition: follower.committed(partition) for partition in range(3)}
    follower.close()
    expect(not rest, f"{len(rest)} were read although they were committed")
    expect(told == {0: 200, 1: 200, 2: 200}, f"committed: {told}")
    sizes = "/".join(str(len(member.records)) for member in members)
    return Passed(f"600 messages, by member {sizes}", {"messages": 600})
