"""The process that compacts: a job in, outcomes out, one line of JSON each.

It yields to everything else on the machine, and ends with the broker that started it: its files
must not be written to when another broker has opened the log.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

from ottla.core.errors import DecodeError
from storage.compaction.cleaner import clean
from storage.compaction.job import CompactionJob, encode_outcome
from storage.vfs import OsVfs

_NICENESS = 10
_PR_SET_PDEATHSIG = 1


def main() -> int:
    """Exit codes: 0 done or damage told, 1 the disk failed or the job cannot be read."""
    _end_with(parent=int(sys.argv[1]))
    os.nice(_NICENESS)
    try:
        job = CompactionJob.decode(sys.stdin.readline())
        for outcome in clean(OsVfs(), job):
            sys.stdout.write(encode_outcome(outcome) + "\n")
            sys.stdout.flush()
    except (OSError, DecodeError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _end_with(parent: int) -> None:
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it was gone before
        sys.exit(1)


if __name__ == "__main__":
    sys.exit(main())
