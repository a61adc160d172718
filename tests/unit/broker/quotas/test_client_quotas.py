from __future__ import annotations

import pytest

from broker.control.metadata_cache import MetadataCache
from broker.quotas import client_quotas
from broker.quotas.client_quotas import ClientQuotas, client_of
from broker.quotas.table import Client, QuotaKind
from controller.state import QuotaEntity, QuotasChanged
from ottla.core.clock import ManualClock

PRODUCE, FETCH, REQUEST = QuotaKind.PRODUCE, QuotaKind.FETCH, QuotaKind.REQUEST
ANY_CLIENT: QuotaEntity = (("client-id", None),)


class Limited:
    def __init__(self, **quotas: float) -> None:
        self.clock = ManualClock()
        self.cache = MetadataCache()
        self.quotas = ClientQuotas(self.cache, self.clock)
        self.set(**quotas)

    def set(self, **quotas: float) -> None:
        self.cache.apply([QuotasChanged(ANY_CLIENT, quotas)], self.cache.offset + 1, 1)


def test_each_client_id_has_a_rate_of_its_own() -> None:
    limited = Limited(producer_byte_rate=100)
    assert limited.quotas.kinds == {PRODUCE}
    assert limited.quotas.charge(PRODUCE, Client("u", "a"), 1_100) == 1_000
    assert limited.quotas.charge(PRODUCE, Client("v", "a"), 100) == 2_000
    assert limited.quotas.charge(PRODUCE, Client("u", "b"), 1_000) == 0
    assert limited.quotas.charge(FETCH, Client("u", "a"), 1_000_000) == 0
    limited.clock.advance(12_000)
    assert limited.quotas.charge(PRODUCE, Client("u", "a"), 100) == 0


def test_another_limit_holds_at_once_for_what_was_counted() -> None:
    limited = Limited(producer_byte_rate=100)
    limited.quotas.charge(PRODUCE, Client("u", "a"), 1_100)
    limited.set(producer_byte_rate=1_000)
    assert limited.quotas.charge(PRODUCE, Client("u", "a"), 1) == 0
    limited.set()
    assert limited.quotas.kinds == frozenset()
    assert limited.quotas.charge(PRODUCE, Client("u", "a"), 1_000_000) == 0


def test_what_is_not_taken_is_not_counted() -> None:
    limited = Limited(consumer_byte_rate=100)
    client = Client("u", "a")
    assert limited.quotas.burst(FETCH, client) == 1_000
    assert limited.quotas.maybe_charge(FETCH, client, 900) == 0
    assert limited.quotas.maybe_charge(FETCH, client, 200) == 1_000
    assert limited.quotas.maybe_charge(FETCH, client, 200) == 1_000
    assert limited.quotas.maybe_charge(FETCH, client, 100) == 0


def test_what_is_larger_than_any_burst_goes_when_nothing_went_before() -> None:
    limited = Limited(consumer_byte_rate=100)
    client = Client("u", "a")
    assert limited.quotas.maybe_charge(FETCH, client, 5_000) == 0
    assert limited.quotas.maybe_charge(FETCH, client, 5_000) > 0
    limited.clock.advance(11_000)
    assert limited.quotas.maybe_charge(FETCH, client, 5_000) == 0


def test_pauses_are_bounded() -> None:
    limited = Limited(producer_byte_rate=1, request_percentage=1)
    client = Client("u", "a")
    assert limited.quotas.charge(PRODUCE, client, 1e9) == client_quotas.THROTTLE_MS_MAX
    assert limited.quotas.charge(REQUEST, client, 1e9) == 1_000


def test_rates_of_those_used_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_quotas, "RATES_MAX", 2)
    limited = Limited(producer_byte_rate=100)
    a, b, c = (Client("u", name) for name in "abc")
    limited.quotas.charge(PRODUCE, a, 1_100)
    limited.quotas.charge(PRODUCE, b, 1_100)
    limited.quotas.charge(PRODUCE, a, 0)
    limited.quotas.charge(PRODUCE, c, 1_100)
    assert len(limited.quotas._rates) == 2
    assert limited.quotas.charge(PRODUCE, a, 0) > 0
    assert limited.quotas.charge(PRODUCE, b, 0) == 0


def test_whom_a_request_is_from() -> None:
    assert client_of("User:ANONYMOUS", None) == Client("ANONYMOUS", "")
    assert client_of("User:CN=a:b", "c" * 300) == Client("CN=a:b", "c" * 255)
