"""Who may start a voter from nothing (SAFETY.md, rule 3).

A missing journal is not an empty one: a voter that lost its disk has forgotten its votes and the
entries that it acknowledged. So a voter starts only from a folder with a *mark*, which formatting
writes; while the mark says FORMATTED the journal may be missing and is made; the first start turns
it to STARTED, and from then on a missing journal refuses the start.

The mark, `voter.mark`, is text, one `key=value` a line, the last line the CRC-32C of those before:

    version=1, cluster.id, node.id, voters (ids, ascending), directory.id (22 characters), state

`voters` are the founders of the cluster, this node among them; empty: this node joins a quorum that
runs, as a new voter or with a new disk, and votes only once the set of voters names it with this
directory id (voter_changes.py). Which of the two a folder is for, only its operator knows: empty
founders would agree with each other on an empty log.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

import crc32c

from controller.quorum.journal import (
    AGAIN,
    FILE_NAME,
    NEW_FILE_NAME,
    PREALLOCATED_BYTES,
    Journal,
)
from ottla.core.errors import ConfigError
from ottla.core.identifiers import Uuid, random_uuid, uuid_from_text, uuid_text
from storage.vfs import OsVfs, Vfs, read_file, replace_file

MARK_NAME = "voter.mark"
_VERSION = "1"


class MarkState(Enum):
    FORMATTED = "formatted"  # never started: the journal may be missing
    STARTED = "started"  # has voted: the journal must be there


@dataclass(frozen=True, slots=True)
class VoterMark:
    cluster_id: str
    node_id: int
    voters: tuple[int, ...]
    directory_id: Uuid
    state: MarkState

    @property
    def is_founder(self) -> bool:
        return bool(self.voters)


def format_voter(
    directory: str,
    cluster_id: str,
    node_id: int,
    voters: Iterable[int],
    *,
    vfs: Vfs | None = None,
    source: random.Random | None = None,
) -> VoterMark:
    """Allow voter `node_id` of a new cluster to start from nothing in `directory`.

    ConfigError where the folder already belongs to a voter, or the ids make no sense.
    """
    vfs = vfs or OsVfs()
    members = tuple(sorted(set(voters)))
    if node_id not in members:
        raise ConfigError(f"node {node_id} is not among the voters {_ids(members)}")
    return _format(directory, cluster_id, node_id, members, vfs, source)


def format_joiner(
    directory: str,
    cluster_id: str,
    node_id: int,
    *,
    vfs: Vfs | None = None,
    source: random.Random | None = None,
) -> VoterMark:
    """Prepare `directory` for a node that is to be added to a quorum that runs.

    ConfigError where the folder already belongs to a voter.
    """
    return _format(directory, cluster_id, node_id, (), vfs or OsVfs(), source)


def _format(
    directory: str,
    cluster_id: str,
    node_id: int,
    founders: tuple[int, ...],
    vfs: Vfs,
    source: random.Random | None,
) -> VoterMark:
    if not cluster_id or "\n" in cluster_id:
        raise ConfigError("a voter is formatted for a cluster id, which may not be empty")
    vfs.mkdirs(directory)
    for name in (MARK_NAME, FILE_NAME):
        if vfs.exists(f"{directory}/{name}"):
            raise ConfigError(
                f"{directory} already belongs to a voter ({name} exists): it is formatted once; to "
                "start a new cluster choose an empty folder"
            )
    directory_id = random_uuid(source or random.SystemRandom())
    mark = VoterMark(cluster_id, node_id, founders, directory_id, MarkState.FORMATTED)
    _write_mark(vfs, directory, mark)
    return mark


def read_mark(directory: str, vfs: Vfs) -> VoterMark | None:
    """The mark of a folder, None where there is none; ConfigError when it is damaged."""
    path = f"{directory}/{MARK_NAME}"
    if not vfs.exists(path):
        return None
    text, _, checksum = read_file(vfs, path).rpartition(b"crc32c=")
    try:
        if int(checksum, 16) != crc32c.crc32c(text):
            raise ValueError("it fails its checksum")
        fields = dict(line.split("=", 1) for line in text.decode().splitlines())
        if fields["version"] != _VERSION:
            raise ConfigError(
                f"{path} has format version {fields['version']}, this release reads {_VERSION}: "
                "start the voter with the release that wrote it, or a newer one"
            )
        return VoterMark(
            cluster_id=fields["cluster.id"],
            node_id=int(fields["node.id"]),
            voters=tuple(int(voter) for voter in fields["voters"].split(",") if voter),
            directory_id=uuid_from_text(fields["directory.id"]),
            state=MarkState(fields["state"]),
        )
    except (ValueError, KeyError) as error:
        raise ConfigError(
            f"{path} cannot be read ({error}): restore it from a copy, or {AGAIN}"
        ) from error


def open_voter(
    directory: str,
    node_id: int,
    vfs: Vfs,
    *,
    preallocated_bytes: int = PREALLOCATED_BYTES,
) -> tuple[VoterMark, Journal]:
    """The mark and the journal of a voter; ConfigError for one that may not start."""
    mark = read_mark(directory, vfs)
    if mark is None:
        raise ConfigError(
            f"{directory} was never formatted for a voter: check metadata.log.dir, or format it "
            "if this cluster is new"
        )
    if mark.node_id != node_id:
        raise ConfigError(
            f"{directory} belongs to voter {mark.node_id}, not to {node_id}: correct node.id or "
            "metadata.log.dir"
        )
    if vfs.exists(f"{directory}/{NEW_FILE_NAME}"):
        vfs.unlink(f"{directory}/{NEW_FILE_NAME}")  # a crash left it; it was never in use
    if vfs.exists(f"{directory}/{FILE_NAME}"):
        journal = Journal.open(
            vfs, directory, node_id, mark.directory_id, preallocated_bytes=preallocated_bytes
        )
    elif mark.state is MarkState.FORMATTED:
        journal = Journal.create(
            vfs, directory, node_id, mark.directory_id, preallocated_bytes=preallocated_bytes
        )
    else:
        raise ConfigError(
            f"the journal of voter {node_id} is missing from {directory}, and without it the voter "
            f"may not vote: restore the folder, or {AGAIN}"
        )
    if mark.state is not MarkState.STARTED:
        mark = replace(mark, state=MarkState.STARTED)
        try:
            _write_mark(vfs, directory, mark)
        except OSError:
            journal.close()
            raise
    return mark, journal


def check_founders(directory: str, mark: VoterMark, voters: Iterable[int]) -> None:
    """Before any set of voters is in the log, the settings must name the founders: ConfigError.
    Afterwards that set holds, whatever the settings say."""
    members = tuple(sorted(set(voters)))
    if mark.is_founder and mark.voters != members:
        raise ConfigError(
            f"{directory} was formatted for the voters {_ids(mark.voters)}, but the settings name "
            f"{_ids(members)}: correct controller.quorum.voters"
        )


def _write_mark(vfs: Vfs, directory: str, mark: VoterMark) -> None:
    text = (
        f"version={_VERSION}\n"
        f"cluster.id={mark.cluster_id}\n"
        f"node.id={mark.node_id}\n"
        f"voters={_ids(mark.voters)}\n"
        f"directory.id={uuid_text(mark.directory_id)}\n"
        f"state={mark.state.value}\n"
    ).encode()
    data = text + b"crc32c=%08x\n" % crc32c.crc32c(text)
    replace_file(vfs, f"{directory}/{MARK_NAME}", data)


def _ids(voters: tuple[int, ...]) -> str:
    return ",".join(str(voter) for voter in voters)
