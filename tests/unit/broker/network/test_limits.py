from broker.network.limits import POOLED_BUFFER_BYTES, BufferPool, NodeAccount


def test_a_buffer_given_back_is_the_next_one_taken() -> None:
    pool = BufferPool(free_max=2)
    first = pool.take()
    assert len(first) == POOLED_BUFFER_BYTES
    pool.give(first)
    assert pool.take() is first


def test_the_pool_keeps_no_more_than_its_bound() -> None:
    pool = BufferPool(free_max=1)
    first, second = pool.take(), pool.take()
    pool.give(first)
    pool.give(second)
    assert pool.free_count == 1


def test_requests_and_bytes_are_bounded_and_given_back() -> None:
    account = NodeAccount(requests_max=2, bytes_max=100)
    account.enter(10)
    assert account.has_room()
    account.enter(10)
    assert not account.has_room()
    account.leave(10)
    assert account.has_room()
    account.enter(95)
    account.leave(10)
    account.enter(5)
    assert not account.has_room()


def test_bytes_beyond_the_bound_are_granted_to_the_only_one_who_asks() -> None:
    account = NodeAccount(requests_max=2, bytes_max=100)
    assert account.maybe_take_bytes(1_000)
    assert not account.maybe_take_bytes(1)
    account.give_bytes(1_000)
    assert account.maybe_take_bytes(100)
    assert not account.maybe_take_bytes(1)


def test_who_waits_for_room_is_called_once_and_in_turn() -> None:
    account = NodeAccount(requests_max=1, bytes_max=100)
    account.enter(1)
    called: list[str] = []
    account.call_when_room(lambda: called.append("first"))
    account.call_when_room(lambda: called.append("second"))
    assert called == []
    account.leave(1)
    assert called == ["first", "second"]
    account.enter(1)
    account.leave(1)
    assert called == ["first", "second"]


def test_nobody_is_called_while_there_is_no_room() -> None:
    account = NodeAccount(requests_max=1, bytes_max=100)
    for _ in range(3):
        account.enter(1)
    called: list[bool] = []
    account.call_when_room(lambda: called.append(True))
    account.leave(1)
    account.leave(1)
    assert called == []
    account.leave(1)
    assert called == [True]
