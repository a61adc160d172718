"""What all commands that talk to a cluster share: where it is, and how to reach it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ottla.core.errors import ConfigError

if TYPE_CHECKING:
    import ssl

    from ottla.client.admin import Admin
    from ottla.client.options import ClientOptions

DEFAULT_FOLDER = ".ottla"
STATE_FILE = "cluster.json"
DEFAULT_BOOTSTRAP = "127.0.0.1:9092"
TIMEOUT_SECONDS = 30.0

BootstrapOption = Annotated[
    str | None,
    typer.Option(
        "--bootstrap",
        "-b",
        envvar="OTTLA_BOOTSTRAP",
        metavar="HOST:PORT,…",
        help="Brokers to ask first; left out: the cluster of 'ottla up' in this folder, "
        f"else {DEFAULT_BOOTSTRAP}.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def admin(bootstrap: str | None, timeout: float = TIMEOUT_SECONDS) -> Admin:
    """An admin client of the cluster that a command is about."""
    from ottla.client.admin import Admin

    return Admin(resolve_bootstrap(bootstrap), options=client_options(timeout))


def resolve_bootstrap(given: str | None) -> str:
    """The addresses to ask: those given, those of the local cluster, or the usual one."""
    if given is not None:
        return given
    folder = Path(os.environ.get("OTTLA_DATA") or DEFAULT_FOLDER)
    try:
        state = json.loads((folder / STATE_FILE).read_text(encoding="utf-8"))
        local = state["bootstrap"]
    except (OSError, ValueError, KeyError, TypeError):
        return DEFAULT_BOOTSTRAP
    return local if isinstance(local, str) and local else DEFAULT_BOOTSTRAP


def client_options(timeout_seconds: float = TIMEOUT_SECONDS) -> ClientOptions:
    """Options of a client that reports its retries to standard error."""
    from ottla.cli.output import RetryReporter
    from ottla.client.options import ClientOptions

    return ClientOptions.make(timeout_seconds, tls_context(), RetryReporter())


def tls_context() -> ssl.SSLContext | None:
    """TLS as the environment sets it up; None without.

    OTTLA_TLS_CA: certificates to trust (a file); OTTLA_TLS_CERT, OTTLA_TLS_KEY: our own.
    """
    authority = os.environ.get("OTTLA_TLS_CA")
    certificate = os.environ.get("OTTLA_TLS_CERT")
    if not authority and not certificate:
        return None
    import ssl

    try:
        context = ssl.create_default_context(cafile=authority or None)
        if certificate:
            context.load_cert_chain(certificate, os.environ.get("OTTLA_TLS_KEY") or None)
    except OSError as error:
        files = " or ".join(name for name in (authority, certificate) if name)
        reason = error.strerror or str(error)
        raise ConfigError(
            f"cannot use {files} for TLS: {reason}; OTTLA_TLS_CA, OTTLA_TLS_CERT and OTTLA_TLS_KEY "
            "name PEM files"
        ) from None
    return context
