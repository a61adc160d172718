"""docker-compose.yml as the server sees it: every variable is a setting, every node would start."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from broker.http.health import health_routes
from broker.http.readiness import Readiness
from broker.settings import NodeSettings, load_node_settings
from broker.settings_check import validate

ROOT = Path(__file__).parents[3]
BROKERS = ("broker-1", "broker-2", "broker-3")
CONTROLLERS = ("controller-1", "controller-2", "controller-3")


def services() -> dict[str, Any]:
    """The services, with each ${NAME:-default} at its default."""
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    services: dict[str, Any] = yaml.safe_load(re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text))[
        "services"
    ]
    return services


def settings_of(service: Any) -> NodeSettings:
    variables = {name: str(value) for name, value in service["environment"].items()}
    loaded = load_node_settings("", variables)
    assert loaded.unknown_variables == ()
    validate(loaded.settings)
    return loaded.settings


@pytest.mark.parametrize("name", [*BROKERS, *CONTROLLERS])
def test_a_node_would_start_with_what_the_file_gives_it(name: str) -> None:
    service = services()[name]
    settings = settings_of(service)
    kind, _, number = name.partition("-")
    assert settings.process_roles == (kind,)
    assert settings.node_id == int(number) + (100 if kind == "controller" else 0)
    assert settings.advertised_internal_listener == f"{name}:19092"
    assert service["volumes"] == [f"{name}:/var/lib/ottla"]


def test_the_nodes_know_each_other_and_are_three_of_a_kind() -> None:
    nodes = {name: settings_of(services()[name]) for name in (*BROKERS, *CONTROLLERS)}
    for settings in nodes.values():
        assert settings.voters().keys() == {101, 102, 103}
        for name in CONTROLLERS:
            own = nodes[name]
            assert settings.voters()[own.node_id].host == name
            assert settings.voters()[own.node_id].port == own.raft_address().port
            assert own.advertised_internal_address() in settings.controllers()
        assert settings.default_replication_factor == 3
        assert settings.topic_defaults["min.insync.replicas"] == "2"
        assert settings.offsets_topic_replication_factor == 3
        assert settings.transaction_state_log_replication_factor == 3


@pytest.mark.parametrize("name", BROKERS)
def test_a_published_port_leads_to_the_listener_that_advertises_it(name: str) -> None:
    service = services()[name]
    settings = settings_of(service)
    (published,) = service["ports"]
    host, outside, inside = published.split(":")
    bound = {listener.name: listener.address for listener in settings.client_listeners()}
    told = {listener.name: listener.address for listener in settings.advertised()}
    assert str(told["OUTSIDE"]) == f"{host}:{outside}"
    assert bound["OUTSIDE"].port == int(inside)
    assert bound["OUTSIDE"].host == bound["INSIDE"].host == "0.0.0.0"
    assert str(told["INSIDE"]) == f"{name}:{bound['INSIDE'].port}"


@pytest.mark.parametrize("name", [*BROKERS, *CONTROLLERS])
def test_health_is_asked_where_the_node_answers(name: str) -> None:
    service = services()[name]
    address = settings_of(service).http_address()
    assert address is not None
    probe = " ".join(service["healthcheck"]["test"])
    port, path = re.findall(r"http://127\.0\.0\.1:(\d+)(/[a-z/]+)", probe)[0]
    assert int(port) == address.port
    assert path in health_routes(Readiness())


def test_every_service_that_stays_has_a_check_limits_and_a_restart_policy() -> None:
    for name, service in services().items():
        limits = service["deploy"]["resources"]["limits"]
        assert {"cpus", "memory"} <= limits.keys(), name
        assert service["logging"]["options"]["max-size"], name
        if name != "format-controllers":
            assert service["restart"] == "unless-stopped", name
            assert service["healthcheck"]["test"], name
        for published in service.get("ports", []):
            assert published.startswith("127.0.0.1:"), name


def test_prometheus_scrapes_every_node() -> None:
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text("utf-8"))
    targets = {
        target
        for job in config["scrape_configs"]
        for group in job.get("static_configs", [])
        for target in group["targets"]
    }
    assert {f"{name}:9404" for name in (*BROKERS, *CONTROLLERS)} <= targets
