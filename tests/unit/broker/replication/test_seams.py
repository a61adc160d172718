from __future__ import annotations

from broker.replication.progress import PartitionView
from broker.replication.seams import view_of
from controller.state import PartitionMetadata


def test_the_view_of_metadata() -> None:
    info = PartitionMetadata(bytes(16), 4, (1, 2, 3), (1, 2), None, 7, 9)
    assert view_of(info) == PartitionView(None, 7, 9, (1, 2, 3), (1, 2))
