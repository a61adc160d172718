"""What a client knows of its cluster: brokers, topics and leaders; and how it tries again.

Requests that any broker answers go over one *control* connection; records travel over a connection
per broker of their own, so that a long poll never stands before a question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import TypeVar

from ottla.client.connection import Address, Connection
from ottla.client.errors import (
    ConnectionLostError,
    DeadlineError,
    NoClusterError,
    protocol_error,
    sentence,
)
from ottla.client.model import PartitionDescription, TopicDescription
from ottla.client.options import BACKOFF_MS_MAX, BACKOFF_MS_MIN, ClientOptions
from ottla.core.errors import ConfigError, DecodeError, ErrorCode, OttlaError, ProtocolError
from ottla.protocol.api import ApiKey
from ottla.protocol.message import Message
from ottla.protocol.messages.metadata_request import MetadataRequest, MetadataRequestTopic
from ottla.protocol.messages.metadata_response import (
    MetadataResponse,
    MetadataResponseTopic,
)

Result = TypeVar("Result")
Answer = TypeVar("Answer", bound=Message)

DEFAULT_PORT = 9092


def parse_bootstrap(text: str) -> list[Address]:
    """``host:port,host:port`` as addresses; the port may be left out. ConfigError says what fails.

    An IPv6 address with a port stands in brackets.
    """
    addresses: list[Address] = []
    for part in text.split(","):
        entry = part.strip()
        if not entry:
            continue
        if entry.startswith("["):
            host, _, port = entry[1:].partition("]")
            port = port.removeprefix(":")
        elif entry.count(":") > 1:
            host, port = entry, ""
        else:
            host, _, port = entry.partition(":")
        number = int(port) if port.isascii() and port.isdigit() else (0 if port else DEFAULT_PORT)
        if not host or "/" in entry or not 1 <= number <= 65535:
            raise ConfigError(
                f"'{entry}' is no bootstrap address; write host:port, several with commas between"
            )
        addresses.append(Address(host, number))
    if not addresses:
        raise ConfigError("no bootstrap address is given; write host:port, as 127.0.0.1:9092")
    return addresses


class Cluster:
    """Connections and metadata of one client; used by one thread."""

    def __init__(self, bootstrap: str, options: ClientOptions) -> None:
        self.options = options
        self.bootstrap = parse_bootstrap(bootstrap)
        self.brokers: dict[int, Address] = {}
        self.topics: dict[str, TopicDescription] = {}
        self.stale = True
        """Whether something was heard that the metadata contradicts; `refresh` clears it."""
        self._control: Connection | None = None
        self._connections: dict[int, Connection] = {}
        self._rotation = 0
        self._was_connected = False

    def __enter__(self) -> Cluster:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        for connection in [self._control, *self._connections.values()]:
            if connection is not None:
                connection.close()
        self._control = None
        self._connections.clear()

    def now_ms(self) -> int:
        return self.options.clock.now_ms()

    def control(self) -> Connection:
        """A connection to any broker; NoClusterError when none answers."""
        if self._control is not None and not self._control.closed:
            return self._control
        candidates = list(dict.fromkeys([*self.brokers.values(), *self.bootstrap]))
        reasons: dict[str, None] = {}
        for attempt in range(len(candidates)):
            address = candidates[(self._rotation + attempt) % len(candidates)]
            try:
                self._control = Connection.open(address, self.options)
            except ConnectionLostError as error:
                reasons[str(error)] = None
                continue
            # Should this one fail later, the next try begins with another broker.
            self._rotation += attempt + 1
            self._was_connected = True
            return self._control
        addresses = ", ".join(str(address) for address in candidates)
        raise NoClusterError(
            f"no cluster answers at {addresses} ({'; '.join(reasons)}): "
            "start one with 'ottla up', or name another with --bootstrap"
        )

    def ask(self, key: ApiKey, message: Message, answer: type[Answer]) -> Answer:
        """Ask any broker, once."""
        return self.control().request(key, message, answer)

    def connection(self, node_id: int) -> Connection:
        """The connection for records to one broker; ConnectionLostError."""
        found = self._connections.get(node_id)
        if found is not None and not found.closed:
            return found
        address = self.brokers.get(node_id)
        if address is None:
            self.stale = True
            raise ConnectionLostError(f"broker {node_id} is not in the cluster at the moment")
        opened = self.open(address)
        self._connections[node_id] = opened
        return opened

    def open(self, address: Address) -> Connection:
        """A new connection, which the caller closes; ConnectionLostError as a sentence."""
        try:
            return Connection.open(address, self.options)
        except ConnectionLostError as error:
            self.stale = True
            raise ConnectionLostError(
                f"the broker at {address} does not answer ({error})"
            ) from error

    def give_up(self, connection: Connection) -> ConnectionLostError:
        """Close a connection whose answer is overdue; the error to report.

        Questions go to another broker from now on: this one would let them wait as long.
        """
        connection.close()
        if self._control is not None and self._control.address == connection.address:
            self._control.close()
        self.stale = True
        return ConnectionLostError(f"the broker at {connection.address} does not answer")

    def metadata(self, topics: Iterable[str] | None, *, create: bool = False) -> MetadataResponse:
        """Ask for `topics` (None: all), once; the brokers are taken over.

        `create` lets the cluster create those that do not exist, where it is set up so.
        """
        wanted = None if topics is None else [MetadataRequestTopic(name=name) for name in topics]
        request = MetadataRequest(wanted, allow_auto_topic_creation=create)
        response = self.ask(ApiKey.METADATA, request, MetadataResponse)
        self.brokers = {
            broker.node_id: Address(broker.host, broker.port) for broker in response.brokers
        }
        return response

    def refresh(self, topics: Iterable[str], *, create: bool = False) -> dict[str, ProtocolError]:
        """Bring `topics` up to date, once; what is wrong with each that has no metadata."""
        failures: dict[str, ProtocolError] = {}
        for topic in self.metadata(topics, create=create).topics:
            name = topic.name or ""
            if topic.error_code:
                failures[name] = protocol_error(topic.error_code, f"topic '{name}'")
                if topic.error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
                    self.topics.pop(name, None)
            else:
                self.topics[name] = describe_topic(topic)
        self.stale = False
        return failures

    def topic(
        self, name: str, *, create: bool = False, wait_ms: int | None = None
    ) -> TopicDescription:
        """A topic's metadata, asked for when not known; waits at most `wait_ms` for it to exist.

        ProtocolError: it does not exist, or its name is illegal.
        """
        known = self.topics.get(name)
        if known is not None:
            return known
        started_ms = self.now_ms()
        missing: ProtocolError | None = None

        def attempt() -> TopicDescription:
            nonlocal missing
            failure = self.refresh([name], create=create).get(name)
            found = self.topics.get(name)
            if found is not None:
                return found
            if failure is None:
                failure = protocol_error(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, f"topic '{name}'")
            waited_ms = self.now_ms() - started_ms
            unknown = failure.code is ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
            if unknown and wait_ms is not None and waited_ms >= wait_ms:
                missing = failure
                raise _GiveUp
            raise failure

        try:
            return self.retry(f"looking up topic '{name}'", attempt)
        except _GiveUp:
            if missing is None:
                raise
            raise missing from None

    def leader(self, topic: str, partition: int) -> PartitionDescription | None:
        """The partition as it is known; None when it is not."""
        known = self.topics.get(topic)
        if known is None or not 0 <= partition < len(known.partitions):
            return None
        return known.partitions[partition]

    def retry(
        self, what: str, attempt: Callable[[], Result], timeout_ms: int | None = None
    ) -> Result:
        """Call `attempt` until it succeeds, fails for good, or the deadline passes.

        Retriable: lost connections, ProtocolErrors that say so, and a cluster that cannot be
        reached but was reached before. DeadlineError names `what` and the last reason.
        """
        if timeout_ms is None:
            timeout_ms = self.options.timeout_ms
        deadline_ms = self.now_ms() + timeout_ms
        delay_ms = BACKOFF_MS_MIN
        while True:
            try:
                return attempt()
            except OttlaError as error:
                if not self.may_retry(error):
                    raise
                reason = sentence(error)
                if self.now_ms() + delay_ms >= deadline_ms:
                    raise DeadlineError(
                        f"{what} did not succeed within {timeout_ms / 1000:g} s: {reason}"
                    ) from error
            self.options.on_retry(f"{what}: {reason}; trying again")
            self.pause(delay_ms)
            delay_ms = min(delay_ms * 2, BACKOFF_MS_MAX)

    def may_retry(self, error: OttlaError) -> bool:
        """Whether trying again may help."""
        match error:
            case NoClusterError():
                return self._was_connected
            case ProtocolError():
                return error.retriable
            case _:
                return isinstance(error, ConnectionLostError)

    def pause(self, milliseconds: int) -> None:
        self.options.network.wait((), milliseconds)

    def wait_answers(self, connections: Sequence[Connection], timeout_ms: int) -> list[Connection]:
        """Those connections that have an answer, or were closed, to receive from."""
        early = [one for one in connections if one.has_answer]
        if early:
            return early
        ready = self.options.network.wait([one.transport for one in connections], timeout_ms)
        return [one for one in connections if one.transport in ready]


class _GiveUp(OttlaError):
    """Ends `Cluster.retry` early with an error that it would otherwise retry."""


def describe_topic(topic: MetadataResponseTopic) -> TopicDescription:
    """A topic of a Metadata answer whose error code is 0."""
    partitions = sorted(topic.partitions, key=lambda partition: partition.partition_index)
    # Partitions are found by index: an answer with holes would send records elsewhere.
    if [p.partition_index for p in partitions] != list(range(len(partitions))):
        raise DecodeError(f"the metadata of topic '{topic.name}' lacks some of its partitions")
    return TopicDescription(
        name=topic.name or "",
        topic_id=topic.topic_id,
        internal=topic.is_internal,
        partitions=tuple(
            PartitionDescription(
                index=partition.partition_index,
                leader_id=partition.leader_id if partition.leader_id >= 0 else None,
                leader_epoch=partition.leader_epoch,
                replicas=tuple(partition.replica_nodes),
                isr=tuple(partition.isr_nodes),
                offline=tuple(partition.offline_replicas),
            )
            for partition in partitions
        ),
    )
