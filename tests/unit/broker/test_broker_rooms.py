"""What a node tells of itself; that it starts, serves and stops is tested with real processes."""

from __future__ import annotations

import errno

from broker.broker_rooms import _identity
from broker.settings import NodeSettings
from ottla.core.clock import ManualClock
from storage.checkpoints import Checkpoints, MemoryStore
from storage.manager import LogManager
from storage.vfs import MemoryVfs

CLUSTER_ID = "a" * 22


def test_it_registers_with_the_directories_that_work() -> None:
    vfs = MemoryVfs()
    vfs.fail("mkdirs", errno.EIO, path="/broken")
    logs = LogManager.open(
        ["/broken", "/sound"],
        cluster_id=CLUSTER_ID,
        node_id=1,
        clock=ManualClock(),
        vfs=vfs,
        checkpoints=Checkpoints(MemoryStore()),
    )
    identity = _identity(NodeSettings(node_id=1, cluster_id=CLUSTER_ID), logs)
    assert [directory.directory_id for directory in identity.directories] == [
        logs.directories[1].directory_id
    ]
