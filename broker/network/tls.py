"""TLS of client listeners, from the ``ssl.*`` settings: PEM files, TLS 1.2 and above."""

from __future__ import annotations

import ssl
from typing import Final

from ottla.core.errors import ConfigError

_VERIFY: Final = {
    "none": ssl.CERT_NONE,
    "requested": ssl.CERT_OPTIONAL,
    "required": ssl.CERT_REQUIRED,
}


def server_context(
    *,
    certificate: str | None,
    key: str | None,
    key_password: str | None = None,
    ca: str | None = None,
    client_auth: str = "none",
) -> ssl.SSLContext:
    """The context of an SSL listener.

    `certificate` is a file with the chain, the node's own first, `key` its private key (None: in
    the same file), `ca` the roots that client certificates must lead to. ConfigError with one
    sentence for whatever is missing or does not fit together.
    """
    if certificate is None:
        raise ConfigError("an SSL listener needs a certificate: set ssl.certificate.location")
    if client_auth not in _VERIFY:
        raise ConfigError(f"ssl.client.auth: '{client_auth}' is none of {', '.join(_VERIFY)}")
    if client_auth != "none" and ca is None:
        raise ConfigError(
            f"ssl.client.auth={client_auth} needs the roots of client certificates: "
            "set ssl.ca.location"
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # An empty password instead of none: OpenSSL would ask on the terminal and wait for ever.
    password = key_password or ""
    try:
        context.load_cert_chain(certificate, key, lambda: password)
    except FileNotFoundError as error:
        where = certificate if key is None else f"{certificate} and {key}"
        raise ConfigError(
            f"a file is missing: {where} (ssl.certificate.location, ssl.key.location)"
        ) from error
    except OSError as error:  # ssl.SSLError is one
        raise ConfigError(
            f"{certificate} and {key or 'the key in it'} cannot be used "
            f"({error.strerror or error}): both must be PEM and belong together, "
            "and ssl.key.password must fit"
        ) from error
    if ca is not None:
        try:
            context.load_verify_locations(ca)
        except OSError as error:
            raise ConfigError(
                f"{ca} (ssl.ca.location) cannot be used: {error.strerror or error}"
            ) from error
    context.verify_mode = _VERIFY[client_auth]
    return context
