"""One cell: a program is started with a scenario, its requests are answered, it gives a verdict."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

CELL_SECONDS_MAX = 90.0
_ERRORS_SHOWN_MAX = 6_000


class Helper(Protocol):
    """What a program may ask for; raises with a sentence where it cannot be done."""

    def create_topic(
        self, name: str, partitions: int, replication: int, configs: Mapping[str, str]
    ) -> None: ...

    def delete_topic(self, name: str) -> None: ...

    def kill_leader(self, topic: str, partition: int) -> int:
        """The node that was killed."""
        ...

    def restart(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a cell went."""

    passed: bool
    detail: str
    seconds: float
    numbers: Mapping[str, Any] = field(default_factory=dict)
    errors: str = ""
    """The end of the program's standard error."""


def run_cell(
    command: Sequence[str],
    folder: Path,
    helper: Helper,
    seconds_max: float = CELL_SECONDS_MAX,
) -> Verdict:
    """Run a program to its verdict. It and all that it started are gone when this returns."""
    started = time.monotonic()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        late = threading.Event()

        def end() -> None:
            late.set()
            _kill(process)

        timer = threading.Timer(seconds_max, end)
        timer.start()
        try:
            last = _converse(process, helper)
            code = process.wait()
        finally:
            timer.cancel()
            _kill(process)
            process.wait()
        errors.seek(max(0, errors.seek(0, os.SEEK_END) - _ERRORS_SHOWN_MAX))
        said = errors.read().decode("utf-8", "replace")
    seconds = time.monotonic() - started
    if late.is_set():
        return Verdict(False, f"not done after {seconds_max:.0f} s", seconds, errors=said)
    passed, detail, numbers = judge(last, code)
    return Verdict(passed, detail, seconds, numbers, said)


def judge(last_line: str, exit_code: int) -> tuple[bool, str, dict[str, Any]]:
    """What a program's last line and exit code say; a broken promise is a failure."""
    try:
        said = json.loads(last_line)
        verdict, detail = said.pop("verdict"), str(said.pop("detail"))
    except (ValueError, KeyError, AttributeError, TypeError):
        return False, f"no verdict; exit code {exit_code}, last line {last_line[:200]!r}", {}
    if verdict not in ("pass", "fail"):
        return False, f"the verdict is {verdict!r}", said
    if (verdict == "pass") != (exit_code == 0):
        return False, f"verdict {verdict}, but exit code {exit_code}: {detail}", said
    return verdict == "pass", detail, said


def _converse(process: subprocess.Popen[str], helper: Helper) -> str:
    """Answer requests until the program closes its output; its last line."""
    assert process.stdin is not None
    assert process.stdout is not None
    last = ""
    for line in process.stdout:
        if not line.startswith("@"):
            last = line.strip() or last
            continue
        # It may have ended, or been killed, meanwhile.
        with contextlib.suppress(OSError, ValueError):
            process.stdin.write(answer(line, helper) + "\n")
            process.stdin.flush()
    return last


def answer(line: str, helper: Helper) -> str:
    """Do what a request asks for; the line that answers it."""
    try:
        match line.split():
            case ["@create", topic, partitions, replication, *configs]:
                settings = dict(config.split("=", 1) for config in configs)
                helper.create_topic(topic, int(partitions), int(replication), settings)
                return "ok"
            case ["@delete", topic]:
                helper.delete_topic(topic)
                return "ok"
            case ["@kill-leader", topic, partition]:
                return f"ok {helper.kill_leader(topic, int(partition))}"
            case ["@restart"]:
                helper.restart()
                return "ok"
            case _:
                return f"error no such request: {line.strip()}"
    except Exception as error:
        return f"error {' '.join(str(error).split())}"


def _kill(process: subprocess.Popen[str]) -> None:
    """The whole group: a program may have started others."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
