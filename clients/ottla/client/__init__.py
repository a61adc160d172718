"""A small synchronous Kafka client over blocking sockets: `Producer`, `TransactionalProducer`,
`Consumer` and `Admin`.

It needs neither threads nor an event loop, and talks to any Kafka-compatible cluster::

    from ottla.client import Consumer, Producer

    with Producer("127.0.0.1:9092") as producer:
        producer.send("greetings", b"hello", key=b"world")

    with Consumer("127.0.0.1:9092") as consumer:
        consumer.assign_topic("greetings", "earliest")
        for record in consumer.records(idle_seconds=1.0):
            print(record.value)

Failures are exceptions with a sentence: `ClientError` and its kinds for the network and for
deadlines, `ProtocolError` for what the cluster answered. What can be retried is retried until the
deadline that was given, and `ClientOptions.on_retry` hears of every try.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ottla.client.admin import Admin
    from ottla.client.consumer import Consumer
    from ottla.client.errors import (
        ClientError,
        ConnectionLostError,
        DeadlineError,
        DeliveryError,
        FatalTransactionError,
        NoClusterError,
        ProducerFencedError,
        TransactionAbortableError,
        UnsupportedApiError,
    )
    from ottla.client.options import ClientOptions
    from ottla.client.producer import Producer
    from ottla.client.transactional_producer import TransactionalProducer

__all__ = [
    "Admin",
    "ClientError",
    "ClientOptions",
    "ConnectionLostError",
    "Consumer",
    "DeadlineError",
    "DeliveryError",
    "FatalTransactionError",
    "NoClusterError",
    "Producer",
    "ProducerFencedError",
    "TransactionAbortableError",
    "TransactionalProducer",
    "UnsupportedApiError",
]

_MODULES = {"Admin": "admin", "ClientOptions": "options", "Consumer": "consumer"}
_MODULES |= {"Producer": "producer", "TransactionalProducer": "transactional_producer"}


def __getattr__(name: str) -> Any:
    # Lazily: the command line imports one of them, and compression only with some.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"ottla.client.{_MODULES.get(name, 'errors')}"), name)
