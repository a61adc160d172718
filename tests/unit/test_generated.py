"""The committed gRPC code is what `make generate` writes (the codec's has a test of its own)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = {
    "control": "controller",
    "metadata": "controller",
    "raft": "controller",
    "replication": "broker",
    "transactions": "broker",
    "high_watermarks": "broker",
}


def test_every_contract_has_its_package() -> None:
    assert {path.stem for path in (ROOT / "proto").iterdir()} == set(CONTRACTS)
    listed = (ROOT / "Makefile").read_text().split("CONTRACTS := ", 1)[1].splitlines()[0]
    assert set(listed.split()) == {f"{package}/{name}" for name, package in CONTRACTS.items()}


@pytest.mark.parametrize(("name", "package"), CONTRACTS.items())
def test_generated_code_is_up_to_date(name: str, package: str, tmp_path: Path) -> None:
    folder = f"{package}/generated"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            f"-I{folder}=proto",
            f"--python_out={tmp_path}",
            f"--grpc_python_out={tmp_path}",
            f"--mypy_out=quiet:{tmp_path}",
            f"--mypy_grpc_out=quiet:{tmp_path}",
            f"{folder}/{name}.proto",
        ],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    written = sorted((tmp_path / folder).iterdir())
    assert len(written) == 4
    for path in written:
        assert path.read_text() == (ROOT / folder / path.name).read_text(), (
            f"{folder}/{path.name} is outdated: run 'make generate'"
        )
