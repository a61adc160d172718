"""Plans as files, in the format of Kafka's kafka-reassign-partitions; pure.

    {"version": 1, "partitions": [
        {"topic": "t", "partition": 0, "replicas": [2, 3], "log_dirs": ["any", "any"]}]}

`log_dirs` may be there, and must be ``any``: moves between the directories of one broker are
AlterReplicaLogDirs, which Kafka's own tool sends.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from ottla.core.errors import ConfigError

VERSION: Final = 1
Targets = dict[tuple[str, int], tuple[int, ...]]
"""The replicas wanted by (topic, partition index), the preferred leader first."""


def plan_text(targets: Mapping[tuple[str, int], tuple[int, ...]]) -> str:
    """The plan as a file holds it."""
    partitions = [
        {
            "topic": topic,
            "partition": index,
            "replicas": [*replicas],
            "log_dirs": ["any"] * len(replicas),
        }
        for (topic, index), replicas in sorted(targets.items())
    ]
    return json.dumps({"version": VERSION, "partitions": partitions}, indent=1) + "\n"


def parse_plan(text: str) -> Targets:
    """ConfigError in one sentence for anything that is no plan."""
    try:
        found = json.loads(text)
    except ValueError as error:
        raise ConfigError(f"the plan is no JSON: {error}") from None
    if not isinstance(found, dict) or not isinstance(found.get("partitions"), list):
        raise ConfigError("the plan has no list \"partitions\"; 'ottla reassign plan' writes one")
    if found.get("version", VERSION) != VERSION:
        raise ConfigError(f"the plan has version {found['version']}, known is {VERSION}")
    targets: Targets = {}
    for number, one in enumerate(found["partitions"]):
        key, replicas = _entry(number, one)
        if key in targets:
            raise ConfigError(f"the plan names {key[0]}-{key[1]} twice")
        targets[key] = replicas
    return targets


def _entry(number: int, one: Any) -> tuple[tuple[str, int], tuple[int, ...]]:
    where = f"entry {number} of the plan"
    if not isinstance(one, dict):
        raise ConfigError(f"{where} is no object")
    topic, index, replicas = one.get("topic"), one.get("partition"), one.get("replicas")
    if not isinstance(topic, str) or not isinstance(index, int) or not _is_id(index):
        raise ConfigError(f'{where} needs a "topic" and a "partition"')
    if not isinstance(replicas, list) or not replicas or not all(map(_is_id, replicas)):
        raise ConfigError(f'{where} ({topic}-{index}) needs "replicas", a list of broker ids')
    if len(set(replicas)) != len(replicas):
        raise ConfigError(f"{where} ({topic}-{index}) names a broker twice")
    directories = one.get("log_dirs", [])
    if not isinstance(directories, list) or any(name != "any" for name in directories):
        raise ConfigError(
            f'{where} ({topic}-{index}) names log directories; leave "log_dirs" out, or "any" in '
            "it: between the directories of one broker kafka-reassign-partitions moves it"
        )
    return (topic, index), tuple(replicas)


def _is_id(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
