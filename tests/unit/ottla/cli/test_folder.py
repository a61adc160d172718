from __future__ import annotations

from pathlib import Path

import pytest

from ottla.cli.folder import existing_cluster, running_bootstrap
from ottla.core.errors import ConfigError, OttlaError
from ottla.local.cluster import LocalCluster
from ottla.local.plan import ClusterPlan, plan_ports


def test_a_folder_without_a_cluster_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no cluster in .*; start one with 'ottla up'"):
        existing_cluster(tmp_path)


def test_a_stopped_cluster_has_no_bootstrap(tmp_path: Path) -> None:
    LocalCluster.create(tmp_path, ClusterPlan("A" * 22, plan_ports(1, 9092)))
    with pytest.raises(OttlaError, match="the cluster is stopped; start it with 'ottla up'"):
        running_bootstrap(existing_cluster(tmp_path))
