"""Which function does which scenario; the main program of each of Python's clients."""

from __future__ import annotations

import sys
from collections.abc import Callable

from tests.conformance.clients.shared.python import (
    fault_scenarios,
    group_scenarios,
    plain_scenarios,
)
from tests.conformance.clients.shared.python.contract import Passed, give_verdict
from tests.conformance.clients.shared.python.driver import Driver

Scenario = Callable[[Driver, str], Passed]

SCENARIOS: dict[str, Scenario] = {
    "keyed": plain_scenarios.keyed,
    "round-robin": plain_scenarios.round_robin,
    "headers": plain_scenarios.headers,
    "large-messages": plain_scenarios.large_messages,
    "idempotent": plain_scenarios.idempotent,
    "admin": plain_scenarios.admin,
    "transactions": group_scenarios.transactions,
    "rebalance": group_scenarios.rebalance,
    "seek-pause-offsets-for-times": group_scenarios.seek_pause_offsets_for_times,
    "commit-and-resume": group_scenarios.commit_and_resume,
    "leader-killed": fault_scenarios.leader_killed,
    "topic-recreated": fault_scenarios.topic_recreated,
}


def main(make: Callable[[str], Driver]) -> int:
    """``SCENARIO BOOTSTRAP PREFIX``; `make` gets the bootstrap servers."""
    name, bootstrap, prefix = sys.argv[1:4]

    def scenario() -> Passed:
        driver = make(bootstrap)
        if name.startswith("compression-"):
            return plain_scenarios.compression(driver, prefix, name.removeprefix("compression-"))
        if name.startswith("group-protocol-"):
            protocol = name.removeprefix("group-protocol-")
            return group_scenarios.group_protocol(driver, prefix, protocol)
        return SCENARIOS[name](driver, prefix)

    return give_verdict(scenario)
