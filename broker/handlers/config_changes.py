"""What IncrementalAlterConfigs and AlterConfigs do alike: changes of resources, one by one.

Each resource is answered for itself, and changed as a whole or not at all. The controller
validates, since two racing requests first meet there; here are the checks that need no state, and
the bounds of a group's settings, which are this broker's (`group.consumer.min|max.*`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from broker.control.config_admin import ConfigChange, ConfigOperation
from broker.handlers.admin_calls import ask
from broker.handlers.config_resources import GROUP_TYPE, check_name, kind_of
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.group_configs import HEARTBEAT_INTERVAL_MS, SESSION_TIMEOUT_MS

if TYPE_CHECKING:
    from broker.handlers.services import BrokerServices
    from broker.settings import NodeSettings

Row = TypeVar("Row")
ALTER_MS: Final = 30_000
"""How long an answer waits for the controller: the requests name no time."""


class Resource(Protocol):
    """A resource of either request."""

    @property
    def resource_type(self) -> int: ...
    @property
    def resource_name(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one resource."""

    resource: Resource
    code: ErrorCode = ErrorCode.NONE
    message: str | None = None


async def alter(
    services: BrokerServices,
    wanted: Iterable[tuple[Resource, Sequence[ConfigChange] | ProtocolError]],
    *,
    replace_all: bool,
    validate_only: bool,
) -> list[Outcome]:
    """An outcome per resource, in their order; a resource that the request names twice is refused
    both times. A ProtocolError in the place of changes is the resource's outcome."""
    pairs = list(wanted)
    counts = Counter((r.resource_type, r.resource_name) for r, _ in pairs)
    outcomes = []
    for resource, changes in pairs:
        try:
            if counts[resource.resource_type, resource.resource_name] > 1:
                raise ProtocolError(
                    ErrorCode.INVALID_REQUEST, "the request names the resource more than once"
                )
            if isinstance(changes, ProtocolError):
                raise changes
            kind = kind_of(resource.resource_type)
            _check(services.settings, resource, changes)
            change = services.controller.configs.alter(
                kind,
                resource.resource_name,
                changes,
                replace_all=replace_all,
                validate_only=validate_only,
                timeout_ms=ALTER_MS,
            )
            await ask(change, ALTER_MS)
        except ProtocolError as error:
            outcomes.append(Outcome(resource, error.code, error.message))
        else:
            outcomes.append(Outcome(resource))
    return outcomes


def rows(outcomes: Iterable[Outcome], row: Callable[[int, str | None, int, str], Row]) -> list[Row]:
    """The outcomes as either response tells them; `row` makes one of a code, a message, and the
    type and name of the resource."""
    return [
        row(int(one.code), one.message, one.resource.resource_type, one.resource.resource_name)
        for one in outcomes
    ]


def _check(settings: NodeSettings, resource: Resource, changes: Sequence[ConfigChange]) -> None:
    check_name(resource.resource_type, resource.resource_name)
    counts = Counter(change.key for change in changes)
    twice = [key for key, count in counts.items() if count > 1]
    if twice:
        raise ProtocolError(ErrorCode.INVALID_REQUEST, f"{twice[0]} is given more than once")
    if resource.resource_type == GROUP_TYPE:
        for change in changes:
            if change.operation is ConfigOperation.SET:
                _check_group_bounds(settings, change)


def _check_group_bounds(settings: NodeSettings, change: ConfigChange) -> None:
    bounds = {
        SESSION_TIMEOUT_MS: (
            settings.group_consumer_min_session_timeout_ms,
            settings.group_consumer_max_session_timeout_ms,
        ),
        HEARTBEAT_INTERVAL_MS: (
            settings.group_consumer_min_heartbeat_interval_ms,
            settings.group_consumer_max_heartbeat_interval_ms,
        ),
    }.get(change.key)
    text = change.value.strip()
    if bounds is None or not (text.isascii() and text.isdigit()):
        return  # the controller says what is wrong with it
    low, high = bounds
    if not low <= int(text) <= high:
        limits = change.key.removeprefix("consumer.")
        raise ProtocolError(
            ErrorCode.INVALID_CONFIG,
            f"{change.key} must be between {low} and {high}, not {text}; brokers set these bounds "
            f"by group.consumer.min.{limits} and group.consumer.max.{limits}",
        )
