"""Client instances and what they may do when (KIP-714; Kafka's ClientMetricsInstance). Pure.

A client makes up an instance id or is given one, asks for its subscription, then pushes every
interval until it says that it is terminating:

    action              allowed                                      otherwise
    get                 an interval after the last get or push,      THROTTLING_QUOTA_EXCEEDED
                        or after an error that tells it to ask again
    push                once after each get, then every interval     THROTTLING_QUOTA_EXCEEDED
    push, terminating   at any time, once                            INVALID_REQUEST afterwards

An instance is forgotten when it was silent for three intervals (a minute at least), and the one
silent longest when there are too many.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from broker.telemetry.subscriptions import Subscriptions, Wanted
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import Uuid

INSTANCES_MAX: Final = 10_000
SILENT_MS_MIN: Final = 60_000
_INTERVALS: Final = 3
_SWEEP_MS: Final = 10_000
_ASKS_AGAIN: Final = frozenset(
    {ErrorCode.UNKNOWN_SUBSCRIPTION_ID, ErrorCode.UNSUPPORTED_COMPRESSION_TYPE}
)


@dataclass(slots=True)
class ClientInstance:
    """One instance as it is known; times are monotonic."""

    instance_id: Uuid
    wanted: Wanted
    subscription_id: int
    version: int
    """Of the subscriptions that `wanted` was taken from."""
    seen_ms: int
    got_ms: int | None = None
    pushed_ms: int | None = None
    may_push: bool = True
    """Since it got its subscription it did not push."""
    terminating: bool = False
    last_error: ErrorCode = ErrorCode.NONE

    def check_get(self, now_ms: int) -> None:
        """THROTTLING_QUOTA_EXCEEDED."""
        last_ms = max((t for t in (self.got_ms, self.pushed_ms) if t is not None), default=None)
        is_early = last_ms is not None and now_ms - last_ms < self.wanted.interval_ms
        if is_early and self.last_error not in _ASKS_AGAIN:
            raise _too_early()
        self.got_ms = now_ms
        self.may_push = True
        self.last_error = ErrorCode.NONE

    def check_push(self, now_ms: int, *, terminating: bool) -> None:
        """INVALID_REQUEST, THROTTLING_QUOTA_EXCEEDED."""
        if self.terminating:
            raise ProtocolError(ErrorCode.INVALID_REQUEST, "the client said that it terminates")
        is_due = self.pushed_ms is None or now_ms - self.pushed_ms >= self.wanted.interval_ms
        if self.may_push or is_due:
            self.pushed_ms = now_ms
            self.may_push = False
        elif not terminating:
            raise _too_early()
        self.terminating = terminating

    def is_silent(self, now_ms: int) -> bool:
        """Whether it is to be forgotten."""
        return now_ms - self.seen_ms > max(SILENT_MS_MIN, _INTERVALS * self.wanted.interval_ms)


class ClientInstances:
    """The instances that this broker knows; `forget` is called with each whose metrics are
    not to be shown any longer."""

    def __init__(self, forget: Callable[[Uuid], None]) -> None:
        self._forget = forget
        self._subscriptions = Subscriptions({})
        self._version = 0
        self._instances: OrderedDict[Uuid, ClientInstance] = OrderedDict()  # silent longest first
        self._swept_ms: int | None = None

    def __len__(self) -> int:
        return len(self._instances)

    def set_subscriptions(self, subscriptions: Subscriptions) -> None:
        """Each instance is looked at anew when it comes next."""
        self._subscriptions = subscriptions
        self._version += 1

    def find(self, instance_id: Uuid, client: Mapping[str, str], now_ms: int) -> ClientInstance:
        """The instance, new when it is not known or the subscriptions are others: a client may then
        get and push at once."""
        self.maybe_sweep(now_ms)
        instance = self._instances.get(instance_id)
        if instance is None or instance.version != self._version:
            wanted = self._subscriptions.wanted(client)
            if instance is None and len(self._instances) >= INSTANCES_MAX:
                self._forget(self._instances.popitem(last=False)[0])
            if instance is not None and instance.wanted != wanted:
                self._forget(instance_id)  # nobody may want what it sent
            instance = ClientInstance(
                instance_id, wanted, wanted.subscription_id(instance_id), self._version, now_ms
            )
            self._instances[instance_id] = instance
        instance.seen_ms = now_ms
        self._instances.move_to_end(instance_id)
        return instance

    def maybe_sweep(self, now_ms: int) -> bool:
        """Forget who was silent for too long; every ten seconds at most."""
        if self._swept_ms is not None and now_ms - self._swept_ms < _SWEEP_MS:
            return False
        self._swept_ms = now_ms
        silent = [key for key, one in self._instances.items() if one.is_silent(now_ms)]
        for instance_id in silent:
            del self._instances[instance_id]
            self._forget(instance_id)
        return True


def _too_early() -> ProtocolError:
    return ProtocolError(
        ErrorCode.THROTTLING_QUOTA_EXCEEDED, "the push interval of the client is not over"
    )
