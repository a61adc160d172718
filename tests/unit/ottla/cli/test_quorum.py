from __future__ import annotations

from typing import Any

import pytest

from ottla.client.admin import Admin
from ottla.client.model import QuorumDescription, QuorumReplica
from ottla.core.errors import ErrorCode, ProtocolError
from ottla.core.identifiers import uuid_from_text
from tests.support.command_line import CommandLine

DIRECTORY = "ABCDEFGHIJKLMNOPQRSTUA"
FOUND = QuorumDescription(
    leader_id=2,
    leader_epoch=7,
    high_watermark=90,
    voters=(
        QuorumReplica(1, uuid_from_text(DIRECTORY), 60, 30, 5, None),
        QuorumReplica(2, None, None, None, None, None),
    ),
    observers=(QuorumReplica(9, None, 90, 0, 6, 6),),
    listeners={1: {"RAFT": "one:1"}},
)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    made: list[Any] = []
    monkeypatch.setattr(Admin, "describe_quorum", lambda _: FOUND)
    monkeypatch.setattr(Admin, "add_voter", lambda _, *arguments: made.append(arguments))
    monkeypatch.setattr(Admin, "remove_voter", lambda _, *arguments: made.append(arguments))
    return made


def test_describe(ottla: CommandLine, calls: list[Any]) -> None:
    done = ottla("quorum", "describe")
    assert done.lines[0] == "Node 2 leads in epoch 7; committed below offset 90."
    assert [line.split() for line in done.lines[3:]] == [
        ["1", "voter", "60", "30", DIRECTORY, "one:1"],
        ["2", "leader", "?", "?"],
        ["9", "observer", "90", "0"],
    ]
    as_json = ottla("quorum", "describe", "--json").json
    assert (as_json["leader"], as_json["high_watermark"]) == (2, 90)
    assert as_json["voters"][0]["directory_id"] == DIRECTORY
    assert as_json["observers"][0]["node"] == 9


def test_voters_are_added_and_removed(ottla: CommandLine, calls: list[Any]) -> None:
    added = ottla(
        "quorum", "add-voter", "4", "--directory-id", DIRECTORY, "--raft", "[::1]:5",
        "--internal", "host:6",
    )  # fmt: skip
    assert added.text == "Node 4 is a voter now.\n"
    assert ottla("quorum", "remove-voter", "4").text == "Node 4 is no voter any more.\n"
    removed = ottla("quorum", "remove-voter", "4", "--directory-id", DIRECTORY, "--json")
    assert removed.json == {"node": 4, "removed": True}
    directory_id = uuid_from_text(DIRECTORY)
    assert calls == [(4, directory_id, ("::1", 5), ("host", 6)), (4, None), (4, directory_id)]


def test_what_the_quorum_refuses(
    ottla: CommandLine, monkeypatch: pytest.MonkeyPatch, calls: list[Any]
) -> None:
    def refuse(*_: object) -> None:
        raise ProtocolError(ErrorCode.VOTER_NOT_FOUND, "node 4 is not a voter")

    monkeypatch.setattr(Admin, "remove_voter", refuse)
    done = ottla("quorum", "remove-voter", "4")
    assert done.code == 1
    assert done.errors == "error: node 4 is not a voter (VOTER_NOT_FOUND)\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["add-voter", "4", "--directory-id", "short", "--raft", "h:1"], "22 characters"),
        (["add-voter", "4", "--directory-id", DIRECTORY, "--raft", "h"], "expected HOST:PORT"),
        (["add-voter", "4", "--directory-id", DIRECTORY, "--raft", "h:0"], "expected HOST:PORT"),
        (["add-voter", "4", "--raft", "h:1"], "--directory-id"),
        (["remove-voter", "-1"], "No such option"),
    ],
)
def test_wrong_usage(
    ottla: CommandLine, calls: list[Any], arguments: list[str], words: str
) -> None:
    done = ottla("quorum", *arguments)
    assert done.code == 2
    assert words in done.errors
    assert calls == []
