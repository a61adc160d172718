"""Statuses go to headers and come back."""

from __future__ import annotations

import grpc
import pytest

from broker.internal.status import problem_of, request_headers, response_headers, trailers


@pytest.mark.parametrize("details", ["plain", "100 % of it: é, 你好", "two\nlines", 'a "quoted" ~'])
def test_details_survive(details: str) -> None:
    headers = trailers(grpc.StatusCode.PERMISSION_DENIED, details)
    assert all(" " <= character <= "~" for _, value in headers for character in value)
    assert problem_of(headers) == details


def test_long_details_are_cut() -> None:
    assert problem_of(trailers(grpc.StatusCode.UNKNOWN, "x" * 5_000)) == "x" * 1_024


@pytest.mark.parametrize(
    ("headers", "problem"),
    [
        (response_headers(), None),
        (trailers(grpc.StatusCode.OK), None),
        ((*response_headers(), *trailers(grpc.StatusCode.UNIMPLEMENTED)), "UNIMPLEMENTED"),
        (((":status", "404"), ("content-type", "text/html")), "HTTP status 404"),
        ((("grpc-status", "99"),), "status 99"),
        ((("grpc-status", "none"),), "status none"),
    ],
)
def test_problems(headers: tuple[tuple[str, str], ...], problem: str | None) -> None:
    assert problem_of(headers) == problem


def test_a_request_names_its_scheme() -> None:
    assert dict(request_headers("/s/M", "host:1", tls=True))[":scheme"] == "https"
    assert dict(request_headers("/s/M", "host:1", tls=False))[":scheme"] == "http"
