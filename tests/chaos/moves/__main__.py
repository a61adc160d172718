"""`make reassign`: the campaign of campaign.py, its table printed, and written where asked."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from tests.chaos.moves.campaign import run, table

HEAD = """# Moving a loaded topic

`make reassign` ({arguments}) on {date}, at {commit}, {cores} cores, load {load:.1f} before:
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--partitions", type=int, default=100)
    parser.add_argument("--records", type=int, default=2_000, help="in each partition, before")
    parser.add_argument("--per-second", type=int, default=500, help="records, in all partitions")
    parser.add_argument("--rate", type=int, default=5_000_000, help="the throttle, bytes a second")
    parser.add_argument("--write", type=Path, help="write the table to this file")
    given = parser.parse_args()
    load = os.getloadavg()[0]
    result = run(
        partitions=given.partitions,
        records=given.records,
        per_second=given.per_second,
        rate=given.rate,
        say=lambda text: print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True),
    )
    shown = table(result)
    print(shown)
    if given.write is not None:
        commit = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
        ).stdout.strip()
        head = HEAD.format(
            arguments=f"{given.records:,} records a partition before, {given.per_second:,} a "
            "second meanwhile",
            date=time.strftime("%-d %B %Y"),
            commit=commit or "?",
            cores=os.cpu_count(),
            load=load,
        )
        given.write.write_text(f"{head}\n{shown}\n", encoding="utf-8")
    return 1 if result.faults() else 0


if __name__ == "__main__":
    sys.exit(main())
