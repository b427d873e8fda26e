"""Generates the files of a new pipeline or a new step."""

import json
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any, Literal, NamedTuple

from helpers.errors import UserError
from ml_pipeline.params.documents import read_document
from ml_pipeline.params.files import BASE, DEFAULT_PIPELINE, is_spark
from ml_pipeline.scaffolding.changes import Changes
from ml_pipeline.scaffolding.json_text import add_member
from ml_pipeline.scaffolding.names import ROOT, check_job_name, check_name, module_of
from ml_pipeline.scaffolding.pipeline_module import add_step

_TEMPLATES = Path(__file__).parent / "templates"
_PIPELINES, _PARAMETERS, _JOBS = "ml_pipeline/pipelines", "ml_pipeline/params", "spark_jobs"
_INPUT, _OUTPUT, _DATASET = "input_table", "output_table", "parquet"
_PACKAGES = "requirements-ingestion.in"
"""The requirements of `etl.ingestion`."""
_INSTANCES = {"instance_type": "ml.m5.xlarge", "instance_count": 2}
"""Default instances, for which configuration.json is sized, if pipeline_params.json has no step to copy."""


class FirstStep(NamedTuple):
    """A generated step."""

    section: Mapping[str, Any]
    """The section of the step in the parameter file."""
    files: Mapping[str, str]
    """The text of the pipeline's module, the job, its test and its sample data, by path."""


class _Step(NamedTuple):
    """The properties of an existing step that a new step uses."""

    name: str
    output: str
    instances: Mapping[str, Any]


def new_pipeline(name: str, step: str = "", root: Path = ROOT) -> Changes:
    """Return the files of a new pipeline.

    Args:
        name: the name of the pipeline.
        step: the name of its step; by default, prepare-<name>.
        root: the folder of the checkout.

    Raises:
        UserError: a name is not valid, or a parameter file cannot be read.
    """
    step = step or f"prepare-{name}"
    check_name("pipeline", name)
    _check_step(step, root)
    base = read_document(root / _PARAMETERS / BASE).values
    instances = next((each.instances for each in reversed(_steps(base))), _INSTANCES)
    first = first_step(name, step, instances)
    parameters = {"pipeline_name": f"{name}-${{Environment}}", "trial": name, "steps": {step: first.section}}
    parameter_file = f"{_PARAMETERS}/pipelines/{name}.json"
    return Changes(root, {parameter_file: json.dumps(parameters, indent=2) + "\n", **first.files})


def first_step(pipeline: str, step: str, instances: Mapping[str, Any] = _INSTANCES) -> FirstStep:
    """Return the first step of a pipeline, which reads generated sample data."""
    sample = f"{module_of(pipeline)}.csv"
    section = {
        "code": f"{module_of(step)}.py",
        "inputs": {_INPUT: {"uri": f"s3a://${{DataBucketName}}/{pipeline}/input/{sample}", "sample": sample}},
        "outputs": {_OUTPUT: _output_uri(pipeline, step)},
        "arguments": {"max_rejected_fraction": 0.01},
        "requirements": _PACKAGES,
        **instances,
    }
    files = {
        f"{_PIPELINES}/{module_of(pipeline)}.py": _filled("pipeline.py", pipeline=pipeline, step=step),
        f"{_JOBS}/sample_data/{sample}": _filled("sample.csv"),
        **_code(step, "ingest"),
    }
    return FirstStep(section, files)


def new_step(pipeline: str, step: str, root: Path = ROOT) -> Changes:
    """Return the files of a new step, which reads the output of the pipeline's last step.

    Raises:
        UserError: the name is not valid, the pipeline does not exist, or its module cannot be edited.
    """
    _check_step(step, root)
    module = f"{_PIPELINES}/{module_of(pipeline)}.py"
    file = f"{_PARAMETERS}/{BASE if pipeline == DEFAULT_PIPELINE else f'pipelines/{pipeline}.json'}"
    if not (root / module).is_file():
        raise UserError(
            f"{module}: there is no such file",
            hint=f"Create the pipeline first with: make new-pipeline NAME={pipeline}",
        )
    values = read_document(root / file).values
    steps = _steps(values)
    if step in {*(each.name for each in steps), *values.get("steps", {})}:
        raise UserError(f"{file} already has a step {step}", hint="Choose another name")
    if not steps:
        raise UserError(
            f"{file} has no step whose output {step} could read",
            hint="Add the section of the first step yourself, as shown in docs/pipelines.md",
        )
    last = steps[-1]
    section = {
        "code": f"{module_of(step)}.py",
        "inputs": {_INPUT: {"step": last.name, "output": last.output, "dataset": _DATASET}},
        "outputs": {_OUTPUT: _output_uri(pipeline, step)},
        "arguments": {"where": "true"},
        **last.instances,
    }
    source, parameters = ((root / path).read_text(encoding="utf-8") for path in (module, file))
    edited = {
        module: add_step(source, step, module),
        file: add_member(parameters, ("steps", step), section),
    }
    note = (
        f"{step} reads the data set {_DATASET} of output {last.output} of step {last.name}. "
        f"To read another one, change steps.{step}.inputs in {file}."
    )
    return Changes(root, _code(step, "transform"), edited, note=note)


def _check_step(name: str, root: Path) -> None:
    check_name("step", name)
    check_job_name(name, root)


def _code(step: str, kind: Literal["ingest", "transform"]) -> dict[str, str]:
    """Return the text of the job of a step and its test, by path."""
    job = module_of(step)
    return {
        f"{_JOBS}/{job}.py": _filled(f"{kind}.py", job=job),
        f"tests/{_JOBS}/test_{job}.py": _filled(f"test_{kind}.py", job=job, step=step),
    }


def _filled(template: str, **values: str) -> str:
    text = (_TEMPLATES / f"{template}.template").read_text(encoding="utf-8")
    return Template(text).substitute(values)


def _output_uri(pipeline: str, step: str) -> str:
    return f"s3a://${{DataBucketName}}/{pipeline}/output/{step}"


def _steps(values: Mapping[str, Any]) -> list[_Step]:
    """Return the Spark steps of a parameter file in order."""
    found = []
    if name := values.get("pyspark_process_name"):
        keys = ("instance_type", "instance_count")
        found.append(_Step(name, _OUTPUT, {key: values.get(f"pyspark_process_{key}") for key in keys}))
    for name, section in values.get("steps", {}).items():
        if not is_spark(section):
            continue
        instances = {key: section[key] for key in ("instance_type", "instance_count") if key in section}
        found.append(_Step(name, next(iter(section.get("outputs", {_OUTPUT: ""}))), instances))
    return found
