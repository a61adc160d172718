"""Runs cells on one cluster: several at a time, then one by one those that break it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from ottla.testing import Cluster
from tests.conformance.compatibility.cell import Verdict, run_cell
from tests.conformance.compatibility.evidence import missing_evidence
from tests.conformance.compatibility.outcomes import Cell, Key, Known, Outcome, cell_of
from tests.conformance.compatibility.program import BuiltClient
from tests.conformance.compatibility.scenarios import ALONE
from tests.conformance.compatibility.scene import Scene

AT_ONCE = 3
"""Programs that run side by side: they wait more than they compute."""


def table_cluster() -> Cluster:
    """Three brokers; a topic that is gone does not come again because some client asks for it."""
    return Cluster(brokers=3, settings={"auto.create.topics.enable": False})


class TableRun:
    """The cells of some clients; each future gives its Cell, or what broke the harness.

    A context manager: left early, cells that were not begun are given up.
    """

    def __init__(
        self,
        cluster: Cluster,
        clients: Mapping[str, BuiltClient],
        keys: Iterable[Key],
        known: Mapping[Key, Known],
        told: Callable[[Cell], None] = lambda cell: None,
    ) -> None:
        self._cluster = cluster
        self._clients = clients
        self._known = known
        self._told = told
        self._numbers = itertools.count(1)
        self._given_up = threading.Event()
        self.cells: dict[Key, Future[Cell]] = {key: Future() for key in keys}
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> TableRun:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._given_up.set()
        self._thread.join()

    def _run(self) -> None:
        together = [key for key in self.cells if key[1] not in ALONE]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self._run_one, together))
        for key in self.cells:
            if key[1] in ALONE:
                self._run_one(key)

    def _run_one(self, key: Key) -> None:
        future = self.cells[key]
        if self._given_up.is_set():
            future.cancel()
            return
        try:
            cell = self._cell(key)
        except Exception as error:
            future.set_exception(error)
        else:
            self._told(cell)
            future.set_result(cell)

    def _cell(self, key: Key) -> Cell:
        client, scenario = key
        built = self._clients[client]
        if reason := built.program.not_offered.get(scenario):
            return Cell(client, scenario, Outcome.NOT_OFFERED, reason=reason)
        # A number: clients' names may be longer than a topic's may be with what they add.
        prefix = f"c{next(self._numbers)}-{scenario}"
        scene = Scene(self._cluster, prefix, may_kill=scenario in ALONE)
        command = built.command(scenario, self._cluster.bootstrap, prefix)
        try:
            verdict = run_cell(command, built.folder, scene)
            if verdict.passed and (lack := missing_evidence(scenario, scene)):
                verdict = Verdict(False, lack, verdict.seconds, verdict.numbers, verdict.errors)
        finally:
            if scenario in ALONE:
                scene.recover()
            scene.clean()
        return cell_of(key, verdict, self._known)


def in_order(clients: Sequence[str], scenarios: Sequence[str]) -> list[Key]:
    """Every cell, scenario by scenario: programs of one make do not all start at once."""
    return [(client, scenario) for scenario in scenarios for client in clients]
