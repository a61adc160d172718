"""Certificates for tests: an authority, and what it signs."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

_CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True)
class Signed:
    """PEM files."""

    authority: Path
    certificate: Path
    key: Path


class Authority:
    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder = folder
        self._key = folder / f"{name}.key"
        self.certificate = folder / f"{name}.pem"
        _openssl(
            "req", "-x509", *_CURVE, "-days", "2", "-subj", f"/CN={name}",
            "-keyout", str(self._key), "-out", str(self.certificate),
        )  # fmt: skip

    def sign(self, name: str, *alternative_names: str) -> Signed:
        """A certificate; alternative names as openssl writes them: DNS:host, IP:127.0.0.1."""
        key, request, certificate = (
            self._folder / f"{name}.{kind}" for kind in ("key", "csr", "pem")
        )
        extension = self._folder / f"{name}.ext"
        extension.write_text(f"subjectAltName={','.join(alternative_names or (f'DNS:{name}',))}\n")
        _openssl(
            "req", *_CURVE, "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(request)
        )  # fmt: skip
        _openssl(
            "x509", "-req", "-in", str(request), "-CA", str(self.certificate),
            "-CAkey", str(self._key), "-CAcreateserial", "-days", "2",
            "-extfile", str(extension), "-out", str(certificate),
        )  # fmt: skip
        return Signed(self.certificate, certificate, key)


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
