"""What is no part of a log is named, with what the next start does to it."""

from __future__ import annotations

import pytest

from storage.inspection.leftovers import leftovers_of_directory, leftovers_of_log

N = "00000000000000000005"
NORMAL = ["partition.metadata", f"{N}.log", f"{N}.index", f"{N}.timeindex", f"{N}.txnindex"]


def test_the_files_of_a_log_are_nothing_to_mention() -> None:
    assert not list(leftovers_of_log(NORMAL, [5]))
    assert not list(
        leftovers_of_directory(
            ["meta.properties", "stop.mark", ".lock", "checkpoints.lmdb", "orders-0"]
        )
    )


@pytest.mark.parametrize(
    ("name", "severity", "fate"),
    [
        ("00000000000000000009.index", "warning", "removed at the next start"),
        (f"{N}.log.deleted", "info", "removed at the next start"),
        (f"{N}.index.tmp", "info", "removed at the next start"),
        (f"{N}.log.cleaned", "info", "removed at the next start"),
        (f"{N}.index.swap", "info", "removed at the next start"),
        (f"{N}.log.swap", "info", "puts it in the place of what it replaces"),
        ("leader-epoch-checkpoint", "info", "Apache Kafka's"),
        (f"{N}.snapshot", "info", "Apache Kafka's"),
        ("notes.txt", "warning", "left alone"),
    ],
)
def test_in_a_log(name: str, severity: str, fate: str) -> None:
    ((found, named, message),) = leftovers_of_log([*NORMAL, name], [5])
    assert (found.value, named) == (severity, name)
    assert fate in message


@pytest.mark.parametrize(
    ("name", "fate"),
    [
        ("orders-0.ab-delete", "removed at the next start"),
        ("orders-0.ab-stray", "never opened nor removed"),
        ("orders-0.ab-damaged", "made again from its leader"),
        ("checkpoints.lmdb.damaged.2", "never opened again"),
        ("recovery-point-offset-checkpoint", "Apache Kafka's"),
        ("lost+found", "left alone"),
    ],
)
def test_in_a_directory(name: str, fate: str) -> None:
    ((_, named, message),) = leftovers_of_directory([name])
    assert named == name
    assert fate in message


def test_many_of_a_kind_are_one_line() -> None:
    found = [f"0000000000000000000{number}.log.deleted" for number in range(5)]
    assert [line[1:] for line in leftovers_of_log([*NORMAL, *found], [5])] == [
        ("*.deleted", "5 times: deleted; removed at the next start at the latest")
    ]
