from __future__ import annotations

import subprocess
import sys

import pytest

from ottla.protocol.api import (
    API_SPECS,
    ApiKey,
    api_spec,
    find_api_spec,
    request_header_version,
    response_header_version,
)


def test_keys_are_named_without_gaps() -> None:
    assert [int(key) for key in ApiKey] == list(range(93))
    assert int(ApiKey.OFFSET_FOR_LEADER_EPOCH) == 23
    assert int(ApiKey.CONSUMER_GROUP_HEARTBEAT) == 68
    assert int(ApiKey.DELETE_SHARE_GROUP_OFFSETS) == 92


def test_names_of_keys_are_those_of_their_schemas() -> None:
    for spec in API_SPECS:
        assert spec.key.name == spec.request.removesuffix("_request").upper()
        assert spec.request_type.__name__ == f"{spec.name}Request"
        assert spec.response_type.__name__ == f"{spec.name}Response"


def test_versions_of_request_and_response_agree_with_the_table() -> None:
    assert len(API_SPECS) == 72
    for spec in API_SPECS:
        for kind in (spec.request_type, spec.response_type):
            assert (
                spec.min_version,
                spec.max_version,
                spec.first_flexible_version,
            ) == (kind.MIN_VERSION, kind.MAX_VERSION, kind.FLEXIBLE_VERSION)


def test_apis_that_travel_by_other_means_have_no_spec() -> None:
    assert find_api_spec(ApiKey.LEADER_AND_ISR) is None
    assert find_api_spec(ApiKey.VOTE) is None
    assert find_api_spec(4711) is None
    with pytest.raises(KeyError):
        api_spec(ApiKey.BROKER_HEARTBEAT)


@pytest.mark.parametrize(
    ("key", "version", "request_version", "response_version"),
    [
        (ApiKey.FETCH, 11, 1, 0),
        (ApiKey.FETCH, 12, 2, 1),
        (ApiKey.SASL_HANDSHAKE, 1, 1, 0),
        (ApiKey.API_VERSIONS, 2, 1, 0),
        (ApiKey.API_VERSIONS, 3, 2, 0),
        (ApiKey.API_VERSIONS, 99, 2, 0),
        (ApiKey.CONSUMER_GROUP_HEARTBEAT, 0, 2, 1),
    ],
)
def test_header_versions(
    key: ApiKey, version: int, request_version: int, response_version: int
) -> None:
    assert request_header_version(key, version) == request_version
    assert response_header_version(key, version) == response_version


def test_messages_are_imported_when_first_needed() -> None:
    program = (
        "import sys; from ottla.protocol.api import ApiKey, api_spec; "
        "loaded = lambda: [n for n in sys.modules if n.startswith('ottla.protocol.messages.')]; "
        "assert not loaded(), loaded(); "
        "api_spec(ApiKey.FETCH).request_type; "
        "assert loaded() == ['ottla.protocol.messages.fetch_request'], loaded(); "
        "assert not [n for n in sys.modules if 'generation' in n]"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
