from __future__ import annotations

from controller.leases import Leases


def test_a_lease_ends_when_nothing_is_heard() -> None:
    leases = Leases(100)
    leases.renew(1, 5, 0)
    leases.renew(2, 6, 0)
    leases.renew(1, 5, 50)
    assert leases.expired(99) == []
    assert leases.expired(100) == [(2, 6)]
    assert leases.expired(150) == [(1, 5), (2, 6)]
    leases.end(2)
    leases.end(7)
    assert leases.expired(150) == [(1, 5)]
    leases.clear()
    assert leases.expired(150) == []


def test_an_older_incarnation_renews_nothing_and_a_newer_one_begins_anew() -> None:
    leases = Leases(100)
    leases.renew(1, 5, 0)
    leases.renew(1, 4, 90)
    assert leases.expired(100) == [(1, 5)]
    leases.renew(1, 6, 90)
    assert leases.expired(189) == []
    assert leases.expired(190) == [(1, 6)]


def test_time_in_which_we_stood_still_does_not_count() -> None:
    leases = Leases(100)
    leases.renew(1, 5, 0)
    leases.extend(5_000)
    assert leases.expired(5_099) == []
    assert leases.expired(5_100) == [(1, 5)]
