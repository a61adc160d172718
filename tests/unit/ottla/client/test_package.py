from __future__ import annotations

import subprocess
import sys

import pytest

import ottla.client


def test_every_public_name_is_there() -> None:
    for name in ottla.client.__all__:
        assert getattr(ottla.client, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        ottla.client.nothing  # noqa: B018


def test_administration_does_not_load_compression() -> None:
    code = "import sys, ottla.client.admin; sys.exit('cramjam' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
