"""docker-compose.yml as a user has it: built, started, used from both sides, broken and healed.

The tests share one stack and run in this order; each begins with all nodes ready.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import Any

import confluent_kafka
import pytest

from tests.compose.stack import BROKERS, CONTROLLERS, ROOT, START, Stack, wait_until
from tests.support.ledger import SteadyProducer, account, read_all
from tests.support.topics import create_topic

pytestmark = pytest.mark.compose

IMAGE_BYTES_MAX = 150_000_000
"""What is added to the image of Python."""
PER_SECOND = 500
SETTLE_SECONDS = 60.0


def loaded(stack: Stack, topic: str) -> SteadyProducer:
    """A topic of three replicated partitions and a producer from outside; acks=all, idempotent."""
    create_topic(stack.outside, topic)
    return SteadyProducer(stack.outside, topic, per_second=PER_SECOND)


def check_nothing_is_lost(stack: Stack, topic: str, producer: SteadyProducer) -> None:
    ledger = producer.finish()
    assert not ledger.failed, ledger.failed[:5]
    assert len(ledger.acknowledged) == producer.sent
    account(ledger, asyncio.run(read_all(stack.outside, topic)), once=False)
    print(f"{topic}: {producer.sent} sent, longest gap {ledger.longest_gap():.2f} s")  # noqa: T201


def test_the_image_is_small_and_not_root(stack: Stack) -> None:
    image = json.loads(stack.docker("image", "inspect", stack.image))[0]
    base = json.loads(stack.docker("image", "inspect", "python:3.11-slim"))[0]
    assert image["Size"] - base["Size"] < IMAGE_BYTES_MAX
    assert image["Config"]["User"] == "10001:10001"
    assert stack.docker("exec", stack.container("broker-1"), "id", "-u").strip() == "10001"


def test_the_commands_are_those_of_the_readme() -> None:
    for file in (ROOT / "README.md", ROOT / "deploy" / "README.md"):
        assert " ".join(("docker", *START)) in file.read_text("utf-8")


def test_every_service_is_healthy_and_bounded(stack: Stack) -> None:
    for service in (*BROKERS, *CONTROLLERS, "prometheus"):
        state = stack.state(service)
        assert state["State"]["Health"]["Status"] == "healthy", service
        assert state["HostConfig"]["Memory"] > 0, service
        assert state["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped", service
        for published in state["HostConfig"]["PortBindings"].values():
            assert {port["HostIp"] for port in published} == {"127.0.0.1"}, service


def test_prometheus_scrapes_every_node_and_evaluates_every_rule(healthy: Stack) -> None:
    def all_are_up() -> bool:
        targets = healthy.prometheus("targets")["activeTargets"]
        return [target["health"] for target in targets] == ["up"] * 6

    wait_until("all six targets are up", all_are_up, SETTLE_SECONDS)
    wait_until(
        "all six nodes call themselves ready",
        lambda: healthy.asked_of_prometheus("sum(ottla_node_ready)") == 6,
        SETTLE_SECONDS,
    )
    assert healthy.asked_of_prometheus("sum(ottla_controller_active)") == 1
    assert healthy.asked_of_prometheus('max(ottla_controller_brokers{state="active"})') == 3

    def rules() -> list[dict[str, Any]]:
        return [rule for group in healthy.prometheus("rules")["groups"] for rule in group["rules"]]

    def are_evaluated() -> bool:
        found = rules()
        return bool(found) and all(rule["health"] == "ok" for rule in found)

    wait_until("every rule is evaluated", are_evaluated, SETTLE_SECONDS)
    written = re.findall(r"alert: (\w+)", (ROOT / "deploy/prometheus/alerts.yml").read_text())
    assert [rule["name"] for rule in rules()] == written
    seen = json.loads(healthy.neighbour("status", "--json", "--bootstrap", healthy.inside))
    assert [broker["http"] for broker in seen["brokers"]] == [f"{b}:9404" for b in BROKERS]


def test_outside_and_inside_read_what_the_other_wrote(healthy: Stack) -> None:
    create_topic(healthy.outside, "both-sides")
    producer = confluent_kafka.Producer({"bootstrap.servers": healthy.outside, "acks": "all"})
    for number in range(100):
        producer.produce("both-sides", f"outside {number}")
    assert producer.flush(30) == 0
    lines = "".join(f"inside {number}\n" for number in range(100))
    healthy.neighbour("produce", "both-sides", "--bootstrap", healthy.inside, stdin=lines)
    expected = {f"{side} {number}" for side in ("outside", "inside") for number in range(100)}

    arguments = ["--from-beginning", "--max-messages", "200", "--bootstrap", healthy.inside]
    inside = healthy.neighbour("consume", "both-sides", *arguments)
    assert set(inside.splitlines()) == expected

    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": healthy.outside,
            "group.id": "outside",
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe(["both-sides"])
    outside: set[str] = set()

    def all_are_read() -> bool:
        for message in consumer.consume(200, 1.0):
            value = message.value()
            assert value is not None
            outside.add(value.decode())
        return outside == expected

    wait_until(lambda: f"all is read, not {len(outside)}", all_are_read, SETTLE_SECONDS)
    consumer.close()


def test_doctor_tells_the_sides_of_a_containers_network_apart(healthy: Stack) -> None:
    assert healthy.doctor_outside(healthy.outside) == []
    networks = healthy.state("broker-1")["NetworkSettings"]["Networks"]
    inside_address = networks[healthy.network]["IPAddress"]
    for broker, found in enumerate(healthy.doctor_outside(f"{inside_address}:9092"), start=1):
        assert found.startswith(
            f"broker {broker} advertises broker-{broker}:9092, a name that does not resolve here"
        )
    (first, *_) = healthy.doctor_inside("broker-1:9094")
    assert first.startswith(f"broker 1 advertises 127.0.0.1:{healthy.ports[0]}, which is right on")
    assert healthy.doctor_inside("broker-1:9092") == []


def test_a_broker_that_is_killed_under_load_costs_nothing(healthy: Stack) -> None:
    with loaded(healthy, "killed") as producer:
        producer.wait_every_key_after(time.monotonic(), SETTLE_SECONDS)
        healthy.kill("broker-2")
        producer.wait_every_key_after(time.monotonic(), SETTLE_SECONDS)
        assert not healthy.state("broker-2")["State"]["Running"]
        healthy.start("broker-2")
        healthy.wait_ready(*BROKERS)
        producer.wait_every_key_after(time.monotonic(), SETTLE_SECONDS)
        check_nothing_is_lost(healthy, "killed", producer)


def test_a_broker_that_is_cut_off_comes_back(healthy: Stack) -> None:
    with loaded(healthy, "cut-off") as producer:
        producer.wait_every_key_after(time.monotonic(), SETTLE_SECONDS)
        healthy.disconnect("broker-3")
        producer.wait_every_key_after(time.monotonic(), SETTLE_SECONDS)
        wait_until(
            "broker-3 calls itself unready while it is cut off",
            lambda: healthy.unready("broker-3") is not None,
            SETTLE_SECONDS,
        )
        healthy.connect("broker-3")
        healthy.wait_ready(*BROKERS)
        producer.wait_every_key_after(time.monotonic(), SETTLE_SECONDS)
        check_nothing_is_lost(healthy, "cut-off", producer)


def test_a_controller_that_is_cut_off_comes_back(healthy: Stack) -> None:
    healthy.disconnect("controller-1")
    create_topic(healthy.outside, "without-controller-1")
    healthy.connect("controller-1")
    healthy.wait_ready(*CONTROLLERS, *BROKERS)
    create_topic(healthy.outside, "with-controller-1")


def test_a_rolling_restart_gated_on_readiness_fails_no_send(healthy: Stack) -> None:
    with loaded(healthy, "rolling") as producer:
        producer.wait_every_key_after(time.monotonic(), SETTLE_SECONDS)
        for service in (*CONTROLLERS, *BROKERS):
            assert healthy.stop(service) == 0, healthy.logs(service)
            assert service in CONTROLLERS or "draining" in healthy.logs(service)
            healthy.start(service)
            healthy.wait_ready(service)
            healthy.wait_ready(*CONTROLLERS, *BROKERS)
        producer.wait_every_key_after(time.monotonic(), SETTLE_SECONDS)
        check_nothing_is_lost(healthy, "rolling", producer)


def test_a_controller_whose_volume_is_lost_joins_as_deploy_readme_says(healthy: Stack) -> None:
    healthy.compose("rm", "-f", "-s", "controller-2", "format-controllers")
    healthy.docker("volume", "rm", f"{healthy.project}_controller-2")
    refused = healthy.try_docker("compose", "run", "--rm", "format-controllers")
    assert refused.returncode == 1
    assert "the volume of controller 2 is empty, but controller 1 3 has data" in refused.stderr
    create_topic(healthy.outside, "without-controller-2")

    bootstrap = ("--bootstrap", healthy.inside)
    quorum = ("compose", "exec", "-T", "broker-1", "ottla", "quorum")
    healthy.docker(*quorum, "remove-voter", "102", *bootstrap)
    joining = ("--no-deps", "--use-aliases", "--name", f"{healthy.project}-joining")
    healthy.docker("compose", "run", "-d", *joining, "controller-2", "--join")
    told: list[str] = []
    wait_until(
        "the controller tells how to add it",
        lambda: bool(told) or _ask_how_to_add(healthy, told),
        SETTLE_SECONDS,
    )
    healthy.docker(*quorum, *told, *bootstrap)
    healthy.docker("rm", "-f", f"{healthy.project}-joining")
    healthy.compose("up", "-d", "--wait")
    described = json.loads(healthy.docker(*quorum, "describe", *bootstrap, "--json"))
    assert {voter["node"] for voter in described["voters"]} == {101, 102, 103}


def _ask_how_to_add(stack: Stack, told: list[str]) -> bool:
    """The words after `ottla quorum` of the command that a joining controller prints."""
    shown = stack.docker("logs", f"{stack.project}-joining")
    for line in shown.splitlines():
        _, found, command = line.partition("ottla quorum ")
        if found:
            told[:] = command.split()
    return bool(told)
