"""A cluster in memory whose partitions move: stands for the admin client in tests of commands.

Each look at the log directories is a step of time: replicas that are added grow by STEP_BYTES, and
when all of a partition have all of it its reassignment ends.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import TracebackType

from ottla.client.configs import ConfigChange, ConfigOperation, ConfigResource, ResourceKind
from ottla.client.errors import ConnectionLostError
from ottla.client.model import (
    BrokerDescription,
    ClusterDescription,
    ConfigEntry,
    PartitionDescription,
    TopicDescription,
)
from ottla.client.reassignments import LogDirectoryDescription, OngoingReassignment
from ottla.core.config_spec import split_list
from ottla.core.errors import ErrorCode, ProtocolError

STEP_BYTES = 400
Key = tuple[str, int]


class MovingCluster:
    """See the module. `calls` names what was changed, in order."""

    def __init__(self, *, brokers: Collection[int] = (1, 2, 3, 4)) -> None:
        self.brokers = {*brokers}
        self.dead: set[int] = set()
        self.silent: set[int] = set()
        self.replicas: dict[Key, tuple[int, ...]] = {}
        self.ongoing: dict[Key, OngoingReassignment] = {}
        self.sizes: dict[int, dict[Key, int]] = {broker: {} for broker in brokers}
        self.configs: dict[tuple[ResourceKind, str], dict[str, str]] = {}
        self.calls: list[tuple[str, object]] = []
        self.refusal: ProtocolError | None = None
        self.elected: dict[Key, ProtocolError | None] = {}
        self.moving = True

    def add(self, topic: str, index: int, replicas: tuple[int, ...], size: int = 1_000) -> None:
        self.replicas[topic, index] = replicas
        for broker in replicas:
            self.sizes[broker][topic, index] = size

    def config(self, kind: ResourceKind, name: str | int) -> dict[str, str]:
        return self.configs.setdefault((kind, str(name)), {})

    def __enter__(self) -> MovingCluster:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, where: TracebackType | None
    ) -> None:
        pass

    # ---- what is there

    def describe_cluster(self) -> ClusterDescription:
        described = tuple(
            BrokerDescription(b, "host", 9000 + b, f"rack-{b}", b in self.dead)
            for b in sorted(self.brokers)
        )
        return ClusterDescription("cluster", 1, described)

    def list_topics(self, *, internal: bool = False) -> list[TopicDescription]:
        return self.describe_topics(sorted({topic for topic, _ in self.replicas}))

    def describe_topics(self, names: Sequence[str]) -> list[TopicDescription]:
        return [
            TopicDescription(
                name,
                bytes(16),
                False,
                tuple(
                    PartitionDescription(index, replicas[0], 0, replicas, replicas, ())
                    for (topic, index), replicas in sorted(self.replicas.items())
                    if topic == name
                ),
            )
            for name in names
        ]

    def describe_log_directories(
        self, broker_ids: Iterable[int], *, timeout_ms: int | None = None
    ) -> dict[int, list[LogDirectoryDescription]]:
        found = {}
        for broker in broker_ids:
            if broker in self.silent:
                raise ConnectionLostError(f"broker {broker} does not answer")
            assert broker not in self.dead, "it is asked though it is known to be dead"
            sizes = dict(self.sizes[broker])
            found[broker] = [LogDirectoryDescription("/logs", None, sizes, 10_000, 5_000)]
        self._step()
        return found

    # ---- what moves

    def _step(self) -> None:
        if not self.moving:
            return
        for key, one in [*self.ongoing.items()]:
            whole = max(self.sizes[b].get(key, 0) for b in one.replicas if b not in one.adding)
            for broker in one.adding:
                if broker not in self.dead:
                    there = self.sizes[broker].get(key, 0)
                    self.sizes[broker][key] = min(whole, there + STEP_BYTES)
            if all(self.sizes[broker].get(key) == whole for broker in one.adding):
                del self.ongoing[key]
                self.replicas[key] = one.target
                for broker in one.removing:
                    self.sizes[broker].pop(key, None)

    def list_reassignments(self) -> list[OngoingReassignment]:
        return [self.ongoing[key] for key in sorted(self.ongoing)]

    def alter_reassignments(self, targets: Mapping[Key, Sequence[int] | None]) -> None:
        self.calls.append(("reassign", dict(targets)))
        if self.refusal is not None:
            raise self.refusal
        for key, target in targets.items():
            one = self.ongoing.pop(key, None)
            before = self.replicas[key]
            if one is not None:
                before = tuple(b for b in one.replicas if b not in one.adding)
                self.replicas[key] = before
            if target is None or tuple(target) == before:
                continue
            adding = tuple(b for b in target if b not in before)
            removing = tuple(b for b in before if b not in target)
            self.replicas[key] = (*target, *removing)
            self.ongoing[key] = OngoingReassignment(
                *key, self.replicas[key], adding=adding, removing=removing
            )

    def elect_leaders(
        self, partitions: Collection[Key] | None = None, *, unclean: bool = False
    ) -> dict[Key, ProtocolError | None]:
        self.calls.append(("elect", (partitions, unclean)))
        return self.elected

    def unregister_broker(self, broker_id: int) -> None:
        self.calls.append(("unregister", broker_id))

    # ---- settings

    def describe_configs(self, resource: ConfigResource) -> list[ConfigEntry]:
        if resource.kind is ResourceKind.BROKER:
            assert int(resource.name) not in self.dead, "a dead broker is asked"
            source = "broker (dynamic)"
        else:
            source = "topic"
        own = self.configs.get((resource.kind, resource.name), {})
        return [
            ConfigEntry("log.retention.ms", "5", "default", True, False, False, None),
            *(ConfigEntry(n, v, source, False, False, False, None) for n, v in own.items()),
        ]

    def alter_configs(self, resource: ConfigResource, changes: Sequence[ConfigChange]) -> None:
        if resource.kind is ResourceKind.BROKER and int(resource.name) not in self.brokers:
            raise ProtocolError(ErrorCode.BROKER_ID_NOT_REGISTERED)
        own = self.config(resource.kind, resource.name)
        for change in changes:
            self.calls.append((change.operation.name, f"{resource}: {change.key}"))
            entries = split_list(own.get(change.key, ""))
            named = split_list(change.value or "")
            if change.operation is ConfigOperation.DELETE:
                own.pop(change.key, None)
            elif change.operation is ConfigOperation.SET:
                own[change.key] = change.value or ""
            elif change.operation is ConfigOperation.APPEND:
                own[change.key] = ",".join([*entries, *(n for n in named if n not in entries)])
            else:
                own[change.key] = ",".join(entry for entry in entries if entry not in named)
