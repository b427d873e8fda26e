"""A pipeline of two steps, of which one reads the result of the other and data from outside."""

import json
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from ml_pipeline.pipelines import Pipeline, PipelineModule
from ml_pipeline.steps import SparkStep, Step

Document = dict[str, Any]

NAME = "ride-joins"
READER = """
import argparse
parser = argparse.ArgumentParser()
for name in ("--rides", "--rates", "--joined", "--rejected", "--minimum"):
    parser.add_argument(name)
"""
SMALL: Document = {"instance_type": "ml.m5.large", "instance_count": 1}
CLEAN: Document = {
    **SMALL,
    "code": "clean.py",
    "inputs": {"rides": {"uri": "s3a://${DataBucketName}/rides", "sample": "rides"}},
    "outputs": {"joined": "s3a://${DataBucketName}/clean"},
}
JOIN: Document = {
    **SMALL,
    "code": "join.py",
    "helper_files": ["helpers.py"],
    "configuration": "join.json",
    "inputs": {
        "rides": {"step": "clean", "output": "joined", "dataset": "parquet"},
        "rates": {"uri": "s3a://${DataBucketName}/rates.csv"},
    },
    "outputs": {"joined": "s3a://${DataBucketName}/joined", "rejected": "s3a://${DataBucketName}/rejected"},
    "arguments": {"minimum": 2.5},
}
PAIR: Document = {
    "pipeline_name": "Joins-${Environment}",
    "trial": "joins",
    "steps": {"clean": CLEAN, "join": JOIN},
}
REMOVED = object()


def changed(document: Document, path: str, value: Any) -> Document:
    """Return a copy with another value at a path as `steps/clean/code`; REMOVED takes the key away."""
    copy: Document = json.loads(json.dumps(document))
    *way, last = path.split("/")
    node = copy
    for part in way:
        node = node.setdefault(part, {})
    node.pop(last, None)
    if value is not REMOVED:
        node[last] = value
    return copy


def write_jobs(folder: Path) -> Path:
    """Write the files that the steps run into a folder, and return it."""
    folder.mkdir()
    for name in ("clean.py", "join.py"):
        (folder / name).write_text(READER)
    for name in ("data_utils.py", "helpers.py"):
        (folder / name).write_text("# helpers\n")
    for name in ("configuration.json", "join.json"):
        (folder / name).write_text("[]\n")
    return folder


def _steps(_: object) -> Sequence[Step]:
    return [SparkStep("clean"), SparkStep("join")]


PIPELINE = Pipeline(
    NAME, cast("PipelineModule", SimpleNamespace(DESCRIPTION="Joins rides and rates.", steps=_steps))
)
