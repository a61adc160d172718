from __future__ import annotations

import asyncio

from controller.image import MetadataImage, Signal
from controller.state import BrokerRegistration, ProducerIdsAllocated
from controller.state_machine import Applied, Restored
from tests.support.cluster_states import Cluster


def applied(index: int, *numbers: int) -> Applied:
    return Applied(index, tuple(ProducerIdsAllocated(number) for number in numbers))


def test_changes_are_replayed_and_numbered() -> None:
    image = MetadataImage()
    image.receive(applied(4, 10, 20))
    image.receive(applied(6))
    assert image.state.next_producer_id == 20
    assert (image.offset, image.applied_index) == (4, 6)


def test_what_came_after_an_offset() -> None:
    image = MetadataImage()
    for index in (4, 6, 9):
        image.receive(applied(index, index))
    changes = image.changes_since(4)
    assert changes is not None
    assert [change.offset for change in changes] == [6, 9]
    assert [m.producer_ids.next_producer_id for c in changes for m in c.messages] == [6, 9]
    assert image.changes_since(9) == []
    assert image.changes_since(50) == []
    everything = image.changes_since(0)
    assert everything is not None
    assert len(everything) == 3


def test_history_is_bounded_in_bytes() -> None:
    image = MetadataImage(history_bytes_max=10)
    for index in range(1, 50):
        image.receive(applied(index, index))
    assert image.changes_since(0) is None
    changes = image.changes_since(48)
    assert changes is not None
    assert [change.offset for change in changes] == [49]
    known = [offset for offset in range(50) if image.changes_since(offset) is not None]
    assert known == list(range(known[0], 50))
    assert sum(change.size for change in image.changes_since(known[0]) or ()) <= 10


def test_a_snapshot_replaces_everything_and_has_no_history() -> None:
    cluster = Cluster(2)
    image = MetadataImage()
    image.receive(applied(4, 10))
    image.receive(Restored(30, tuple(cluster.state.to_records())))
    assert image.state == cluster.state
    assert (image.offset, image.applied_index) == (30, 30)
    assert image.changes_since(4) is None
    assert image.changes_since(30) == []


def test_listeners_see_a_registration_with_all_of_its_change() -> None:
    cluster = Cluster(2)
    image = MetadataImage()
    seen: list[tuple[BrokerRegistration, int]] = []
    image.add_broker_listener(lambda broker: seen.append((broker, image.state.next_producer_id)))
    broker = cluster.state.brokers[1]
    image.receive(Applied(3, (broker, ProducerIdsAllocated(5))))
    assert seen == [(broker, 5)]


def test_waiting_for_an_index_and_an_offset() -> None:
    async def test() -> None:
        image = MetadataImage()
        index = asyncio.ensure_future(image.wait_index(5))
        offset = asyncio.ensure_future(image.wait_offset(5))
        await asyncio.sleep(0)
        image.receive(applied(4, 1))
        image.receive(applied(5))
        await index
        assert not offset.done()
        image.receive(applied(6, 1))
        await offset

    asyncio.run(test())


def test_a_signal_tells_all_who_wait_now_and_nobody_later() -> None:
    async def test() -> None:
        signal = Signal()
        signal.fire()
        waiting = [asyncio.ensure_future(signal.wait()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
        signal.fire()
        done, pending = await asyncio.wait(waiting)
        assert len(done) == 3
        assert not pending
        late = asyncio.ensure_future(signal.wait())
        await asyncio.sleep(0)
        assert not late.done()
        late.cancel()

    asyncio.run(test())
