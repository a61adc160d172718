from dataclasses import dataclass

import pytest

from ottla.core.errors import ConfigError
from ottla.core.settings import load, setting, specs


@dataclass(frozen=True)
class Example:
    node_id: int = setting("node.id", documentation="the node", minimum=0, maximum=99)
    roles: tuple[str, ...] = setting("process.roles", ("broker",), choices=("broker", "controller"))
    enable: bool = setting("auto.create", True)
    rack: str | None = setting("broker.rack", None)
    password: str | None = setting("ssl.password", None, secret=True)


def test_flat_dotted_and_table_keys_are_the_same() -> None:
    for text in ('node.id = 7\nbroker.rack = "a"', '"node.id" = 7\n[broker]\nrack = "a"'):
        loaded = load(Example, text=text, file_name="n.toml")
        assert loaded.settings == Example(node_id=7, rack="a")


def test_the_environment_wins_and_the_source_is_told() -> None:
    loaded = load(
        Example,
        text="# first\nnode.id = 7\nauto.create = true",
        file_name="n.toml",
        environment={
            "OTTLA_AUTO_CREATE": "no",
            "OTTLA_PROCESS_ROLES": "broker, controller",
            "OTTLA_SSL_PASSWORD": "hunter2",
            "OTTLA_SERVICE_HOST": "injected",
        },
    )
    assert loaded.settings.enable is False
    assert loaded.settings.roles == ("broker", "controller")
    assert loaded.describe() == [
        "node.id = 7  (n.toml, line 2)",
        "process.roles = broker,controller  (OTTLA_PROCESS_ROLES)",
        "auto.create = false  (OTTLA_AUTO_CREATE)",
        "ssl.password = [hidden]  (OTTLA_SSL_PASSWORD)",
    ]
    assert loaded.unknown_variables == ("OTTLA_SERVICE_HOST",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("\nnode.idd = 7", r"n.toml, line 2: unknown setting 'node.idd'; did you mean node.id\?"),
        ("node.id = 100", "n.toml, line 1: node.id must be between 0 and 99, not 100"),
        ('node.id = "x"', "node.id must be a whole number, not 'x'"),
        ("node.id = true", "node.id must be a whole number"),
        ('[process]\nroles = ["boss"]', "line 2: process.roles must be one of broker, controller"),
        ("node.id = 1\nauto.create = 3", "line 2: auto.create must be true or false, not 3"),
        ("node.id = 1\nbroker.rack = 3", "broker.rack must be a string"),
        ("process.roles = [1]", "process.roles must be a list of strings"),
        ("auto.create = true", r"setting 'node.id' is missing \(the node\).*OTTLA_NODE_ID"),
        ("node.id = ", "n.toml is not valid TOML"),
    ],
)
def test_what_is_wrong_is_named(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load(Example, text=text, file_name="n.toml")


def test_specs_keep_their_order() -> None:
    assert [spec.name for spec in specs(Example)][:2] == ["node.id", "process.roles"]
