"""A client's folder: what client.json says, and the build in a cache folder."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conformance.compatibility.scenarios import SCENARIOS

ROOT = Path(__file__).parents[3]
CLIENTS = Path(__file__).parents[1] / "clients"
CACHE = ROOT / ".conformance-clients"
BUILD_SECONDS_MAX = 900.0
VERSION_SECONDS_MAX = 60.0
_SHARED = "shared"
_STAMP = ".built"
_PLACE = re.compile(r"\{(python|root|jars)\}")


class ClientError(Exception):
    """A client's folder is wrong, or its build failed; the text says which and how."""


@dataclass(frozen=True, slots=True)
class ClientProgram:
    """One client of the table, as its client.json describes it."""

    folder: Path
    name: str
    language: str
    version: str | Sequence[str]
    include: tuple[str, ...]
    build: tuple[tuple[str, ...], ...]
    run: tuple[str, ...]
    not_offered: Mapping[str, str]
    """Scenario → why the client does not offer it."""

    @property
    def id(self) -> str:
        return self.folder.name

    @classmethod
    def load(cls, folder: Path) -> ClientProgram:
        """ClientError for a description that breaks the contract."""
        try:
            said: dict[str, Any] = json.loads((folder / "client.json").read_text("utf-8"))
            build = said["build"]
            commands = [build] if build and isinstance(build[0], str) else build
            program = cls(
                folder,
                said["name"],
                said["language"],
                said["version"],
                tuple(said.get("include", ())),
                tuple(tuple(command) for command in commands),
                tuple(said["run"]),
                said["scenarios"],
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ClientError(f"{folder.name}/client.json: {error!r}") from error
        if unknown := set(program.not_offered) - set(SCENARIOS):
            raise ClientError(f"{folder.name}/client.json: no such scenario: {sorted(unknown)}")
        if not all(program.not_offered.values()):
            raise ClientError(f"{folder.name}/client.json: a scenario is left out without a reason")
        return program


def load_clients(root: Path = CLIENTS) -> list[ClientProgram]:
    """All clients, by folder name."""
    return [
        ClientProgram.load(file.parent)
        for file in sorted(root.glob("*/client.json"))
        if file.parent.name != _SHARED
    ]


@dataclass(frozen=True, slots=True)
class BuiltClient:
    """A client that can be started; `folder` is the working directory of its commands."""

    program: ClientProgram
    folder: Path
    places: Mapping[str, str]

    def command(self, *arguments: str) -> list[str]:
        return [*_filled(self.program.run, self.places), *arguments]

    def version(self) -> str:
        """The pinned version; ClientError when the command that prints it fails."""
        version = self.program.version
        if isinstance(version, str):
            return version
        return _checked(
            _filled(version, self.places), self.folder, VERSION_SECONDS_MAX, self.program.id
        ).strip()


def places(jars: Path | None) -> dict[str, str]:
    """What `{name}` stands for in a command."""
    found = {"python": sys.executable, "root": str(ROOT)}
    if jars is not None:
        found["jars"] = str(jars)
    return found


def build(
    program: ClientProgram, known_places: Mapping[str, str], cache: Path = CACHE
) -> BuiltClient:
    """Lay the sources into the cache folder and build them, unless just that is there already."""
    folder = cache / program.id
    built = BuiltClient(program, folder, known_places)
    commands = [_filled(command, known_places) for command in program.build]
    stamp = _fingerprint(program, commands)
    if (folder / _STAMP).exists() and (folder / _STAMP).read_text("utf-8") == stamp:
        return built
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _STAMP).unlink(missing_ok=True)
    for source, name in _sources(program):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)  # keeps the times, by which cargo knows what is new
    for command in commands:
        _checked(command, folder, BUILD_SECONDS_MAX, program.id)
    (folder / _STAMP).write_text(stamp, "utf-8")
    return built


def _sources(program: ClientProgram) -> Iterator[tuple[Path, Path]]:
    """Files and their names in the cache folder; those of a cache inside a source are left out."""
    for folder in (*(program.folder.parent / name for name in program.include), program.folder):
        for file in sorted(folder.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                yield file, file.relative_to(folder)


def _fingerprint(program: ClientProgram, commands: Sequence[Sequence[str]]) -> str:
    digest = hashlib.sha256(json.dumps(commands).encode())
    for file, name in _sources(program):
        digest.update(f"\0{name}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _filled(command: Sequence[str], known_places: Mapping[str, str]) -> list[str]:
    try:
        return [_PLACE.sub(lambda place: known_places[place[1]], word) for word in command]
    except KeyError as error:
        raise ClientError(f"a command needs {error.args[0]}, which is not known here") from None


def _checked(command: Sequence[str], folder: Path, seconds_max: float, client: str) -> str:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=seconds_max,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "CI": "true"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ClientError(f"{client}: {error}") from error
    if done.returncode != 0:
        said = (done.stdout + done.stderr)[-4_000:]
        raise ClientError(f"{client}: {' '.join(command)} ended with {done.returncode}:\n{said}")
    return done.stdout
