"""What becomes of a submitted command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ottla.core.errors import ErrorCode


@dataclass(frozen=True, slots=True)
class Applied:
    """The command is committed and applied; `result` is an exception if the machine raised."""

    index: int
    term: int
    result: bytes | Exception


@dataclass(frozen=True, slots=True)
class Refused:
    """The command is not in the log and never will be."""

    leader_id: int | None


@dataclass(frozen=True, slots=True)
class Lost:
    """Nobody here can tell what became of the command."""


@dataclass(frozen=True, slots=True)
class Declined:
    """A change of the voters that was not begun, and why."""

    code: ErrorCode
    message: str


Outcome: TypeAlias = Applied | Refused | Lost | Declined
