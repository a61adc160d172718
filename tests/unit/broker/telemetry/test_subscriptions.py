from __future__ import annotations

from broker.telemetry.subscriptions import Subscriptions, Wanted

ID = bytes(range(16))
APP = {"client_id": "app"}


def test_without_a_match_a_client_is_to_be_quiet() -> None:
    assert Subscriptions({}).wanted(APP) == Wanted((), 300_000)
    other = Subscriptions({"s": {"metrics": "*", "interval.ms": "100", "match": "client_id=other"}})
    assert other.wanted(APP) == Wanted((), 300_000)
    assert not other.wanted(APP).wants("anything")


def test_several_subscriptions_are_put_together() -> None:
    table = Subscriptions(
        {
            "a": {"metrics": "org.b,org.a", "interval.ms": "5000"},
            "b": {"metrics": "org.a,org.c", "interval.ms": "400", "match": "client_id=app"},
            "c": {"metrics": "org.d", "interval.ms": "200", "match": "client_id=other"},
        }
    )
    assert table.wanted(APP) == Wanted(("org.a", "org.b", "org.c"), 400)
    assert table.wanted({"client_id": "x"}) == Wanted(("org.a", "org.b"), 5000)


def test_all_metrics_cover_every_prefix() -> None:
    table = Subscriptions({"a": {"metrics": "org.a"}, "b": {"metrics": "*", "interval.ms": "1000"}})
    assert table.wanted(APP) == Wanted(("*",), 1000)
    assert table.wanted(APP).wants("any.thing")


def test_an_interval_above_the_default_holds() -> None:
    assert Subscriptions({"a": {"interval.ms": "3600000"}}).wanted(APP).interval_ms == 3_600_000


def test_what_cannot_be_read_is_left_out() -> None:
    table = Subscriptions({"a": {"metrics": "*", "match": "client_id=("}, "b": {"metrics": "org."}})
    assert table.wanted(APP).prefixes == ("org.",)


def test_the_number_of_a_subscription_changes_with_what_it_says() -> None:
    one = Wanted(("a", "b"), 100)
    numbers = {
        one.subscription_id(ID),
        Wanted(("a",), 100).subscription_id(ID),
        Wanted(("a", "b"), 200).subscription_id(ID),
        one.subscription_id(bytes(16)),
    }
    assert len(numbers) == 4
    assert all(-(2**31) <= number < 2**31 for number in numbers)
    assert one.subscription_id(ID) == Wanted(("a", "b"), 100).subscription_id(ID)
