"""The folder of a local cluster: the option that names it, and the cluster that it holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ottla.cli import common
from ottla.core.errors import ConfigError, OttlaError

if TYPE_CHECKING:
    from ottla.local.cluster import LocalCluster

DEFAULT_DATA = Path(common.DEFAULT_FOLDER)

DataOption = Annotated[
    Path,
    typer.Option("--data", "-d", help="Folder of the cluster.", envvar="OTTLA_DATA"),
]


def existing_cluster(data: Path) -> LocalCluster:
    """The cluster of a folder; ConfigError when it holds none."""
    from ottla.local.cluster import LocalCluster

    cluster = LocalCluster.load(data)
    if cluster is None:
        raise ConfigError(
            f"there is no cluster in {data}; start one with 'ottla up', or name its folder with "
            "--data"
        )
    return cluster


def running_bootstrap(cluster: LocalCluster) -> str:
    """Where the nodes of a cluster answer; OttlaError when none runs."""
    if not cluster.running():
        raise OttlaError("the cluster is stopped; start it with 'ottla up'")
    return cluster.plan.bootstrap
