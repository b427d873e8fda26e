"""When clusters start, what they leave behind, and errors at startup."""

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from helpers.errors import UserError
from helpers.local_aws.hadoop import clusters as clusters_module
from helpers.local_aws.hadoop.cluster import CLIENT_ADDRESSES, ClusterSpecification
from helpers.local_aws.hadoop.clusters import Clusters, new_folder
from helpers.local_aws.hadoop.java_process import JavaProcess
from helpers.spark import java


def test_files_of_a_killed_server_are_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ended = subprocess.Popen(["true"])
    ended.wait()
    folders = {
        "of an ended process": tmp_path / f"hadoop-of-{ended.pid}-a",
        "of this process": tmp_path / f"hadoop-of-{os.getpid()}-b",
        "of someone else": tmp_path / "hadoop-of-mine-c",
    }
    for folder in folders.values():
        (folder / "1").mkdir(parents=True)

    created = new_folder()

    assert created.parent == tmp_path
    assert created.name.startswith(f"hadoop-of-{os.getpid()}-")
    assert {name for name, folder in folders.items() if not folder.exists()} == {"of an ended process"}


def test_a_java_that_does_not_start_is_an_error_with_its_words(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Java did not start: .*NoSuchOption"):
        JavaProcess(java.java_home(), [], ["-XX:+NoSuchOption"], tmp_path)


class Cluster:
    """Replaces a JVM with YARN.

    Attributes:
        started: all clusters so far, closed or not.
        faults: errors of the next starts.
    """

    started: list[Any]
    faults: list[UserError]

    def __init__(self, *_: object):
        if self.faults:
            raise self.faults.pop()
        self.started.append(self)
        self.is_alive = True
        self.default_file_system = "hdfs://127.0.0.1:1"

    def configure(self, *_: object) -> Mapping[str, str]:
        return dict.fromkeys(CLIENT_ADDRESSES, "127.0.0.1:1")

    def log_folder(self, node: str) -> Path:
        return Path(node)

    def is_idle(self) -> bool:
        return True

    def reset(self) -> None:
        pass

    def close(self) -> None:
        self.is_alive = False


@pytest.fixture
def clusters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clusters:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(clusters_module, "HadoopCluster", Cluster)
    monkeypatch.setattr(clusters_module, "class_path", list)
    Cluster.started, Cluster.faults = [], []
    return Clusters()


TWO = ClusterSpecification(("algo-1", "algo-2"), ())


def test_a_cluster_starts_once_for_the_job_that_is_expected(clusters: Clusters) -> None:
    clusters.expect_job()
    clusters.expect_job()
    with clusters.of_job(TWO, {}) as running:
        assert Cluster.started == [running.cluster]
    clusters.expect_job()

    assert len(Cluster.started) == 1, "the cluster of the job before waits"
    clusters.close()
    assert not Cluster.started[0].is_alive


def test_a_cluster_that_died_while_it_waited_is_replaced(clusters: Clusters) -> None:
    with clusters.of_job(TWO, {}):
        pass
    Cluster.started[0].is_alive = False

    with clusters.of_job(TWO, {}) as running:
        assert Cluster.started[1:] == [running.cluster]


def test_a_job_meets_the_error_of_a_start_that_was_for_it_alone(clusters: Clusters) -> None:
    Cluster.faults = [UserError("no jars for this job"), UserError("no jars for a job before")]
    clusters.expect_job()
    assert clusters._idle is not None
    assert clusters._idle.exception() is not None
    clusters.expect_job()

    with pytest.raises(UserError, match="for this job"), clusters.of_job(TWO, {}):
        pass
    clusters.expect_job()
    with clusters.of_job(TWO, {}) as running:
        assert running.cluster.is_alive


def test_a_yarn_that_does_not_start_is_an_error_at_the_end_of_the_block(
    clusters: Clusters, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Mapping[str, str]:
        raise UserError("YARN is not ready")

    monkeypatch.setattr(Cluster, "configure", fail)

    with pytest.raises(UserError, match="YARN is not ready"), clusters.of_job(TWO, {}) as running:
        assert running.addresses.exception() is not None

    assert not Cluster.started[0].is_alive, "what has failed is not kept"
