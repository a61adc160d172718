"""deploy/kubernetes as the server sees it: settings, ports and probes are those that exist."""

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

KUBERNETES = Path(__file__).parents[3] / "deploy" / "kubernetes"
BASE = KUBERNETES / "base"
KINDS = ("broker", "controller")


def documents(file: Path) -> list[Any]:
    return list(yaml.safe_load_all(file.read_text("utf-8")))


def resources() -> list[Any]:
    (kustomization,) = documents(BASE / "kustomization.yaml")
    return [one for name in kustomization["resources"] for one in documents(BASE / name)]


def resource(kind: str, name: str) -> Any:
    (found,) = [
        one for one in resources() if (one["kind"], one["metadata"]["name"]) == (kind, name)
    ]
    return found


def pod_spec(kind: str) -> Any:
    return resource("StatefulSet", f"ottla-{kind}")["spec"]["template"]["spec"]


def container(kind: str) -> Any:
    (one,) = pod_spec(kind)["containers"]
    return one


def settings_of(kind: str, number: int) -> NodeSettings:
    """What the pod with this number reads, its variables filled in as Kubernetes does."""
    (kustomization,) = documents(BASE / "kustomization.yaml")
    (generated,) = kustomization["configMapGenerator"]
    assert container(kind)["envFrom"] == [{"configMapRef": {"name": generated["name"]}}]
    variables = dict(literal.split("=", 1) for literal in generated["literals"])
    fields = {
        "metadata.labels['apps.kubernetes.io/pod-index']": str(number),
        "metadata.name": f"ottla-{kind}-{number}",
        "metadata.namespace": "streams",
        "spec.nodeName": "machine-7",
    }
    for entry in container(kind)["env"]:
        value = entry.get("value")
        if value is None:
            value = fields[entry["valueFrom"]["fieldRef"]["fieldPath"]]
        for name in re.findall(r"\$\((\w+)\)", value):
            value = value.replace(f"$({name})", variables[name])
        variables[entry["name"]] = value
    loaded = load_node_settings("", variables)
    assert loaded.unknown_variables == ()
    validate(loaded.settings)
    return loaded.settings


def numbers(kind: str) -> range:
    spec = resource("StatefulSet", f"ottla-{kind}")["spec"]
    return range(spec["ordinals"]["start"], spec["ordinals"]["start"] + spec["replicas"])


@pytest.mark.parametrize("kind", KINDS)
def test_each_pod_would_start_with_the_settings_it_gets(kind: str) -> None:
    for number in numbers(kind):
        settings = settings_of(kind, number)
        assert settings.node_id == number
        assert settings.process_roles == (kind,)
        internal = settings.advertised_internal_address()
        assert str(internal) == f"ottla-{kind}-{number}.ottla-{kind}:19092"


def test_the_voters_are_the_controllers_by_the_names_that_they_have() -> None:
    controllers = [settings_of("controller", number) for number in numbers("controller")]
    broker = settings_of("broker", numbers("broker")[0])
    assert broker.voters().keys() == {one.node_id for one in controllers}
    assert not broker.voters().keys() & set(numbers("broker"))
    for one in controllers:
        internal = one.advertised_internal_address()
        assert internal in broker.controllers()
        assert broker.voters()[one.node_id].host == internal.host
        assert broker.voters()[one.node_id].port == one.raft_address().port


@pytest.mark.parametrize("kind", KINDS)
def test_ports_are_those_of_the_listeners(kind: str) -> None:
    settings = settings_of(kind, numbers(kind)[0])
    http = settings.http_address()
    assert http is not None
    listening = {"internal": settings.internal_address().port, "http": http.port}
    if kind == "broker":
        (client,) = settings.client_listeners()
        (told,) = settings.advertised()
        listening["kafka"] = client.address.port
        assert told.address.port == client.address.port
        assert told.address.host == f"ottla-broker-{numbers(kind)[0]}.ottla-broker.streams.svc"
    else:
        listening["raft"] = settings.raft_address().port
    ports = {port["name"]: port["containerPort"] for port in container(kind)["ports"]}
    assert ports == listening
    headless = resource("Service", f"ottla-{kind}")["spec"]
    assert headless["clusterIP"] == "None"
    assert headless["publishNotReadyAddresses"]
    assert {port["targetPort"]: port["port"] for port in headless["ports"]} == listening


@pytest.mark.parametrize("kind", KINDS)
def test_probes_ask_what_the_node_answers(kind: str) -> None:
    routes = health_routes(Readiness())
    probes = {
        name: container(kind)[f"{name}Probe"] for name in ("startup", "liveness", "readiness")
    }
    for probe in probes.values():
        assert probe["httpGet"]["path"] in routes
        assert probe["httpGet"]["port"] == "http"
    assert probes["readiness"]["httpGet"]["path"] == "/health/ready"
    assert probes["liveness"]["httpGet"]["path"] == "/health/live"


@pytest.mark.parametrize("kind", KINDS)
def test_a_pod_has_few_rights_and_bounds(kind: str) -> None:
    pod = pod_spec(kind)
    assert pod["securityContext"]["runAsNonRoot"]
    dockerfile = (KUBERNETES.parent / "Dockerfile").read_text("utf-8")
    user = pod["securityContext"]["runAsUser"]
    assert f"USER {user}:{pod['securityContext']['runAsGroup']}" in dockerfile
    assert pod["securityContext"]["fsGroup"] == user
    own = container(kind)
    assert own["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert own["resources"]["requests"].keys() == {"cpu", "memory"}
    assert own["resources"]["limits"].keys() == {"cpu", "memory"}
    settings = settings_of(kind, numbers(kind)[0])
    assert pod["terminationGracePeriodSeconds"] * 1000 > 2 * settings.controlled_shutdown_timeout_ms


@pytest.mark.parametrize("kind", KINDS)
def test_one_pod_of_a_kind_may_go_at_a_time(kind: str) -> None:
    budget = resource("PodDisruptionBudget", f"ottla-{kind}")["spec"]
    stateful = resource("StatefulSet", f"ottla-{kind}")["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["selector"] == stateful["selector"]
    labels = stateful["template"]["metadata"]["labels"]
    assert stateful["selector"]["matchLabels"].items() <= labels.items()


def test_ports_between_nodes_are_open_to_nodes_alone() -> None:
    inside, outside = resource("NetworkPolicy", "ottla")["spec"]["ingress"]
    assert {port["port"] for port in inside["ports"]} == {"internal", "raft"}
    assert {port["port"] for port in outside["ports"]} == {"kafka", "http"}
    assert inside["from"][0]["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "ottla"}


def test_only_the_first_start_initializes() -> None:
    for kind in KINDS:
        assert "args" not in container(kind)
    (first,) = documents(KUBERNETES / "first-start" / "kustomization.yaml")
    assert first["components"] == ["../initialize"]
    (initialize,) = documents(KUBERNETES / "initialize" / "kustomization.yaml")
    (patch,) = initialize["patches"]
    assert patch["target"]["name"] == "ottla-controller"
    assert "[--initialize]" in patch["patch"]
    (small,) = documents(KUBERNETES / "small" / "kustomization.yaml")
    assert "components" not in small
