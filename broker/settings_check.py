"""What a node cannot work with, and what is dangerous: said before anything is opened."""

from __future__ import annotations

from broker.addresses import is_loopback
from broker.settings import NodeSettings
from ottla.core.errors import ConfigError
from ottla.core.identifiers import uuid_from_text
from ottla.core.topic_configs import topic_configs_fault, topic_defaults


def validate(settings: NodeSettings) -> list[str]:
    """Refuse what cannot work (ConfigError) and return warnings of what is dangerous."""
    try:
        uuid_from_text(settings.cluster_id)
    except ValueError:
        raise ConfigError(
            f"cluster.id must be 22 characters of URL-safe base64, not '{settings.cluster_id}'; "
            "make one with 'ottla-server --new-cluster-id'"
        ) from None
    fault = topic_configs_fault(topic_defaults(settings.topic_defaults))
    if fault is not None:
        raise ConfigError(f"defaults of topics: {fault}")
    warnings: list[str] = []
    if settings.is_controller and settings.node_id not in settings.voters():
        raise ConfigError(
            f"node {settings.node_id} has the role controller but is not among "
            "controller.quorum.voters; add it as id@host:port of its raft.listener"
        )
    if settings.is_broker:
        if not settings.controllers():
            raise ConfigError(
                "controller.quorum.bootstrap.servers is empty; name the internal listeners of the "
                "controllers"
            )
        warnings += _validate_client_listeners(settings)
        if settings.group_min_session_timeout_ms > settings.group_max_session_timeout_ms:
            raise ConfigError(
                "group.min.session.timeout.ms must not exceed group.max.session.timeout.ms"
            )
    if settings.broker_heartbeat_interval_ms * 2 > settings.broker_session_timeout_ms:
        raise ConfigError(
            "broker.heartbeat.interval.ms must be at most half of broker.session.timeout.ms"
        )
    warnings += _validate_internal_listeners(settings)
    http = settings.http_address()
    if http is not None and not is_loopback(http.host):
        warnings.append(
            f"http.listener on {http} is open to anyone who reaches it: names of topics and "
            "groups, and how much is written and read, can be seen there"
        )
    internal = settings.advertised_internal_address()
    if settings.is_broker and internal.host in ("", "0.0.0.0", "::"):
        raise ConfigError(
            f"advertised.internal.listener: other nodes cannot dial '{internal}'; set it to a host "
            "name or address of this machine that they can reach"
        )
    return warnings


def _validate_client_listeners(settings: NodeSettings) -> list[str]:
    bound = {listener.name: listener for listener in settings.client_listeners()}
    if len(bound) != len(settings.listeners):
        raise ConfigError("listeners: each name may be used once")
    advertised = {listener.name: listener for listener in settings.advertised()}
    if advertised.keys() != bound.keys():
        raise ConfigError(
            f"advertised.listeners names {', '.join(advertised)} but listeners names "
            f"{', '.join(bound)}; the names must be the same"
        )
    for listener in advertised.values():
        if listener.address.host in ("", "0.0.0.0", "::"):
            raise ConfigError(
                f"advertised.listeners: clients cannot connect to '{listener.address}'; set a host "
                "name or address of this machine that they can reach"
            )
    places = [listener.address for listener in advertised.values()]
    for place in places:
        if places.count(place) > 1:
            raise ConfigError(
                f"advertised.listeners: {place} stands for {places.count(place)} listeners; "
                "clients of both would reach the same one, so give each a port of its own"
            )
    warnings = []
    for listener in bound.values():
        if listener.security_protocol == "SSL":
            if not settings.ssl_certificate or not settings.ssl_key:
                raise ConfigError(
                    f"listener {listener.name} uses SSL: set ssl.certificate.location and "
                    "ssl.key.location"
                )
        elif not is_loopback(listener.address.host):
            _require_plaintext(settings, f"listeners: {listener.name} on {listener.address}")
            warnings.append(
                f"listener {listener.name} on {listener.address} is plaintext: anyone who reaches "
                "it can read, write and delete every topic"
            )
    return warnings


def _validate_internal_listeners(settings: NodeSettings) -> list[str]:
    parts = (
        settings.internal_ssl_certificate,
        settings.internal_ssl_key,
        settings.internal_ssl_ca,
    )
    if all(parts):
        return []
    if any(parts):
        raise ConfigError(
            "TLS between nodes needs all of internal.ssl.certificate.location, "
            "internal.ssl.key.location and internal.ssl.ca.location"
        )
    warnings = []
    bound = {"internal.listener": settings.internal_address()}
    if settings.is_controller:
        bound["raft.listener"] = settings.raft_address()
    for name, address in bound.items():
        if not is_loopback(address.host):
            _require_plaintext(settings, f"{name} on {address}")
            warnings.append(
                f"{name} on {address} is plaintext: anyone who reaches it can pose as a node and "
                "change or destroy the cluster's data"
            )
    return warnings


def _require_plaintext(settings: NodeSettings, what: str) -> None:
    if not settings.allow_plaintext:
        raise ConfigError(
            f"{what} is beyond loopback and without TLS; configure certificates, bind 127.0.0.1, "
            "or set allow.plaintext=true if every machine on that network may be trusted"
        )
