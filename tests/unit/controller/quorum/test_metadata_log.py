"""What the errors say."""

from __future__ import annotations

from controller.quorum.metadata_log import NotLeader


def test_not_leader_names_the_leader() -> None:
    assert "voter 2 is" in str(NotLeader(2))
    assert "no leader is known" in str(NotLeader(None))
    assert NotLeader(2).leader_id == 2
