"""Members of a group, each polling in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tests.conformance.clients.shared.python.contract import expect
from tests.conformance.clients.shared.python.driver import Consumer, Record

CLOSED_SECONDS_MAX = 30.0


class Member:
    """Reads from the moment it is made until `leave`, which commits and closes its consumer.

    Not every client tells its listener that partitions are given up by closing.
    """

    def __init__(self, make: Callable[[], Consumer]) -> None:
        self._make = make
        self._leaving = threading.Event()
        self._error: BaseException | None = None
        self.records: list[Record] = []
        self.assignment: set[int] = set()
        """As of the last poll."""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def leave(self) -> None:
        self._leaving.set()
        self._thread.join(CLOSED_SECONDS_MAX)
        expect(not self._thread.is_alive(), f"a member does not close in {CLOSED_SECONDS_MAX} s")
        self.check()

    def check(self) -> None:
        """The error that ended it."""
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            consumer = self._make()
            while not self._leaving.is_set():
                self.records += consumer.poll(0.1)
                self.assignment = consumer.assignment()
            consumer.commit()
            consumer.close()
            self.assignment = set()
        except BaseException as error:
            self._error = error
