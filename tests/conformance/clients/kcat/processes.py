"""Running kcat: once to its end, or beside the program with its lines taken by a thread."""

from __future__ import annotations

import re
import signal
import subprocess
import threading
import time

from tests.conformance.clients.shared.python.contract import Mismatch, expect
from tests.conformance.clients.shared.python.driver import Record

SECONDS_MAX = 60.0
FORMAT = r"%p %o %K %S %h\n%k%s\n"
"""Lengths before the bytes: keys and values may hold anything; -1 is null."""
_DELIVERED = re.compile(rb"delivered to partition (\d+)")
_REBALANCED = re.compile(rb"rebalanced \(.*\): (assigned|revoked): ?(.*)")
_PARTITION = re.compile(rb"\[(\d+)\]")


def run(*arguments: str | bytes, data: bytes = b"") -> tuple[int, bytes, str]:
    """Exit code, output, errors."""
    command = ["kcat", *arguments]
    done = subprocess.run(
        command, input=data, capture_output=True, timeout=SECONDS_MAX, check=False
    )
    return done.returncode, done.stdout, done.stderr.decode("utf-8", "replace")


def records_in(output: bytes) -> tuple[list[Record], int]:
    """Whole records, and how many bytes they took."""
    found: list[Record] = []
    at = 0
    while (end := output.find(b"\n", at)) >= 0:
        partition, offset, key_size, value_size, headers = output[at:end].split(b" ", 4)
        key_end = end + 1 + max(0, int(key_size))
        value_end = key_end + max(0, int(value_size))
        if len(output) < value_end + 1:
            break
        found.append(
            Record(
                int(partition),
                int(offset),
                None if int(key_size) < 0 else output[end + 1 : key_end],
                None if int(value_size) < 0 else output[key_end:value_end],
                (("all", headers),) if headers else (),
            )
        )
        at = value_end + 1
    return found, at


class Running:
    """One kcat that goes on until `stop`; a context manager that kills it."""

    def __init__(self, *arguments: str) -> None:
        self.records: list[Record] = []
        self.delivered_at: list[float] = []
        """When each acknowledgement was printed."""
        self.assignment: set[int] = set()
        self.errors = b""
        self._process = subprocess.Popen(
            ["kcat", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        self._threads = [
            threading.Thread(target=target, daemon=True)
            for target in (self._take_records, self._take_errors)
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(data)

    def finish(self) -> None:
        """End its input, and wait until all is sent."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._end()

    def stop(self) -> None:
        """SIGTERM: a member commits and leaves its group."""
        self._process.send_signal(signal.SIGTERM)
        self._end()

    def check_running(self) -> None:
        if (code := self._process.poll()) is not None:
            self._threads[1].join(SECONDS_MAX)  # what it said last
            raise Mismatch(f"kcat ended with {code}: {self.errors[-500:]!r}")

    def wait_end(self) -> None:
        """Wait until it ends by itself."""
        self._end()

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def _end(self) -> None:
        code = self._process.wait(SECONDS_MAX)
        for thread in self._threads:
            thread.join(SECONDS_MAX)
        expect(code == 0, f"kcat ended with {code}: {self.errors[-500:]!r}")

    def _take_records(self) -> None:
        assert self._process.stdout is not None
        held = b""
        while data := self._process.stdout.read(1 << 16):
            found, used = records_in(held + data)
            held = (held + data)[used:]
            self.records += found

    def _take_errors(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.errors += line
            if _DELIVERED.search(line):
                self.delivered_at.append(time.monotonic())
            elif changed := _REBALANCED.search(line):
                named = {int(index) for index in _PARTITION.findall(changed[2])}
                self.assignment = named if changed[1] == b"assigned" else set()
