"""A dashboard as Grafana's JSON, its panels placed in rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from deploy.grafana.panels import Dashboard, Panel, Variable

DATASOURCE: Final = {"type": "prometheus", "uid": "prometheus"}
_COLUMNS: Final = 24
_HEIGHT: Final = 8
_STAT_HEIGHT: Final = 4


def to_json(dashboard: Dashboard) -> str:
    """As Grafana imports it (schema version 39)."""
    value = {
        "uid": f"ottla-{dashboard.name}",
        "title": dashboard.title,
        "tags": ["ottla"],
        "schemaVersion": 39,
        "editable": True,
        "refresh": "10s",
        "time": {"from": "now-30m", "to": "now"},
        "timezone": "browser",
        "templating": {"list": [_variable(variable) for variable in dashboard.variables]},
        "links": [
            {
                "title": "Ottla",
                "type": "dashboards",
                "tags": ["ottla"],
                "asDropdown": True,
                "includeVars": True,
                "keepTime": True,
            }
        ],
        "panels": _placed(dashboard.panels),
    }
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def _placed(panels: Sequence[Panel]) -> list[dict[str, Any]]:
    """From left to right, row by row."""
    placed = []
    x = y = row_height = 0
    for number, panel in enumerate(panels, 1):
        height = _STAT_HEIGHT if panel.stat else _HEIGHT
        if x + panel.width > _COLUMNS:
            x, y, row_height = 0, y + row_height, 0
        place = {"x": x, "y": y, "w": panel.width, "h": height}
        placed.append(_panel(panel, number, place))
        x, row_height = x + panel.width, max(row_height, height)
    return placed


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.bad_below is not None:
        steps = [{"color": "red", "value": None}, {"color": "green", "value": panel.bad_below}]
    if panel.bad_from is not None:
        steps.append({"color": "red", "value": panel.bad_from})
    return {
        "id": number,
        "type": "stat" if panel.stat else "timeseries",
        "title": panel.title,
        "description": panel.help,
        "datasource": DATASOURCE,
        "gridPos": place,
        "fieldConfig": {
            "defaults": {
                "unit": panel.unit,
                "min": 0,
                "thresholds": {"mode": "absolute", "steps": steps},
            },
            "overrides": [],
        },
        "options": {"reduceOptions": {"calcs": ["lastNotNull"]}}
        if panel.stat
        else {"legend": {"displayMode": "list", "placement": "bottom"}},
        "targets": [
            {
                "refId": chr(ord("A") + position),
                "datasource": DATASOURCE,
                "expr": expression,
                "legendFormat": legend,
            }
            for position, (expression, legend) in enumerate(panel.targets)
        ],
    }


def _variable(variable: Variable) -> dict[str, Any]:
    query = f"label_values({variable.metric}, {variable.label})"
    return {
        "name": variable.name,
        "label": variable.name.capitalize(),
        "type": "query",
        "datasource": DATASOURCE,
        "query": {"query": query, "refId": "A"},
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
        "sort": 1,
    }
