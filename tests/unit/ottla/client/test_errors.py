from __future__ import annotations

import pytest

from ottla.client.errors import ClientError, check_code, protocol_error, sentence
from ottla.core.errors import ErrorCode, ProtocolError


def test_the_brokers_message_comes_first() -> None:
    error = protocol_error(36, "topic 'a'", "already there since noon")
    assert error.code is ErrorCode.TOPIC_ALREADY_EXISTS
    assert sentence(error) == "topic 'a': already there since noon"
    assert sentence(protocol_error(36, "topic 'a'", "topic 'a' is old")) == "topic 'a' is old"


def test_a_phrase_of_our_own_otherwise() -> None:
    assert sentence(protocol_error(3, "topic 'a'")).startswith("topic 'a' does not exist")
    assert sentence(protocol_error(42, "x")) == "x: the cluster answered INVALID_REQUEST"
    assert sentence(protocol_error(9999, "x")) == "x: the cluster answered error 9999"


def test_check_code() -> None:
    check_code(0, "anything")
    with pytest.raises(ProtocolError, match="already exists"):
        check_code(36, "topic 'a'")


def test_sentences_of_other_errors() -> None:
    assert sentence(ClientError("why")) == "why"
    assert sentence(ProtocolError(ErrorCode.INVALID_REQUEST)) == "INVALID_REQUEST"
    assert sentence(ValueError()) == "ValueError"
