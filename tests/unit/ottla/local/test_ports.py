import socket

from ottla.local.ports import free_ports, port_is_free


def test_free_ports_are_different_and_free() -> None:
    ports = free_ports(9)
    assert len(set(ports)) == 9
    assert all(port_is_free(port) for port in ports)


def test_a_port_that_somebody_listens_on_is_not_free() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        assert not port_is_free(server.getsockname()[1])
