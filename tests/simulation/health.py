"""Whether a cluster is as it should be once nothing fails any more, and what is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.simulation.ledger import Violation

if TYPE_CHECKING:
    from tests.simulation.world import World


def all_live(world: World) -> bool:
    """Every broker serves, and the controller knows it."""
    state = world.oracle.state
    return all(
        node.serving and state.is_active(broker_id) for broker_id, node in world.brokers.items()
    )


def is_healthy(world: World) -> bool:
    """All live, all replicas in sync and equal, nobody waits, consumers are at the end."""
    if not all_live(world):
        return False
    if world.making_anew or not all(producer.done for producer in world.producers):
        return False
    for topic in world.oracle.state.topics.values():
        for partition in topic.partitions:
            if set(partition.isr) != set(partition.replicas) or partition.leader_id is None:
                return False
            ledger = world.ledger.of(topic.topic_id, partition.index)
            if ledger is None:
                return False
            for broker_id in partition.replicas:
                replica = ledger.replicas.get(broker_id)
                if replica is None or replica.lost or replica.log is None:
                    if ledger.committed_end == 0 and replica is not None:
                        continue
                    return False
                if not replica.matched == replica.end == ledger.committed_end:
                    return False
    for consumer in world.consumers:
        ledger = world.ledger.of(consumer.topic_id, consumer.index)
        if ledger is not None and consumer.position != ledger.committed_end:
            return False
    return True


def describe(world: World) -> str:
    """What is not as it should be."""
    state = world.oracle.state
    lines = []
    for broker_id, node in world.brokers.items():
        if not (node.serving and state.is_active(broker_id)):
            lines.append(
                f"b{broker_id}: {node.process.state.value}, serving {node.serving}, "
                f"{state.brokers.get(broker_id)}, {node.ended}"
            )
    for producer in world.producers:
        if not producer.done:
            lines.append(f"producer {producer.name} of {producer.topic}-{producer.index} waits")
    for (topic_id, index), ledger in world.ledger.partitions.items():
        partition = state.partition(topic_id, index)
        ends = {r.broker_id: (r.matched, r.end, r.lost) for r in ledger.replicas.values()}
        lines.append(f"{ledger.name}: {partition}, committed {ledger.committed_end}, {ends}")
    for consumer in world.consumers:
        found = world.ledger.of(consumer.topic_id, consumer.index)
        if found is not None and consumer.position != found.committed_end:
            lines.append(f"consumer of {found.name} is at {consumer.position}")
    return "\n".join(lines)


def check_equal(world: World) -> None:
    """All logs of a partition are the same, and every acknowledged record is in them."""
    for ledger in world.ledger.partitions.values():
        for replica in ledger.replicas.values():
            if replica.log is not None and replica.batches != ledger.committed:
                raise Violation(f"{ledger.name}: broker {replica.broker_id} has another log")
