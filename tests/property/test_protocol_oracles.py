"""Our codec against two others: kio (generated from Kafka 4.x) and kafka-python.

For every message, in every version that the oracle has: it decodes what we encode to the same
values, and we decode what it encodes from them to the same values.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ottla.protocol.generation.schema import MessageSchema
from tests.property.protocol_oracles import KafkaPythonOracle, KioOracle, Oracle
from tests.property.protocol_trees import (
    SCHEMAS,
    build,
    message_trees,
    message_type,
    project,
    shown,
)
from tests.support.examples import examples

_settings = settings(
    max_examples=examples(8, long=100),
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)
ORACLES: dict[str, Oracle] = {"kio": KioOracle(), "kafka-python": KafkaPythonOracle()}


def _cases() -> list[tuple[str, str]]:
    return [
        (name, schema.name)
        for name, oracle in ORACLES.items()
        for schema in SCHEMAS.values()
        if any(oracle.knows(schema, version) for version in _versions(schema))
    ]


def _versions(schema: MessageSchema) -> range:
    return range(schema.versions.low, schema.versions.high + 1)


@pytest.mark.parametrize(("oracle_name", "schema_name"), _cases())
@_settings
@given(data=st.data())
def test_oracle_and_codec_understand_each_other(
    oracle_name: str, schema_name: str, data: st.DataObject
) -> None:
    oracle = ORACLES[oracle_name]
    schema = SCHEMAS[schema_name]
    whole = data.draw(message_trees(schema))
    codec = message_type(schema)
    for version in _versions(schema):
        if not oracle.knows(schema, version):
            continue
        tree = project(schema, schema.root, whole, version)
        ours = build(schema, schema.root, tree).encode(version)
        item = oracle.decode(schema, version, ours)
        assert oracle.tree(schema, version, item) == tree
        theirs = oracle.encode(schema, version, item)
        message, end = codec.decode_from(theirs, 0, version)
        assert end == len(theirs)
        assert shown(schema, schema.root, message, version) == tree


def test_every_message_has_an_oracle_or_is_a_record_of_an_internal_topic() -> None:
    checked = {name for _, name in _cases()}
    assert SCHEMAS.keys() - checked == {
        "OffsetCommitKey",
        "OffsetCommitValue",
        "GroupMetadataKey",
        "GroupMetadataValue",
        "ConsumerGroupMetadataKey",
        "ConsumerGroupMetadataValue",
        "ConsumerGroupMemberMetadataKey",
        "ConsumerGroupMemberMetadataValue",
        "ConsumerGroupTargetAssignmentMetadataKey",
        "ConsumerGroupTargetAssignmentMetadataValue",
        "ConsumerGroupTargetAssignmentMemberKey",
        "ConsumerGroupTargetAssignmentMemberValue",
        "ConsumerGroupCurrentMemberAssignmentKey",
        "ConsumerGroupCurrentMemberAssignmentValue",
        "ConsumerGroupRegularExpressionKey",
        "ConsumerGroupRegularExpressionValue",
        "TransactionLogKey",
        "TransactionLogValue",
    }


def test_kio_knows_every_version_that_kafka_4_has() -> None:
    kio = ORACLES["kio"]
    unknown = {
        (schema.name, version)
        for schema in SCHEMAS.values()
        if schema.kind == "request"
        for version in _versions(schema)
        if not kio.knows(schema, version)
    }
    # Versions that Kafka 4.0 dropped and that Ottla still reads.
    assert unknown == {
        *(("ProduceRequest", version) for version in range(3)),
        *(("FetchRequest", version) for version in range(4)),
        ("ListOffsetsRequest", 0),
        *(("OffsetCommitRequest", version) for version in range(2)),
        ("OffsetFetchRequest", 0),
    }
