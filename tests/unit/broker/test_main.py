from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker.main import main
from controller.quorum.bootstrap import read_mark
from storage.vfs import OsVfs

SETTINGS = """
node.id = 1
cluster.id = "AAAAAAAAAAAAAAAAAAAAAQ"
process.roles = ["broker"]
log.dirs = ["/nowhere/log"]
listeners = ["PLAINTEXT://127.0.0.1:9092"]
internal.listener = "127.0.0.1:19092"
controller.quorum.bootstrap.servers = ["127.0.0.1:19092"]
"""


@pytest.fixture(autouse=True)
def _as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith("OTTLA_"):
            monkeypatch.delenv(name)
    handler = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, handler)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[object, str, str]:
    code: object = 0
    try:
        main(arguments)
    except SystemExit as ended:
        code = ended.code
    output, errors = capsys.readouterr()
    return code, output, errors


def test_check_prints_what_is_taken_from_where(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "node.toml"
    file.write_text(SETTINGS)
    monkeypatch.setenv("OTTLA_NUM_PARTITIONS", "4")
    code, output, errors = run(capsys, "--check", "--config", str(file))
    assert (code, errors) == (0, "")
    assert f"node.id = 1  ({file}, line 2)" in output.splitlines()
    assert "num.partitions = 4  (OTTLA_NUM_PARTITIONS)" in output.splitlines()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("num.partition = 3", "line 9: unknown setting 'num.partition'; did you mean"),
        ("num.partitions = 'x'", "line 9: num.partitions must be a whole number, not 'x'"),
        ("= 3", "is not valid TOML"),
        ("log.file = '/dev/null/x/y'", "log.file: cannot write /dev/null/x/y (Not a directory)"),
    ],
)
def test_wrong_settings_are_one_sentence_and_code_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, sentence: str
) -> None:
    file = tmp_path / "node.toml"
    file.write_text(SETTINGS + line + "\n")
    code, _, errors = run(capsys, "--config", str(file))
    assert code == 2
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1
    assert sentence in errors


def test_a_controller_is_formatted_once_and_a_broker_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "metadata"
    settings = SETTINGS.replace('["broker"]', '["controller"]')
    file = tmp_path / "node.toml"
    file.write_text(f"{settings}controller.quorum.voters = ['1@127.0.0.1:29092']\n")
    monkeypatch.setenv("OTTLA_METADATA_LOG_DIR", str(folder))
    assert run(capsys, "--format", "--config", str(file)) == (
        0,
        f"{folder} is prepared for controller 1\n",
        "",
    )
    mark = read_mark(str(folder), OsVfs())
    assert mark is not None
    assert mark.voters == (1,)
    code, _, errors = run(capsys, "--format", "--config", str(file))
    assert code == 2
    assert "already belongs to a voter" in errors
    file.write_text(SETTINGS)
    assert run(capsys, "--format", "--config", str(file))[0] == 2


def test_a_new_cluster_id_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    code, output, _ = run(capsys, "--new-cluster-id")
    assert code == 0
    assert len(output) == 23
