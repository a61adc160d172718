from kio.schema.errors import ErrorCode as Oracle

from ottla.core.errors import RETRIABLE, ErrorCode, ProtocolError


def test_codes_and_retriability_agree_with_kio() -> None:
    assert {code.name: int(code) for code in ErrorCode} == {c.name.upper(): c.value for c in Oracle}
    assert {int(code) for code in RETRIABLE} == {c.value for c in Oracle if c.retriable}


def test_a_protocol_error_reads_as_code_and_sentence() -> None:
    error = ProtocolError(ErrorCode.NOT_LEADER_OR_FOLLOWER, "broker 2 leads")
    assert str(error) == "NOT_LEADER_OR_FOLLOWER: broker 2 leads"
    assert error.retriable
