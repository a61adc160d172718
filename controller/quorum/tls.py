"""Mutual TLS between voters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc


def default_name_of(node_id: int) -> str:
    """The name that the certificate of a node bears, unless told otherwise."""
    return f"node-{node_id}"


@dataclass(frozen=True, slots=True)
class QuorumTls:
    """Mutual TLS between voters: PEM contents, and which name proves which node."""

    authority: bytes
    certificate: bytes
    private_key: bytes
    name_of: Callable[[int], str] = default_name_of

    def server_credentials(self) -> grpc.ServerCredentials:
        return grpc.ssl_server_credentials(
            [(self.private_key, self.certificate)],
            root_certificates=self.authority,
            require_client_auth=True,
        )

    def channel_credentials(self) -> grpc.ChannelCredentials:
        return grpc.ssl_channel_credentials(self.authority, self.private_key, self.certificate)


def certificate_names(context: Any) -> set[str]:
    """The names that the caller's certificate is for: its alternative names, else its common."""
    proved: dict[str, list[bytes]] = context.auth_context()
    names = proved.get("x509_subject_alternative_name") or proved.get("x509_common_name") or []
    return {name.decode("utf-8", "replace") for name in names}
