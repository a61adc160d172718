"""Groups and transactions as an operator meets them: real brokers, the `ottla` command."""

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
    with Cluster(brokers=1, settings=settings) as started, Admin(started.bootstrap) as admin:
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
        client.metadata([])
        connection = client.connection(1)
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
