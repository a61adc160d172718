"""The dashboards are the ones that their script makes; each expression is PromQL of our metrics."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from deploy.grafana.dashboards import DASHBOARDS, FOLDER
from deploy.grafana.grafana_json import to_json
from deploy.grafana.panels import Dashboard

ALERTS = FOLDER.parents[1] / "prometheus" / "alerts.yml"
METRICS = Path(__file__).parents[3] / "broker" / "metrics"


def filled(expression: str) -> str:
    return re.sub(r"\$__rate_interval", "1m", expression).replace("$", "")


def alerts() -> list[dict[str, Any]]:
    return list(yaml.safe_load(ALERTS.read_text("utf-8"))["groups"][0]["rules"])


def known_names() -> set[str]:
    """What broker/metrics names, with the suffixes that samples have."""
    text = "".join(file.read_text("utf-8") for file in METRICS.glob("*.py"))
    names = set(re.findall(r'"((?:ottla|process|python)_[a-z0-9_]+)"', text))
    return {name + suffix for name in names for suffix in ("", "_total", "_bucket")} | {"up"}


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda d: d.name)
def test_the_file_is_what_the_script_makes(dashboard: Dashboard) -> None:
    file = FOLDER / f"{dashboard.name}.json"
    assert file.read_text("utf-8") == to_json(dashboard), "run `make generate`"


def test_there_is_no_other_file() -> None:
    assert {file.stem for file in FOLDER.glob("*.json")} == {d.name for d in DASHBOARDS}


@pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda d: d.name)
def test_expressions_are_promql_of_metrics_that_there_are(dashboard: Dashboard) -> None:
    known = known_names()
    panels = json.loads(to_json(dashboard))["panels"]
    for panel in panels:
        for target in panel["targets"]:
            expression = filled(target["expr"])
            promql_parser.parse(expression)  # ValueError: what is wrong
            used = set(re.findall(r"\b(?:ottla|process|python)_[a-z0-9_]+", expression))
            assert used or "up{" in expression
            assert used <= known, panel["title"]


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_alerts_are_promql_of_metrics_that_there_are_and_say_what_helps(
    rule: dict[str, Any],
) -> None:
    promql_parser.parse(rule["expr"])
    assert set(re.findall(r"\bottla_[a-z0-9_]+", rule["expr"])) <= known_names()
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert set(rule["annotations"]) == {"summary", "remedy"}


def test_panels_do_not_overlap() -> None:
    for dashboard in DASHBOARDS:
        taken: set[tuple[int, int]] = set()
        for panel in json.loads(to_json(dashboard))["panels"]:
            place = panel["gridPos"]
            assert place["x"] + place["w"] <= 24
            cells = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert not cells & taken, (dashboard.name, panel["title"])
            taken |= cells
