import tomllib
from pathlib import Path

import pytest

from ottla.core.errors import ConfigError
from ottla.local.plan import (
    ClusterPlan,
    grown,
    moved,
    plan_on_ports,
    plan_ports,
    to_toml,
    voter_count,
)

ID = "AAAAAAAAAAAAAAAAAAAAAQ"


def test_three_brokers_are_three_voters_with_safe_defaults(tmp_path: Path) -> None:
    plan = ClusterPlan(ID, plan_ports(3, 9092))
    assert plan.bootstrap == "127.0.0.1:9092,127.0.0.1:9093,127.0.0.1:9094"
    values = plan.node_settings(plan.nodes[1], tmp_path)
    assert values["process.roles"] == ["broker", "controller"]
    assert values["controller.quorum.voters"] == [
        "1@127.0.0.1:29092",
        "2@127.0.0.1:29093",
        "3@127.0.0.1:29094",
    ]
    assert values["default.replication.factor"] == 3
    assert values["min.insync.replicas"] == 2
    assert values["group.initial.rebalance.delay.ms"] == 0


def test_health_and_metrics_have_a_port_that_no_other_node_has(tmp_path: Path) -> None:
    plan = ClusterPlan(ID, plan_ports(99, 9092))
    assert plan.node_settings(plan.nodes[1], tmp_path)["http.listener"] == "127.0.0.1:10093"
    assert len({port for node in plan.nodes for port in node.ports}) == 4 * 99


def test_a_cluster_of_before_has_no_http(tmp_path: Path) -> None:
    value = ClusterPlan(ID, plan_ports(1, 9092)).to_json()
    del value["nodes"][0]["http_port"]
    plan = ClusterPlan.from_json(value)
    assert "http.listener" not in plan.node_settings(plan.nodes[0], tmp_path)
    assert len(plan.nodes[0].ports) == 3


@pytest.mark.parametrize(("brokers", "voters"), [(1, 1), (2, 1), (3, 3), (5, 3)])
def test_quorum_sizes(brokers: int, voters: int) -> None:
    plan = ClusterPlan(ID, plan_ports(brokers, 9092))
    assert voter_count(brokers) == len(plan.voters) == voters
    roles = plan.node_settings(plan.nodes[-1], Path("/x"))["process.roles"]
    assert roles == (["broker"] if brokers > voters else ["broker", "controller"])


def test_a_setting_may_name_the_node(tmp_path: Path) -> None:
    settings: dict[str, str | int | bool] = {
        "log.dirs": "/disk-{node.id}/log",
        "num.partitions": 2,
    }
    plan = ClusterPlan(ID, plan_ports(3, 9092), settings)
    values = [plan.node_settings(node, tmp_path) for node in plan.nodes]
    assert [v["log.dirs"] for v in values] == ["/disk-1/log", "/disk-2/log", "/disk-3/log"]
    assert values[0]["num.partitions"] == 2


def test_json_and_toml_go_both_ways(tmp_path: Path) -> None:
    plan = ClusterPlan(ID, plan_on_ports(list(range(10_000, 10_008))), {"log.level": 'de"bug\x7f'})
    assert ClusterPlan.from_json(plan.to_json()) == plan
    values = plan.node_settings(plan.nodes[0], tmp_path)
    assert tomllib.loads(to_toml(values)) == values


def test_a_plan_grows_only_where_the_quorum_stays() -> None:
    three = ClusterPlan(ID, plan_ports(3, 9092))
    five = grown(three, 5, 9092)
    assert five.nodes[:3] == three.nodes
    assert five.voters == three.voters
    for brokers in (1, 2):
        with pytest.raises(ConfigError, match="holds a cluster of 3 brokers"):
            grown(three, brokers, 9092)
    with pytest.raises(ConfigError, match="cannot become one of 3"):
        grown(ClusterPlan(ID, plan_ports(1, 9092)), 3, 9092)


@pytest.mark.parametrize("port", [0, 45_536, 70_000])
def test_ports_that_leave_no_room_are_refused(port: int) -> None:
    with pytest.raises(ConfigError, match="first port must be between 1 and"):
        plan_ports(1, port)


def test_an_unknown_node_is_named() -> None:
    with pytest.raises(ConfigError, match="there is no node 9; the cluster has 1, 2"):
        ClusterPlan(ID, plan_ports(2, 9092)).node(9)


@pytest.mark.parametrize("value", [{"version": 2}, {"version": 1, "nodes": [{}]}, {}])
def test_a_description_that_is_not_ours_is_refused(value: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="description"):
        ClusterPlan.from_json(value)


def test_a_plan_moves_to_other_ports() -> None:
    plan = moved(ClusterPlan(ID, plan_ports(3, 9092)), 19092)
    assert [node.client_port for node in plan.nodes] == [19092, 19093, 19094]
    assert plan.cluster_id == ID
