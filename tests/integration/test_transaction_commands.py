"""Groups and transactions as an operator and a program of ours meet them: three real brokers, the
`ottla` command, the Python client."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import confluent_kafka as ck
import pytest

from ottla.client import Consumer, ProducerFencedError, TransactionalProducer
from ottla.client.admin import Admin
from ottla.client.cluster import Cluster as ClientCluster
from ottla.client.coordinator import TRANSACTION, GroupCoordinatorLink
from ottla.client.options import ClientOptions, ignore
from ottla.protocol.api import ApiKey
from ottla.protocol.messages.init_producer_id_request import InitProducerIdRequest
from ottla.protocol.messages.init_producer_id_response import InitProducerIdResponse
from ottla.protocol.messages.produce_request import (
    PartitionProduceData,
    ProduceRequest,
    TopicProduceData,
)
from ottla.protocol.messages.produce_response import ProduceResponse
from ottla.record.build import build_batch
from ottla.testing import Cluster

OTTLA = str(Path(sys.executable).with_name("ottla"))
WAIT_S = 30.0


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    # Without it brokers do not let a transaction hang: one is to be made.
    settings = {"transaction.partition.verification.enable": False}
    with Cluster(brokers=3, settings=settings) as started, Admin(started.bootstrap) as admin:
        admin.create_topic("orders", partitions=2)
        yield started


def ottla(cluster: Cluster, *arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        [OTTLA, *arguments],
        env={**os.environ, "OTTLA_BOOTSTRAP": cluster.bootstrap},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stdout if code == 0 else done.stderr


def ottla_json(cluster: Cluster, *arguments: str) -> Any:
    return json.loads(ottla(cluster, *arguments, "--json"))


def write_without_transaction(bootstrap: str, transactional_id: str) -> None:
    """A transactional batch of which the coordinator hears nothing."""
    options = ClientOptions.make(WAIT_S, None, ignore)
    with ClientCluster(bootstrap, options) as client:
        link = GroupCoordinatorLink(client, transactional_id, TRANSACTION)

        def start() -> InitProducerIdResponse:
            request = InitProducerIdRequest(transactional_id, 10_000)
            answer = link.ask(ApiKey.INIT_PRODUCER_ID, request, InitProducerIdResponse)
            link.check(answer.error_code)
            return answer

        identity = client.retry("starting a producer", start)
        batch = build_batch(
            [(None, b"hangs", (), 1_700_000_000_000)],
            producer_id=identity.producer_id,
            producer_epoch=identity.producer_epoch,
            base_sequence=0,
            transactional=True,
        )
        data = [PartitionProduceData(1, memoryview(batch))]
        topics = [TopicProduceData(name="orders", partition_data=data)]
        client.refresh(["orders"])
        leader = client.leader("orders", 1)
        assert leader is not None
        assert leader.leader_id is not None
        connection = client.connection(leader.leader_id)
        pending = connection.send(
            ApiKey.PRODUCE, ProduceRequest(transactional_id, -1, 5_000, topics), version=11
        )
        answer = connection.receive(pending, ProduceResponse)
        assert answer.responses[0].partition_responses[0].error_code == 0
        link.forget()


def test_a_hanging_transaction_is_found_and_aborted(cluster: Cluster) -> None:
    write_without_transaction(cluster.bootstrap, "ghost")
    find = ("txn", "find-hanging", "--topic", "orders", "--older-than", "0")
    (found,) = ottla_json(cluster, *find)
    assert (found["partition"], found["transaction_start_offset"]) == (1, 0)
    abort = ("txn", "abort", "--topic", "orders", "--partition", "1", "--start-offset", "0")
    assert "--execute" in ottla(cluster, *abort)
    assert len(ottla_json(cluster, *find)) == 1, "a dry run aborted it"
    assert "Aborted." in ottla(cluster, *abort, "--execute")
    assert ottla_json(cluster, *find) == []
    assert "No transaction hangs." in ottla(cluster, *find)
    assert "no open transaction" in ottla(cluster, *abort, "--execute", code=1)


def test_a_transaction_that_its_coordinator_knows_is_listed_and_not_aborted(
    cluster: Cluster,
) -> None:
    producer = ck.Producer({"bootstrap.servers": cluster.bootstrap, "transactional.id": "live"})
    producer.init_transactions(WAIT_S)
    producer.begin_transaction()
    producer.produce("orders", b"one", partition=0)
    producer.flush(WAIT_S)
    listed = {one["transactional_id"]: one for one in ottla_json(cluster, "txn", "list")}
    assert listed["live"]["state"] == "Ongoing"
    described = ottla_json(cluster, "txn", "describe", "live")
    assert described["partitions"] == [{"topic": "orders", "partition": 0}]
    assert "Ongoing" in ottla(cluster, "txn", "describe", "live")
    assert ottla_json(cluster, "txn", "find-hanging", "--older-than", "0") == []
    (open_one,) = ottla_json(cluster, "txn", "producers", "--topic", "orders", "--partition", "0")
    start = str(open_one["transaction_start_offset"])
    abort = ("txn", "abort", "--topic", "orders", "--partition", "0", "--start-offset", start)
    assert "will end it" in ottla(cluster, *abort, "--execute", code=1)
    producer.commit_transaction(WAIT_S)


def test_offsets_are_planned_then_set(cluster: Cluster) -> None:
    producer = ck.Producer({"bootstrap.servers": cluster.bootstrap})
    with Admin(cluster.bootstrap) as admin:
        admin.create_topic("events", partitions=1)
    for number in range(10):
        producer.produce("events", b"x", partition=0, timestamp=1_000 * (number + 1))
    assert producer.flush(WAIT_S) == 0
    consumer = ck.Consumer(
        {
            "bootstrap.servers": cluster.bootstrap,
            "group.id": "readers",
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe(["events"])
    messages: list[ck.Message] = []
    while len(messages) < 4:
        messages += [m for m in consumer.consume(4 - len(messages), 1) if m.error() is None]
    consumer.commit(message=messages[-1], asynchronous=False)
    reset = ("group", "reset-offsets", "readers", "--topic", "events")
    assert "stop its consumers" in ottla(cluster, *reset, "--to-earliest", "--execute", code=2)
    (mine,) = ottla_json(cluster, "group", "describe", "readers")["offsets"]
    assert (mine["committed"], mine["log_end"], mine["lag"]) == (4, 10, 6)
    assert mine["member"]
    consumer.close()

    def planned(*how: str) -> int:
        (one,) = ottla_json(cluster, *reset, *how)["offsets"]
        assert one["current"] == 4
        new: int = one["new"]
        return new

    assert planned("--to-earliest") == 0
    assert planned("--to-latest") == 10
    assert planned("--shift-by", "-1") == 3
    assert planned("--shift-by", "100") == 10, "beyond the log's end"
    assert planned("--to-offset", "7") == 7
    assert planned("--to-datetime", "1970-01-01T00:00:05+00:00") == 4
    assert "--execute" in ottla(cluster, *reset, "--to-earliest")
    assert "Done." in ottla(cluster, *reset, "--shift-by", "2", "--execute")
    assert ottla_json(cluster, "group", "describe", "readers")["offsets"][0]["committed"] == 6


def test_a_group_is_deleted_with_its_offsets(cluster: Cluster) -> None:
    with Admin(cluster.bootstrap) as admin:
        admin.set_offsets("leaving", {("orders", 0): 0})
    assert "leaving" in ottla(cluster, "group", "list", "--state", "empty")
    assert "--execute" in ottla(cluster, "group", "delete", "leaving")
    (gone,) = ottla_json(cluster, "group", "delete", "leaving", "--execute")
    assert (gone["offsets"], gone["deleted"]) == (1, True)
    assert "leaving" not in ottla(cluster, "group", "list")
    assert "leaving" in ottla(cluster, "group", "delete", "leaving", "--execute", code=1)


def shout(cluster: Cluster, count: int) -> int:
    """Read `count` numbers, write each once more in transactions that carry the offsets; how many
    transactions were aborted. The broker that coordinates them is killed in the middle of one."""
    aborted = done = turn = 0
    killed: int | None = None
    with (
        Consumer(
            cluster.bootstrap,
            group="shouters",
            offset_reset="earliest",
            auto_commit=False,
            isolation="read_committed",
            timeout_seconds=60,
        ) as consumer,
        TransactionalProducer(
            cluster.bootstrap, transactional_id="shouter", timeout_seconds=60
        ) as producer,
        Admin(cluster.bootstrap, timeout_seconds=60) as admin,
    ):
        producer.init_transactions()
        consumer.subscribe(["numbers"])
        while done < count:
            records = consumer.poll(5, max_records=10)
            if not records:
                continue
            turn += 1
            producer.begin()
            for record in records:
                producer.send("shouts", b"<%s>" % (record.value or b""), record.value)
            producer.flush()
            producer.send_offsets_to_transaction(consumer.positions(), consumer.group_metadata())
            if turn == 3:
                killed = admin.describe_transaction("shouter").coordinator_id
                cluster.kill(killed)
            if turn % 3 == 2:
                producer.abort()
                aborted += 1
                committed = consumer.committed()
                for topic, partition in consumer.assignment():
                    start = committed.get((topic, partition), 0)
                    consumer.seek(topic, partition, start)
            else:
                producer.commit()
                done += len(records)
    assert killed is not None
    cluster.start(killed)
    return aborted


def test_consume_transform_produce_exactly_once(cluster: Cluster) -> None:
    count = 60
    with Admin(cluster.bootstrap) as admin:
        admin.create_topic("numbers", partitions=3)
        admin.create_topic("shouts", partitions=3)
    with TransactionalProducer(cluster.bootstrap, transactional_id="source") as source:
        source.init_transactions()
        for is_commit in (False, True):
            source.begin()
            for number in range(count):
                source.send("numbers", b"%d" % (number if is_commit else -1), b"%d" % number)
            source.flush()
            if is_commit:
                source.commit()
            else:
                source.abort()
    aborted = shout(cluster, count)
    assert aborted >= 1
    expected = sorted(b"<%d>" % number for number in range(count))
    with Consumer(cluster.bootstrap, isolation="read_committed") as reader:
        reader.assign_topic("shouts", "earliest")
        assert sorted(r.value or b"" for r in reader.records(idle_seconds=2)) == expected
    with Consumer(cluster.bootstrap) as reader:
        reader.assign_topic("shouts", "earliest")
        assert len(list(reader.records(idle_seconds=1))) > count
    others = ck.Consumer(
        {
            "bootstrap.servers": cluster.bootstrap,
            "group.id": "others",
            "auto.offset.reset": "earliest",
            "isolation.level": "read_committed",
        }
    )
    others.assign([ck.TopicPartition("shouts", index, 0) for index in range(3)])
    read: list[bytes] = []
    while len(read) < count:
        batch = others.consume(count, WAIT_S)
        assert batch, "another client reads less"
        read += [message.value() or b"" for message in batch if message.error() is None]
    others.close()
    assert sorted(read) == expected


def test_a_second_producer_fences_the_first(cluster: Cluster) -> None:
    with Admin(cluster.bootstrap) as admin:
        admin.create_topic("fenced", partitions=1)
    with TransactionalProducer(cluster.bootstrap, transactional_id="one") as old:
        old.init_transactions()
        old.begin()
        old.send("fenced", b"old")
        old.flush()
        with TransactionalProducer(cluster.bootstrap, transactional_id="one") as new:
            new.init_transactions()
            new.begin()
            new.send("fenced", b"new")
            with pytest.raises(ProducerFencedError):
                old.commit()
            new.commit()
    read = ("consume", "fenced", "--from-beginning", "--timeout", "1", "--isolation")
    assert ottla(cluster, *read, "read_committed").split() == ["new"]
    assert ottla(cluster, *read, "read_uncommitted").split() == ["old", "new"]


def test_offsets_are_forgotten(cluster: Cluster) -> None:
    with Admin(cluster.bootstrap) as admin:
        admin.set_offsets("forgetful", {("orders", 0): 0, ("orders", 1): 0})
    delete = ("group", "delete-offsets", "forgetful", "orders:1")
    assert "--execute" in ottla(cluster, *delete)
    assert "Deleted." in ottla(cluster, *delete, "--execute")
    (left,) = ottla_json(cluster, "group", "describe", "forgetful")["offsets"]
    assert left["partition"] == 0
