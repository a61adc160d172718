from __future__ import annotations

from broker.groups.stored import StoredGroup, StoredMember


def member(assignment: bytes) -> StoredMember:
    return StoredMember("m", None, "c", "/h", 1, 2, b"s", assignment)


def test_a_group_is_assigned_as_soon_as_one_member_has_something() -> None:
    def group(*assignments: bytes) -> StoredGroup:
        return StoredGroup("consumer", 1, "range", "m", 0, tuple(map(member, assignments)))

    assert not group().has_assignments
    assert not group(b"", b"").has_assignments
    assert group(b"", b"x").has_assignments
