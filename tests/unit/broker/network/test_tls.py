import ssl
import subprocess
from pathlib import Path

import pytest

from broker.network.tls import server_context
from ottla.core.errors import ConfigError


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str, str]:
    """A chain, its key, and its key under the password ``secret``."""
    folder = tmp_path_factory.mktemp("tls")
    chain, key, locked = (str(folder / name) for name in ("chain.pem", "key.pem", "locked.pem"))
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subject = ["-days", "2", "-subj", "/CN=localhost", "-keyout", key, "-out", chain]
    for command in (
        ["openssl", "req", "-x509", *curve, *subject],
        ["openssl", "pkcs8", "-topk8", "-in", key, "-out", locked, "-passout", "pass:secret"],
    ):
        subprocess.run(command, check=True, capture_output=True)
    return chain, key, locked


def test_a_certificate_and_its_key_make_a_context(files: tuple[str, str, str]) -> None:
    context = server_context(certificate=files[0], key=files[1])
    assert context.verify_mode == ssl.CERT_NONE
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    ("client_auth", "mode"), [("requested", ssl.CERT_OPTIONAL), ("required", ssl.CERT_REQUIRED)]
)
def test_client_certificates(
    files: tuple[str, str, str], client_auth: str, mode: ssl.VerifyMode
) -> None:
    context = server_context(
        certificate=files[0], key=files[1], ca=files[0], client_auth=client_auth
    )
    assert context.verify_mode == mode


def test_a_key_under_a_password(files: tuple[str, str, str]) -> None:
    server_context(certificate=files[0], key=files[2], key_password="secret")
    for password in ("wrong", None):
        with pytest.raises(ConfigError, match=r"ssl\.key\.password must fit"):
            server_context(certificate=files[0], key=files[2], key_password=password)


def test_what_is_missing_or_wrong_is_named(files: tuple[str, str, str], tmp_path: Path) -> None:
    chain, key, _ = files
    with pytest.raises(ConfigError, match=r"set ssl\.certificate\.location"):
        server_context(certificate=None, key=None)
    with pytest.raises(ConfigError, match=r"a file is missing: /nowhere"):
        server_context(certificate="/nowhere", key=None)
    with pytest.raises(ConfigError, match=r"set ssl\.ca\.location"):
        server_context(certificate=chain, key=key, client_auth="required")
    with pytest.raises(ConfigError, match=r"'maybe' is none of none, requested, required"):
        server_context(certificate=chain, key=key, client_auth="maybe")
    text = tmp_path / "text"
    text.write_text("no PEM")
    with pytest.raises(ConfigError, match="both must be PEM"):
        server_context(certificate=str(text), key=key)
    with pytest.raises(ConfigError, match=r"ssl\.ca\.location"):
        server_context(certificate=chain, key=key, ca=str(text))
