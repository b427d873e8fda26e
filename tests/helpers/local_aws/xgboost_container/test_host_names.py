"""No instance is looked up: the toolkit of the image does, and retries an unknown name for 15 minutes."""

import re
import threading
from pathlib import Path

import pytest

from helpers.local_aws.containers.container_job import FIRST_HOST
from helpers.local_aws.training.container_files import write_configuration
from helpers.local_aws.xgboost_container import container, environment
from tests.helpers.local_aws.training_jobs import table

HOSTS = (FIRST_HOST, "algo-2")
REQUEST = {
    "AlgorithmSpecification": {"TrainingInputMode": "File"},
    "ResourceConfig": {"InstanceType": "ml.m5.large"},
    "HyperParameters": {"num_round": "2"},
    "InputDataConfig": [
        {
            "ChannelName": "train",
            "ContentType": "text/csv",
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://bucket/train"}},
        }
    ],
}
WATCHED = """
import runpy, sys

def watch(event, arguments):
    if event in ("socket.getaddrinfo", "socket.gethostbyaddr", "socket.gethostbyname"):
        print("looked up:", arguments[0])

sys.addaudithook(watch)
runpy.run_module(sys.argv[1], run_name="__main__")
"""
"""Runs a module, and prints the names that it looks up."""


@pytest.mark.parametrize("hosts", [HOSTS[:1], HOSTS])
def test_training_looks_up_no_instance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hosts: tuple[str, ...]
) -> None:
    roots = {host: tmp_path / host for host in hosts}
    for host, root in roots.items():
        write_configuration(root, REQUEST, host, hosts)
        channel = root / "opt/ml/input/data/train"
        channel.mkdir(parents=True)
        (channel / "part-0.csv").write_text(table())
    (meeting_point := tmp_path / "meeting").mkdir()
    python, _, module = environment.program("training")
    monkeypatch.setattr(environment, "program", lambda _: [python, "-c", WATCHED, module])
    lines: list[str] = []

    def log(line: str, host: str = FIRST_HOST) -> None:
        lines.append(f"{host} {line}")

    ended = container.train(roots, meeting_point, {}, log, threading.Event())

    assert ended.code == 0, lines
    assert (roots[hosts[0]] / "opt/ml/model/xgboost-model").is_file()
    assert [line for line in lines if re.search("looked up: algo-", line)] == []
