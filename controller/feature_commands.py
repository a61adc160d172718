"""Decisions about the levels of features: all of one command, or none."""

from __future__ import annotations

from controller.decision import Decision
from controller.features import FEATURES, finalized_levels
from controller.generated import metadata_pb2 as pb
from controller.state import ClusterState, FeatureChanged, Record
from ottla.core.errors import ErrorCode, ProtocolError


def update_features(state: ClusterState, command: pb.UpdateFeatures) -> Decision:
    """INVALID_UPDATE_VERSION for what a feature cannot be; INVALID_REQUEST for one named twice.

    A level that holds already is no change, so the command may be sent again.
    """
    names = [wanted.name for wanted in command.updates]
    if len(set(names)) != len(names):
        raise ProtocolError(ErrorCode.INVALID_REQUEST, "the request names a feature twice")
    levels = finalized_levels(state.features)
    records: list[Record] = []
    for wanted in command.updates:
        _check(wanted, levels)
        if wanted.level != levels[wanted.name] and not command.validate_only:
            records.append(FeatureChanged(wanted.name, wanted.level))
    return Decision(pb.Result(), records)


def _check(wanted: pb.FeatureUpdate, levels: dict[str, int]) -> None:
    name, level = wanted.name, wanted.level
    feature = FEATURES.get(name)
    if feature is None:
        raise _refusal(f"there is no feature '{name[:40]}'; there are {', '.join(FEATURES)}")
    if not feature.level_min <= level <= feature.level_max:
        raise _refusal(
            f"{name} has levels from {feature.level_min} to {feature.level_max}, not {level}"
        )
    before = levels[name]
    if level == before:
        return
    if feature.fixed:
        raise _refusal(f"{name} is {before} in this version of the cluster, and stays so")
    if level < before and not wanted.downgrade:
        raise _refusal(f"{name} is {before}: {level} is a downgrade, which has to be asked for")
    if level > before and wanted.downgrade:
        raise _refusal(f"{name} is {before}: {level} is no downgrade")


def _refusal(why: str) -> ProtocolError:
    return ProtocolError(ErrorCode.INVALID_UPDATE_VERSION, why)
