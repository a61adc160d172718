import random

import pytest

from ottla.core.identifiers import (
    random_uuid,
    topic_name_collision_key,
    topic_name_fault,
    uuid_from_text,
    uuid_text,
)


def test_uuid_text_goes_both_ways() -> None:
    value = random_uuid(random.Random(7))
    assert len(uuid_text(value)) == 22
    assert uuid_from_text(uuid_text(value)) == value


def test_no_uuid_starts_with_a_dash() -> None:
    source = random.Random(1)
    assert not any(uuid_text(random_uuid(source)).startswith("-") for _ in range(2000))


@pytest.mark.parametrize("text", ["", "abc", "?" * 22, "A" * 21, "A" * 23])
def test_bad_uuid_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="UUID"):
        uuid_from_text(text)


@pytest.mark.parametrize("name", ["a", "a.b_c-D9", "x" * 249, "__consumer_offsets"])
def test_legal_topic_names(name: str) -> None:
    assert topic_name_fault(name) is None


@pytest.mark.parametrize("name", ["", ".", "..", "x" * 250, "a b", "ä", "a/b", "a\n"])
def test_illegal_topic_names(name: str) -> None:
    assert topic_name_fault(name)


def test_dot_and_underscore_collide() -> None:
    assert topic_name_collision_key("a.b") == topic_name_collision_key("a_b")
