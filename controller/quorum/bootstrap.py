"""Who may start a voter from nothing (SAFETY.md, rule 3).

A missing journal is not an empty one: a voter that lost its disk has forgotten its votes and the
entries that it acknowledged. So a voter starts only from a folder with a *mark*, which formatting
writes; while the mark says FORMATTED the journal may be missing and is made; the first start turns
it to STARTED, and from then on a missing journal refuses the start.

The mark, `voter.mark`, is text, one `key=value` a line, the last line the CRC-32C of those before:

    version=1, cluster.id, node.id, voters (ids, ascending), directory.id (22 characters), state

The directory id tells two disks of one voter apart: the quorum commits which directory each voter
has, and refuses one that comes back with another (see engine.py and raft_log.forget_directory).
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

import crc32c

from controller.quorum.journal import FILE_NAME, NEW_FILE_NAME, PREALLOCATED_BYTES, Journal
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
    mark = VoterMark(cluster_id, node_id, members, directory_id, MarkState.FORMATTED)
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
            voters=tuple(int(voter) for voter in fields["voters"].split(",")),
            directory_id=uuid_from_text(fields["directory.id"]),
            state=MarkState(fields["state"]),
        )
    except (ValueError, KeyError) as error:
        raise ConfigError(
            f"{path} cannot be read ({error}): restore it from a copy, or empty the folder, format "
            "it again and have the other voters forget its old directory"
        ) from error


def open_voter(
    directory: str,
    node_id: int,
    voters: Iterable[int],
    vfs: Vfs,
    *,
    preallocated_bytes: int = PREALLOCATED_BYTES,
) -> tuple[VoterMark, Journal]:
    """The mark and the journal of a voter that may vote; ConfigError for one that may not."""
    mark = read_mark(directory, vfs)
    if mark is None:
        raise ConfigError(
            f"{directory} was never formatted for a voter: check metadata.log.dir, or format it "
            "if this cluster is new"
        )
    members = tuple(sorted(set(voters)))
    if mark.node_id != node_id:
        raise ConfigError(
            f"{directory} belongs to voter {mark.node_id}, not to {node_id}: correct node.id or "
            "metadata.log.dir"
        )
    if mark.voters != members:
        raise ConfigError(
            f"{directory} was formatted for the voters {_ids(mark.voters)}, but the settings name "
            f"{_ids(members)}: correct controller.quorum.voters"
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
            "may not vote: restore the folder, or empty it, format it again and have the other "
            "voters forget its old directory"
        )
    if mark.state is not MarkState.STARTED:
        mark = replace(mark, state=MarkState.STARTED)
        try:
            _write_mark(vfs, directory, mark)
        except OSError:
            journal.close()
            raise
    return mark, journal


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
