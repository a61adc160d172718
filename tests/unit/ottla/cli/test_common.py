from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from ottla.cli.common import client_options, resolve_bootstrap, tls_context
from ottla.core.errors import ConfigError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("OTTLA_DATA", "OTTLA_TLS_CA", "OTTLA_TLS_CERT", "OTTLA_TLS_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_what_is_given_wins(tmp_path: Path) -> None:
    (tmp_path / ".ottla").mkdir()
    (tmp_path / ".ottla" / "cluster.json").write_text('{"bootstrap": "local:1"}')
    assert resolve_bootstrap("given:2") == "given:2"
    assert resolve_bootstrap(None) == "local:1"


def test_the_folder_may_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cluster.json").write_text('{"bootstrap": "local:1"}')
    monkeypatch.setenv("OTTLA_DATA", str(tmp_path))
    assert resolve_bootstrap(None) == "local:1"


@pytest.mark.parametrize("state", ["", "[]", "{}", '{"bootstrap": 1}', '{"bootstrap": ""}'])
def test_without_a_local_cluster(tmp_path: Path, state: str) -> None:
    (tmp_path / ".ottla").mkdir()
    assert resolve_bootstrap(None) == "127.0.0.1:9092"
    (tmp_path / ".ottla" / "cluster.json").write_text(state)
    assert resolve_bootstrap(None) == "127.0.0.1:9092"


def test_options() -> None:
    assert client_options(5).timeout_ms == 5_000


def test_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tls_context() is None
    monkeypatch.setenv("OTTLA_TLS_CA", str(tmp_path / "ca.pem"))
    with pytest.raises(ConfigError, match=r"cannot use .*ca\.pem for TLS: No such file"):
        tls_context()
    (tmp_path / "ca.pem").write_text("no certificate")
    with pytest.raises(ConfigError, match="name PEM files"):
        tls_context()
    authorities = ssl.get_default_verify_paths().cafile
    if authorities:
        monkeypatch.setenv("OTTLA_TLS_CA", authorities)
        assert tls_context() is not None
