"""TLS of the gRPC ports: every node shows a certificate of the cluster's authority."""

from __future__ import annotations

import ssl
from pathlib import Path

import grpc

from broker.settings import NodeSettings
from controller.quorum.transport import QuorumTls
from ottla.core.errors import ConfigError


def read_pem(setting_name: str, path: str) -> bytes:
    """A PEM file's bytes; ConfigError names the setting when it cannot be read."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{setting_name}: cannot read {path}: {error.strerror}") from None


def _parts(settings: NodeSettings) -> tuple[bytes, bytes, bytes] | None:
    certificate = settings.internal_ssl_certificate
    key = settings.internal_ssl_key
    authority = settings.internal_ssl_ca
    if certificate is None or key is None or authority is None:
        return None
    return (
        read_pem("internal.ssl.certificate.location", certificate),
        read_pem("internal.ssl.key.location", key),
        read_pem("internal.ssl.ca.location", authority),
    )


def listening_context(settings: NodeSettings) -> ssl.SSLContext | None:
    """Of the internal listener, which demands a certificate of the caller; None without TLS."""
    return _context(settings, ssl.PROTOCOL_TLS_SERVER)


def dialling_context(settings: NodeSettings) -> ssl.SSLContext | None:
    """For connections to internal listeners, of which a certificate for the name that was dialled
    is demanded; None without TLS."""
    return _context(settings, ssl.PROTOCOL_TLS_CLIENT)


def _context(settings: NodeSettings, side: int) -> ssl.SSLContext | None:
    if _parts(settings) is None:
        return None
    context = ssl.SSLContext(side)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])
    try:
        context.load_verify_locations(settings.internal_ssl_ca)
        context.load_cert_chain(settings.internal_ssl_certificate or "", settings.internal_ssl_key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            "internal.ssl.certificate.location, internal.ssl.key.location or "
            f"internal.ssl.ca.location cannot be used: {error.strerror or error}"
        ) from None
    return context


def channel_credentials(settings: NodeSettings) -> grpc.ChannelCredentials | None:
    """Credentials that show this node's certificate; None without TLS settings."""
    parts = _parts(settings)
    if parts is None:
        return None
    certificate, key, authority = parts
    return grpc.ssl_channel_credentials(
        root_certificates=authority, private_key=key, certificate_chain=certificate
    )


def quorum_tls(settings: NodeSettings) -> QuorumTls | None:
    """The same certificates for the quorum's own listener; None without TLS settings."""
    parts = _parts(settings)
    if parts is None:
        return None
    certificate, key, authority = parts
    return QuorumTls(authority=authority, certificate=certificate, private_key=key)
