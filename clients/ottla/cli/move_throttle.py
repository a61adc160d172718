"""The throttle of a reassignment: set, and taken away again, it and nothing else.

The lists of the topics are set before the rates of the brokers and go after them. So whoever comes
later, after one that was interrupted, knows by the lists that the rates are a reassignment's; a
rate that was there without is somebody else's, and stays as it is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from ottla.cli.output import say
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.reassignment.throttles import (
    LISTS,
    RATES,
    ListEntries,
    entries_of,
    missing_entries,
    wanted_entries,
)

if TYPE_CHECKING:
    from ottla.client.admin import Admin
    from ottla.client.configs import ConfigResource
    from ottla.reassignment.progress import Copying


class MoveThrottle:
    """Of the reassignment of these partitions. What an earlier one left for them is taken over."""

    def __init__(self, admin: Admin, partitions: Collection[tuple[str, int]]) -> None:
        self._admin = admin
        self._partitions = {*partitions}
        self._entries = entries_of(self._partitions, self._lists({t for t, _ in partitions}))
        self._rates: set[tuple[int, str]] = set()
        """(broker, name of the rate) that are to go at the end."""
        if self._entries:
            self._rates = {(b, name) for b in self._live() for name in self._own_rates(b)}

    def begin(self, copying: Iterable[Copying], rate: int) -> None:
        """Hold back what is copied, to `rate` bytes a second of each broker in each direction."""
        from ottla.client.configs import ConfigChange, ConfigOperation

        copying = [one for one in copying if one.adding]
        shared = bool(self._entries) or bool(self._others())
        wanted = wanted_entries(copying)
        missing = missing_entries(wanted, self._lists({one.topic for one in wanted}))
        self._change_lists(missing, ConfigOperation.APPEND)
        self._entries += missing
        live = self._live()
        for broker_id in sorted({b for one in copying for b in (*one.adding, *one.others)}):
            there = self._own_rates(broker_id) if broker_id in live and not shared else {}
            for name, value in there.items():
                if value != str(rate):
                    say(f"Broker {broker_id} has {name}={value} already; it stays so.")
            names = [name for name in RATES if name not in there]
            self._rates |= {(broker_id, name) for name in names}
            if names:
                self._admin.alter_configs(
                    _broker(broker_id),
                    [ConfigChange(name, ConfigOperation.SET, str(rate)) for name in names],
                )

    def end(self) -> None:
        """Take away what was set, and what was found of an earlier one. Rates stay while the
        throttle of another reassignment goes on; that one takes them away."""
        from ottla.client.configs import ConfigChange, ConfigOperation

        if self._rates and not self._others():
            for broker_id in sorted({broker_id for broker_id, _ in self._rates}):
                names = sorted(name for b, name in self._rates if b == broker_id)
                changes = [ConfigChange(name, ConfigOperation.DELETE) for name in names]
                try:
                    self._admin.alter_configs(_broker(broker_id), changes)
                except ProtocolError as error:
                    if error.code is not ErrorCode.BROKER_ID_NOT_REGISTERED:
                        raise
        self._rates.clear()
        self._change_lists(self._entries, ConfigOperation.SUBTRACT)
        for topic in sorted({one.topic for one in self._entries}):
            empty = [name for name, value in self._lists({topic})[topic].items() if not value]
            if empty:
                self._admin.alter_configs(
                    _topic(topic), [ConfigChange(name, ConfigOperation.DELETE) for name in empty]
                )
        self._entries = []

    def _others(self) -> list[ListEntries]:
        """Entries of other reassignments that are under way."""
        ongoing = {(one.topic, one.index) for one in self._admin.list_reassignments()}
        others = ongoing - self._partitions
        return entries_of(others, self._lists({topic for topic, _ in others}))

    def _change_lists(self, changes: Iterable[ListEntries], operation: int) -> None:
        from ottla.client.configs import ConfigChange, ConfigOperation

        for one in changes:
            change = ConfigChange(one.name, ConfigOperation(operation), ",".join(one.entries))
            self._admin.alter_configs(_topic(one.topic), [change])

    def _lists(self, topics: Iterable[str]) -> dict[str, dict[str, str]]:
        """The lists that each topic has of its own."""
        return {
            topic: {
                entry.name: entry.value or ""
                for entry in self._admin.describe_configs(_topic(topic))
                if entry.name in LISTS and entry.source == "topic"
            }
            for topic in sorted(topics)
        }

    def _own_rates(self, broker_id: int) -> dict[str, str]:
        """The rates that are set for this broker alone."""
        return {
            entry.name: entry.value or ""
            for entry in self._admin.describe_configs(_broker(broker_id))
            if entry.name in RATES and entry.source == "broker (dynamic)"
        }

    def _live(self) -> set[int]:
        brokers = self._admin.describe_cluster().brokers
        return {broker.broker_id for broker in brokers if not broker.fenced}


def _broker(broker_id: int) -> ConfigResource:
    from ottla.client.configs import ConfigResource, ResourceKind

    return ConfigResource(ResourceKind.BROKER, str(broker_id))


def _topic(name: str) -> ConfigResource:
    from ottla.client.configs import ConfigResource, ResourceKind

    return ConfigResource(ResourceKind.TOPIC, name)
