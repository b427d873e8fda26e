"""A pipeline with two steps, one of which reads the result of the other and external data."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any, cast

import pytest

from ml_pipeline import pipelines
from ml_pipeline.params import files
from ml_pipeline.pipelines import Pipeline, PipelineModule
from tests.ml_pipeline.small_project import module

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
MODULE = """
from ml_pipeline.steps import SparkStep
DESCRIPTION = "Joins rides and rates."
def steps(_):
    return [SparkStep("clean"), SparkStep("join")]
"""


def changed(document: Document, path: str, value: Any) -> Document:
    """Return a copy with another value at a path such as `steps/clean/code`; REMOVED removes the key."""
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
    """Write the files of the steps into a folder with existing files, and return it."""
    folder.mkdir(exist_ok=True)
    contents = {
        **dict.fromkeys(("clean.py", "join.py"), READER),
        **dict.fromkeys(("data_utils.py", "helpers.py"), "# helpers\n"),
        **dict.fromkeys(("configuration.json", "join.json"), "[]\n"),
    }
    contents["etl/__init__.py"] = "# library\n"
    (folder / "etl").mkdir(exist_ok=True)
    for name, content in contents.items():
        if not (folder / name).exists():
            (folder / name).write_text(content)
    return folder


def add_pipeline(
    root: Path,
    jobs: Path,
    patch: pytest.MonkeyPatch,
    document: Document | None = None,
    name: str = NAME,
    text: str = MODULE,
) -> None:
    """Add a module, a parameter file and the code of a second pipeline, all outside the checkout."""
    modules, params = root / "pipelines", root / "params"
    modules.mkdir(exist_ok=True)
    (modules / f"{name.replace('-', '_')}.py").write_text(text)
    if params != files.FOLDER:
        shutil.copytree(files.FOLDER, params)
        patch.setattr(files, "FOLDER", params)
        patch.setattr(pipelines, "__path__", [*pipelines.__path__, str(modules)])
    (params / "pipelines" / f"{name}.json").write_text(json.dumps(document or PAIR))
    # An existing entry is not imported, and is removed after the test.
    added = module(name, text)
    patch.setitem(sys.modules, added.__name__, added)
    write_jobs(jobs)


PIPELINE = Pipeline(NAME, cast("PipelineModule", module(NAME, MODULE)))
