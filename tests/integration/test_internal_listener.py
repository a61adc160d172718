"""Our gRPC against grpc's own, both ways, with and without TLS; and a cluster that uses TLS."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import confluent_kafka
import grpc
import grpc.aio
import pytest

from broker.internal.dialing import open_call
from broker.internal.messages import Message
from broker.internal.server import GrpcServer
from broker.internal.stream import StreamClosed
from broker.internal.tls import dialling_context, listening_context
from broker.settings import NodeSettings, load_node_settings
from ottla.core.identifiers import random_uuid, uuid_text
from ottla.testing import Cluster
from tests.support.certificates import Authority, Signed
from tests.support.in_loop import in_loop
from tests.support.topics import create_topic

SIZES = (0, 1, 5, 16_380, 16_384, 70_000, 1 << 20, 5 << 20)
BYTES_MAX = 8 << 20
OPTIONS = [("grpc.max_receive_message_length", BYTES_MAX), ("grpc.max_send_message_length", -1)]


class Echo:
    """Handlers that both servers take."""

    async def once(self, request: bytes, context: Any) -> bytes:
        if request == b"refuse me":
            await context.abort(grpc.StatusCode.PERMISSION_DENIED, "100 % refused: é")
        if request == b"fail":
            raise ValueError("a planted fault")
        if request == b"for ever":
            await asyncio.sleep(1_000)
        return request

    async def stream(self, _: object, context: Any) -> None:
        while (message := await context.read()) is not grpc.aio.EOF:
            if message == b"enough":
                return
            await context.write(message)

    def generic(self) -> grpc.GenericRpcHandler:
        handlers: dict[str, Any] = {
            "Once": grpc.unary_unary_rpc_method_handler(self.once),
            "Stream": grpc.stream_stream_rpc_method_handler(self.stream),
        }
        return grpc.method_handlers_generic_handler("test.Echo", handlers)


def settings_with(signed: Signed) -> NodeSettings:
    variables = {
        "OTTLA_NODE_ID": "1",
        "OTTLA_CLUSTER_ID": uuid_text(random_uuid(random.Random(1))),
        "OTTLA_INTERNAL_SSL_CERTIFICATE_LOCATION": str(signed.certificate),
        "OTTLA_INTERNAL_SSL_KEY_LOCATION": str(signed.key),
        "OTTLA_INTERNAL_SSL_CA_LOCATION": str(signed.authority),
    }
    return load_node_settings("", variables).settings


@asynccontextmanager
async def our_server(tls: ssl.SSLContext | None = None) -> AsyncIterator[GrpcServer]:
    server = GrpcServer(message_bytes_max=BYTES_MAX)
    server.registry.add_generic_rpc_handlers((Echo().generic(),))
    await server.start("127.0.0.1", 0, tls)
    try:
        yield server
    finally:
        await server.stop(0)


def our_call(port: int, tls: ssl.SSLContext | None = None, method: str = "Stream") -> Any:
    return open_call(
        "127.0.0.1",
        port,
        f"/test.Echo/{method}",
        tls=tls,
        connect_seconds_max=5,
        window_bytes=1 << 20,
        message_bytes_max=BYTES_MAX,
    )


async def hello(port: int, tls: ssl.SSLContext | None) -> Message:
    async with our_call(port, tls) as call:
        await call.write(b"hello")
        answer: Message = await call.read()
        return answer


async def exchange(call: Any) -> None:
    """Messages of all sizes to and fro, by either library's stream."""

    async def send() -> None:
        for size in SIZES:
            await call.write(bytes(size))

    async with asyncio.timeout(60):
        sending = asyncio.ensure_future(send())
        for size in SIZES:
            assert await call.read() == bytes(size)
        await sending


@in_loop
async def test_grpc_calls_our_server() -> None:
    async with (
        our_server() as server,
        grpc.aio.insecure_channel(f"127.0.0.1:{server.port}", options=OPTIONS) as channel,
    ):
        once: Any = channel.unary_unary("/test.Echo/Once")
        assert await once(b"text") == b"text"
        assert await once(bytes(3 << 20)) == bytes(3 << 20)
        assert await asyncio.gather(*(once(bytes([n])) for n in range(250))) == [
            bytes([n]) for n in range(250)
        ]
        for request, code, details in (
            (b"refuse me", grpc.StatusCode.PERMISSION_DENIED, "100 % refused: é"),
            (b"fail", grpc.StatusCode.UNKNOWN, "ValueError: a planted fault"),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await once(request)
            assert (error.value.code(), error.value.details()) == (code, details)
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await once(b"for ever", timeout=0.1)
        assert error.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
        other: Any = channel.unary_unary("/test.Echo/Other")
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await other(b"")
        assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED
        with pytest.raises(grpc.aio.AioRpcError):
            await once(bytes(BYTES_MAX + 1))
        assert await once(b"after all that") == b"after all that"


@in_loop
async def test_grpc_streams_with_our_server() -> None:
    async with (
        our_server() as server,
        grpc.aio.insecure_channel(f"127.0.0.1:{server.port}", options=OPTIONS) as channel,
    ):
        for last in (b"enough", None):
            call: Any = channel.stream_stream("/test.Echo/Stream")()
            await exchange(call)
            if last is None:
                await call.done_writing()
            else:
                await call.write(last)
            assert await call.read() is grpc.aio.EOF
            assert await call.code() == grpc.StatusCode.OK


@in_loop
async def test_our_call_streams_with_grpcs_server() -> None:
    server = grpc.aio.server(options=OPTIONS)
    server.add_generic_rpc_handlers((Echo().generic(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with our_call(port) as call:
            await exchange(call)
            await call.write(b"enough")
            with pytest.raises(StreamClosed, match="the peer ended it"):
                await call.read()
        async with our_call(port, method="Once") as call:
            await call.write(b"refuse me")
            with pytest.raises(StreamClosed, match="100 % refused: é"):
                await call.read()
        async with our_call(port, method="Other") as call:
            with pytest.raises(StreamClosed):
                await call.read()
    finally:
        await server.stop(None)


@in_loop
async def test_our_call_and_our_server() -> None:
    async with our_server() as server, our_call(server.port) as call:
        await exchange(call)
        port = server.port
        await server.stop(0)
        with pytest.raises(StreamClosed):
            await call.read()
    with pytest.raises(StreamClosed, match=f"cannot connect to 127.0.0.1:{port}"):
        async with our_call(port):
            pass


@in_loop
async def test_a_port_that_is_taken() -> None:
    async with our_server() as server:
        with pytest.raises(OSError, match="address already in use"):
            await GrpcServer(message_bytes_max=1).start("127.0.0.1", server.port)


def test_with_tls_both_ends_show_a_certificate(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, "other")
    ours = settings_with(authority.sign("node-1", "DNS:node-1", "IP:127.0.0.1"))
    stranger = settings_with(other.sign("stranger", "DNS:node-1", "IP:127.0.0.1"))
    misplaced = settings_with(authority.sign("node-2", "DNS:node-2"))

    async def story() -> None:
        tls = dialling_context(ours)
        assert tls is not None
        async with our_server(listening_context(ours)) as server:
            async with our_call(server.port, tls) as call:
                await exchange(call)
            credentials = grpc.ssl_channel_credentials(
                *(
                    path.read_bytes()
                    for path in map(
                        Path,
                        (
                            ours.internal_ssl_ca or "",
                            ours.internal_ssl_key or "",
                            ours.internal_ssl_certificate or "",
                        ),
                    )
                )
            )
            where = f"127.0.0.1:{server.port}"
            async with grpc.aio.secure_channel(where, credentials, options=OPTIONS) as channel:
                once: Any = channel.unary_unary("/test.Echo/Once")
                assert await once(b"text") == b"text"
                await exchange(channel.stream_stream("/test.Echo/Stream")())
            # In the clear, with a certificate of another authority, with none.
            bare = ssl.create_default_context(cafile=ours.internal_ssl_ca)
            for context in (None, dialling_context(stranger), bare):
                with pytest.raises(StreamClosed):
                    await hello(server.port, context)
        async with our_server(listening_context(misplaced)) as server:
            with pytest.raises(StreamClosed, match="certificate"):
                async with our_call(server.port, tls):
                    pass

    asyncio.run(story())


def test_a_cluster_with_tls_inside_replicates_and_survives(tmp_path: Path) -> None:
    names = [f"DNS:node-{number}" for number in (1, 2, 3)]
    signed = Authority(tmp_path).sign("nodes", *names, "IP:127.0.0.1", "DNS:localhost")
    settings = {
        "internal.ssl.certificate.location": str(signed.certificate),
        "internal.ssl.key.location": str(signed.key),
        "internal.ssl.ca.location": str(signed.authority),
    }
    with Cluster(brokers=3, settings=settings) as cluster:
        create_topic(cluster.bootstrap, "orders", partitions=3)
        producer = confluent_kafka.Producer({"bootstrap.servers": cluster.bootstrap, "acks": "all"})
        for number in range(100):
            producer.produce("orders", str(number).encode(), partition=number % 3)
        assert producer.flush(60) == 0
        cluster.kill(cluster.leader("orders", 0))
        for number in range(100, 200):
            producer.produce("orders", str(number).encode(), partition=number % 3)
        assert producer.flush(60) == 0
        consumer = confluent_kafka.Consumer(
            {
                "bootstrap.servers": cluster.bootstrap,
                "group.id": "none",
                "enable.auto.commit": False,
            }
        )
        begin = confluent_kafka.OFFSET_BEGINNING
        consumer.assign([confluent_kafka.TopicPartition("orders", p, begin) for p in range(3)])
        found: list[int] = []
        while len(found) < 200:
            message = consumer.poll(60)
            assert message is not None
            assert message.error() is None
            found.append(int(message.value() or b""))
        consumer.close()
        assert sorted(found) == [*range(200)]
