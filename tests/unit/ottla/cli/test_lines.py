from __future__ import annotations

import io
import os

import pytest

from ottla.cli import lines
from ottla.cli.lines import read_lines
from ottla.core.errors import OttlaError


def read(data: bytes) -> list[bytes]:
    return list(read_lines(io.BytesIO(data), lambda: None))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"\n", [b""]),
        (b"a", [b"a"]),
        (b"a\n", [b"a"]),
        (b"a\n\nb", [b"a", b"", b"b"]),
        (b"a\r\n", [b"a\r"]),
    ],
)
def test_lines(data: bytes, expected: list[bytes]) -> None:
    assert read(data) == expected


def test_lines_across_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "CHUNK_BYTES", 3)
    assert read(b"abcdefg\nh\n\nijklmn") == [b"abcdefg", b"h", b"", b"ijklmn"]


def test_bytes_are_counted() -> None:
    counts: list[int] = []
    list(read_lines(io.BytesIO(b"ab\nc"), lambda: None, counts.append))
    assert sum(counts) == 4


def test_a_line_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "CHUNK_BYTES", 3)
    monkeypatch.setattr(lines, "LINE_BYTES_MAX", 8)
    assert read(b"12345678\n") == [b"12345678"]
    with pytest.raises(OttlaError, match="more than 8 bytes"):
        read(b"123456789\n")


def test_a_pipe_that_fills_slowly() -> None:
    reader, writer = os.pipe()
    idle: list[list[bytes]] = []
    found: list[bytes] = []
    os.write(writer, b"a\nb")

    def on_idle() -> None:
        idle.append(list(found))
        if len(idle) == 1:
            os.write(writer, b"c\n")
        else:
            os.close(writer)

    with open(reader, "rb") as stream:
        for line in read_lines(stream, on_idle):
            found.append(line)
    assert found == [b"a", b"bc"]
    assert idle[:2] == [[b"a"], [b"a", b"bc"]]
