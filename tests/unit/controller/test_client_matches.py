from __future__ import annotations

import pytest

from controller.client_matches import ClientMatch

CLIENT = {"client_id": "app-1", "client_software_name": "librdkafka"}


def test_all_expressions_must_match_whole_values() -> None:
    assert ClientMatch("").holds(CLIENT)
    assert ClientMatch("client_id=app-.*").holds(CLIENT)
    assert not ClientMatch("client_id=app").holds(CLIENT)
    assert ClientMatch("client_id=app-.*,client_software_name=librd.*").holds(CLIENT)
    assert not ClientMatch("client_id=app-.*,client_software_name=java").holds(CLIENT)
    assert not ClientMatch("client_source_port=1").holds(CLIENT)


@pytest.mark.parametrize("value", ["client_id=(", "client_id=(?=a)a", "x=1", "client_id"])
def test_what_cannot_be_read_is_named(value: str) -> None:
    with pytest.raises(ValueError, match=r"[(]|x|client_id"):
        ClientMatch(value)
