from broker.network.advertised import unresolved
from broker.settings import NodeSettings

SETTINGS = NodeSettings(
    node_id=1,
    cluster_id="AAAAAAAAAAAAAAAAAAAAAQ",
    listeners=("INSIDE://0.0.0.0:9092", "OUTSIDE://0.0.0.0:9094"),
    advertised_listeners=("INSIDE://broker-1:9092", "OUTSIDE://broker.example:9094"),
    listener_security_protocol_map=("INSIDE:PLAINTEXT", "OUTSIDE:PLAINTEXT"),
    advertised_internal_listener="broker-1.internal:19092",
)


def known(*names: str) -> list[str]:
    def resolve(host: str, port: int) -> object:
        if host not in names:
            raise OSError(-2, "Name or service not known")
        return []

    return unresolved(SETTINGS, resolve)


def test_names_that_resolve_are_nothing_to_speak_of() -> None:
    assert known("broker-1", "broker.example", "broker-1.internal") == []


def test_each_name_that_does_not_resolve_is_one_sentence() -> None:
    assert known("broker-1", "broker-1.internal") == [
        "advertised.listeners tells clients to connect to broker.example:9094, a name that does "
        "not resolve on this machine; correct it, unless it is known where they are"
    ]
    (internal,) = known("broker-1", "broker.example")
    assert internal.startswith("advertised.internal.listener tells other nodes to connect to")
