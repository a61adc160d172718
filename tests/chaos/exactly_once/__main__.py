"""python -m tests.chaos.exactly_once [--client confluent|java] [--seconds n] [--seed s]"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos.exactly_once.campaign import run


def main() -> int:
    parser = argparse.ArgumentParser(prog="make exactly-once")
    parser.add_argument("--client", choices=["confluent", "java"], default="confluent")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ottla-exactly-once-"))
    outcome = run(arguments.client, arguments.seconds, arguments.seed, folder)
    print(f"seed {arguments.seed}, {arguments.client}: {outcome}")
    if outcome.is_good:
        shutil.rmtree(folder)
        return 0
    print("\n".join(outcome.events))
    print(f"logs stay in {folder}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
