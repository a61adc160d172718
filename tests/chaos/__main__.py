"""The command of `make chaos`; exit code 0 when nothing was violated."""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ottla.testing import Cluster
from tests.chaos.campaign import SETTINGS, Campaign
from tests.chaos.clients import CLIENT_LOG
from tests.chaos.faults import KINDS
from tests.chaos.hosts import HostedCluster, can_slow_disks, faketime_library
from tests.chaos.namespaces import CLIENTS, Network, missing_tools
from tests.chaos.report import Result, summary, table, write_history

LONG_SECONDS_MIN = 240.0
"""Shorter campaigns leave out the fault that holds half a minute."""
BROKERS = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for."""

    seed: int
    seconds: float
    kinds: Sequence[str]
    rounds_max: int | None
    churn: bool


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    seconds = options.seconds if options.seconds is not None else 60.0 * options.minutes
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(10**6)
    hosted = options.network == "namespaces" or (options.network == "auto" and os.geteuid() == 0)
    if hosted and (missing := missing_tools()):
        print(f"install what network namespaces need: {', '.join(missing)}", file=sys.stderr)
        return 2
    folder = Path(tempfile.mkdtemp(prefix="ottla-chaos-"))
    kinds = _kinds(options, seconds, hosted=hosted, folder=folder)
    log = logging.FileHandler(folder / "clients.log")
    log.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    CLIENT_LOG.setLevel(logging.DEBUG)
    for client_log in (CLIENT_LOG, logging.getLogger("aiokafka")):
        client_log.addHandler(log)
        client_log.propagate = False
    began_at = time.monotonic()

    def say(line: str) -> None:
        shown = f"{time.monotonic() - began_at:7.1f}  {line}"
        print(shown, file=sys.stderr if options.json else sys.stdout, flush=True)

    again = f"make chaos MINUTES={seconds / 60:g} SEED={seed}"
    if hosted and options.kinds is None and (left_out := KINDS.keys() - set(kinds)):
        say(f"left out here: {', '.join(sorted(left_out))}")
    say(f"seed {seed}, {seconds:.0f} s, {'namespaces' if hosted else 'loopback'}; again: {again}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    run = _run_hosted if hosted else _run_on_loopback
    plan = Plan(seed, seconds, kinds, options.rounds, churn=not options.no_churn)
    result = run(folder, plan, say)
    say(f"the end\n{table(result.rows)}\n{summary(result)}")
    if options.json:
        print(json.dumps(result.as_json()))
    if result.is_clean and not options.keep:
        shutil.rmtree(folder)
    else:
        say(f"logs, disks and history are in {folder}; the same composition again: {again}")
    return 0 if result.is_clean else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seconds", type=float, default=None, help="in place of --minutes")
    parser.add_argument("--rounds", type=int, default=None, help="end after so many in any case")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--kinds", default=None, help="comma-separated; default: all that fit")
    parser.add_argument("--network", choices=("auto", "namespaces", "loopback"), default="auto")
    parser.add_argument("--clock", action="store_true", help="with a clock that jumps: slower")
    parser.add_argument("--no-churn", action="store_true", help="no topics that come and go")
    parser.add_argument("--keep", action="store_true", help="keep the folder in any case")
    parser.add_argument("--json", action="store_true", help="the result as JSON")
    return parser


def _kinds(options: argparse.Namespace, seconds: float, *, hosted: bool, folder: Path) -> list[str]:
    if options.kinds is not None:
        return [name.strip() for name in options.kinds.split(",")]
    return [
        name
        for name, kind in KINDS.items()
        if (hosted or not kind.needs)
        and (name != "slow disk" or can_slow_disks(folder))
        and (name != "clock jump" or (options.clock and faketime_library() is not None))
        and (name != "long pause" or seconds >= LONG_SECONDS_MIN)
    ]


def _run_hosted(folder: Path, plan: Plan, say: Callable[[str], None]) -> Result:
    with Network(BROKERS, folder) as network:
        network.enter(CLIENTS)
        clock = "clock jump" in plan.kinds
        with HostedCluster(network, folder, SETTINGS, jumping_clock=clock) as cluster:
            campaign = Campaign(cluster, plan.seed, churn=plan.churn, network=network, say=say)
            result = campaign.run(plan.seconds, plan.kinds, plan.rounds_max)
            _keep(campaign, result, folder)
            if not result.is_clean:
                cluster.keep_disks()
    return result


def _run_on_loopback(folder: Path, plan: Plan, say: Callable[[str], None]) -> Result:
    with Cluster(brokers=BROKERS, directory=folder / "cluster", settings=SETTINGS) as cluster:
        campaign = Campaign(cluster, plan.seed, churn=plan.churn, say=say)
        result = campaign.run(plan.seconds, plan.kinds, plan.rounds_max)
        _keep(campaign, result, folder)
    return result


def _keep(campaign: Campaign, result: Result, folder: Path) -> None:
    topics = list(campaign.topics.values())
    injuries = campaign.driver.injuries
    write_history(folder / "history", topics, campaign.group.history, injuries, result)


if __name__ == "__main__":
    sys.exit(main())
