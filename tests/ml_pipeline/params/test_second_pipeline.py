"""The parameter file of a second pipeline: inheritance, steps, and how errors are reported."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpers.errors import UserError
from ml_pipeline.params import PipelineParams, SparkCode, code_hashes, load_parameters, pipeline_name
from ml_pipeline.params.documents import merge
from ml_pipeline.params.files import step_instances
from ml_pipeline.params.spark_code import hash_of
from tests.ml_pipeline.small_project import write_params
from tests.ml_pipeline.two_steps import PAIR, REMOVED, Document, changed, write_jobs

Load = Callable[..., PipelineParams]


@pytest.fixture
def folder(small_project: None, tmp_path: Path) -> Path:
    """A folder with parameter files for the environments of the small project."""
    return write_params(tmp_path / "params")


@pytest.fixture
def code(tmp_path: Path) -> SparkCode:
    """The files of the jobs, which have five options."""
    return SparkCode(write_jobs(tmp_path / "jobs"))


@pytest.fixture
def load(folder: Path, code: SparkCode, outputs: dict[str, str]) -> Load:
    """Load the parameters of the pipeline `ride-joins` from a document."""

    def loaded(document: Document, environment: str = "trial", **more: Any) -> PipelineParams:
        (folder / "pipelines" / "ride-joins.json").write_text(json.dumps(document))
        return load_parameters(environment, outputs, "ride-joins", code=code, folder=folder, **more)

    return loaded


def problems_of(load: Load, document: Document, **more: Any) -> list[str]:
    """Return the lines of the error message for a document, each without the folder of its file."""
    with pytest.raises(UserError) as rejected:
        load(document, **more)
    header, *lines = rejected.value.message.splitlines()
    assert header == "The parameters of pipeline ride-joins in trial are not valid:"
    return [line.removeprefix("  - ").rsplit("/ride-joins.json", 1)[-1] for line in lines]


def test_a_pipeline_inherits_what_all_pipelines_share_and_nothing_of_the_first_one(
    load: Load, folder: Path
) -> None:
    (folder / "trial.json").write_text(
        '{"pyspark_framework_version": "3.5", "tags": {"Stage": "trial"}, "trial": "other", '
        '"pyspark_process_instance_count": 9}'
    )

    params = load(PAIR)

    assert (params.pipeline_name, params.trial) == ("Joins-trial", "joins")
    assert params.pipeline_role == "arn:aws:iam::123456789012:role/pipeline"
    assert params.network_subnet_ids == ("subnet-0123456789abcdef0", "subnet-0123456789abcdef1")
    assert params.tags["Stage"] == "trial"
    assert params.tags["Environment"] == "trial"
    assert list(params.spark_steps) == ["clean", "join"]
    assert params.spark_steps["clean"].instance_count == 1


def test_an_own_value_replaces_an_inherited_one(load: Load) -> None:
    document = {
        **PAIR,
        "tags": {"Owner": "riders"},
        "pyspark_process_role": "arn:aws:iam::123456789012:role/x",
    }

    params = load(document)

    assert params.job_role == "arn:aws:iam::123456789012:role/x"
    assert params.tags["Owner"] == "riders"
    assert params.tags["Environment"] == "trial", "tags are merged key by key"


@pytest.mark.parametrize(("environment", "count"), [("trial", 7), ("live", 1), ("pr-5", 3)])
def test_an_environment_changes_single_keys_of_a_step(environment: str, count: int, load: Load) -> None:
    document = changed(PAIR, "environments/trial/steps/join/instance_count", 7)
    document = changed(document, "environments/preview/steps/join/instance_count", 3)

    join = load(document, environment).spark_steps["join"]

    assert join.instance_count == count
    assert join.instance_type == "ml.m5.large"
    assert join.arguments == {"minimum": 2.5}


def test_objects_are_merged_key_by_key_and_lists_are_replaced() -> None:
    base = {"a": {"b": {"c": 1, "d": [1, 2]}}, "e": 1}

    assert merge(base, {"a": {"b": {"d": [3]}}, "e": {"f": 2}}) == {
        "a": {"b": {"c": 1, "d": [3]}},
        "e": {"f": 2},
    }
    assert base["a"] == {"b": {"c": 1, "d": [1, 2]}}, "the base stays as it is"


def test_each_step_is_staged_by_a_hash_of_its_own_files(load: Load, code: SparkCode, folder: Path) -> None:
    steps = load(PAIR).spark_steps
    hashes = code_hashes("trial", "ride-joins", code, folder)

    assert hashes == {
        "clean": hash_of(
            (name, code.read(name)) for name in ("clean.py", "data_utils.py", "etl.zip", "configuration.json")
        ),
        "join": hash_of((name, code.read(name)) for name in ("join.py", "helpers.py", "join.json")),
    }
    staged = f"s3://artifact-bucket/code/{hashes['join']}"
    assert dict(steps["join"].files) == {
        f"{staged}/join.py": "join.py",
        f"{staged}/helpers.py": "helpers.py",
        f"{staged}/configuration.json": "join.json",
    }
    (code.folder / "join.py").write_text("# changed\n")
    after = code_hashes("trial", "ride-joins", SparkCode(code.folder), folder)
    assert (after["clean"] == hashes["clean"], after["join"] == hashes["join"]) == (True, False)


def test_a_step_reads_the_result_of_another_and_data_from_outside(load: Load) -> None:
    join = load(PAIR).spark_steps["join"]

    assert [(each.path, each.step) for each in join.references()] == [(("inputs", "rides"), "clean")]
    assert list(join.data_inputs) == ["rates"]
    assert join.inputs["rides"].dataset == "parquet"
    assert join.report_folder == "s3a://data-bucket/joined"


def test_names_and_instances_are_known_without_a_stack(load: Load, folder: Path) -> None:
    load(changed(PAIR, "environments/trial/steps/join/instance_count", 7))

    assert pipeline_name("trial", "ride-joins", folder) == "Joins-trial"
    assert step_instances("trial", "ride-joins", folder) == {
        "clean": ("ml.m5.large", 1, "Processing"),
        "join": ("ml.m5.large", 7, "Processing"),
    }


@pytest.mark.parametrize("name", [REMOVED, 3])
def test_a_pipeline_without_a_name_is_rejected_by_its_file_and_key(name: Any, folder: Path) -> None:
    (folder / "pipelines" / "ride-joins.json").write_text(json.dumps(changed(PAIR, "pipeline_name", name)))

    with pytest.raises(
        UserError, match=r"ride-joins\.json: pipeline_name is not a string\nHint: Write one, as Rates-"
    ):
        pipeline_name("trial", "ride-joins", folder)


def test_a_pipeline_without_a_file_is_rejected_by_the_file(folder: Path, outputs: dict[str, str]) -> None:
    with pytest.raises(UserError, match=r"pipelines/nothing\.json: there is no such file\nHint: Create it"):
        load_parameters("trial", outputs, "nothing", folder=folder)


MODULE = "ml_pipeline/pipelines/ride_joins.py"
MISTAKES: dict[str, tuple[str, Any, str]] = {
    "neither uri nor step": (
        "steps/join/inputs/rates",
        {},
        ": steps.join.inputs.rates = {}: give either uri, for data from outside the pipeline, or step with "
        "output",
    ),
    "both uri and step": (
        "steps/join/inputs/rates/step",
        "clean",
        ': steps.join.inputs.rates = {"uri": "s3a://${DataBucketName}/rates.csv", "step": "clean"} '
        '({"uri": "s3a://data-bucket/rates.csv", "step": "clean"}): give either uri',
    ),
    "dataset of a uri": (
        "steps/join/inputs/rates/dataset",
        "csv",
        ": steps.join.inputs.rates",
    ),
    "sample of a step": (
        "steps/join/inputs/rides/sample",
        "rides",
        ': steps.join.inputs.rides.sample = "rides": the result of a step needs no sample; remove it',
    ),
    "unknown step": (
        "steps/join/inputs/rides/step",
        "cleaned",
        ': steps.join.inputs.rides.step = "cleaned": there is no step cleaned; the others are clean',
    ),
    "unknown output": (
        "steps/join/inputs/rides/output",
        "clean",
        ': steps.join.inputs.rides.output = "clean": step clean has no output clean; write one of joined',
    ),
    "output missing": (
        "steps/join/inputs/rides/output",
        REMOVED,
        ": steps.join.inputs.rides.output: step clean has no output None; write one of joined",
    ),
    "cycle": (
        "steps/clean/inputs/rates",
        {"step": "join", "output": "joined"},
        ": steps.clean.inputs.rates",
    ),
    "own result": (
        "steps/clean/inputs/rates",
        {"step": "clean", "output": "joined"},
        ': steps.clean.inputs.rates = {"step": "clean", "output": "joined"}: the steps wait for each other: '
        "clean reads clean; remove one of these inputs",
    ),
    "outputs overlap": (
        "steps/join/outputs/rejected",
        "s3://data-bucket/joined/rejected/",
        ': steps.join.outputs.rejected = "s3://data-bucket/joined/rejected/": it overlaps output joined of '
        "step join, s3a://data-bucket/joined, which the job would overwrite; use another folder",
    ),
    "output of another step": (
        "steps/join/outputs/rejected",
        "s3://data-bucket",
        ': steps.join.outputs.rejected = "s3://data-bucket": write s3a://bucket/key or s3://bucket/key',
    ),
    "output above an input": (
        "steps/join/outputs/rejected",
        "s3://data-bucket/rides/",
        ': steps.join.outputs.rejected = "s3://data-bucket/rides/": it overlaps input rides of step clean',
    ),
    "option that the job does not read": (
        "steps/join/arguments/maximum",
        3,
        ": steps.join.arguments.maximum = 3: spark_jobs/join.py does not read --maximum, its options are "
        "--joined, --minimum, --rates, --rejected, --rides; rename the key, or add the option to the job",
    ),
    "input and argument of one name": (
        "steps/join/arguments/rates",
        3,
        ": steps.join.arguments.rates = 3: --rates stands in inputs as well; give each its own name",
    ),
    "missing code": (
        "steps/join/code",
        "joins.py",
        ': steps.join.code = "joins.py": there is no file ',
    ),
    "missing helper": (
        "steps/join/helper_files",
        ["helpers.py", "more.py"],
        ': steps.join.helper_files.1 = "more.py": there is no file ',
    ),
    "missing configuration": (
        "steps/join/configuration",
        "spark.json",
        ': steps.join.configuration = "spark.json": there is no file ',
    ),
    "code in a folder": (
        "steps/join/code",
        "jobs/join.py",
        ': steps.join.code = "jobs/join.py": name a Python file of spark_jobs/ without a folder, as',
    ),
    "name in upper case": (
        "steps/join/arguments/Minimum",
        3,
        ": steps.join.arguments.Minimum",
    ),
    "no output": ("steps/join/outputs", {}, ": steps.join.outputs = {}: "),
    "unknown key": (
        "steps/join/instance_cuont",
        3,
        ": steps.join.instance_cuont = 3: there is no such key; did you mean instance_count?",
    ),
    "key of the first pipeline": (
        "pyspark_process_instance_count",
        3,
        ": pyspark_process_instance_count = 3: there is no such key",
    ),
    "step without an object": ("steps/join", 3, ": steps.join = 3: "),
    "name without the environment": (
        "pipeline_name",
        "Joins",
        ': pipeline_name = "Joins": end it with -${Environment}: the roles may create no other pipeline',
    ),
    "no steps": ("steps", REMOVED, ": steps: it is missing; add a section for each step"),
    "no steps in it": ("steps", {}, ": steps = {}: it is missing; add a section for each step"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_reported_by_file_key_value_and_fix(mistake: str, load: Load) -> None:
    path, value, expected = MISTAKES[mistake]

    found = problems_of(load, changed(PAIR, path, value))

    assert [line for line in found if line.startswith(expected)], found


def test_the_first_of_a_cycle_is_named_with_the_whole_of_it(load: Load) -> None:
    document = changed(PAIR, "steps/clean/inputs/rates", {"step": "join", "output": "joined"})

    (line,) = [each for each in problems_of(load, document) if "wait for each other" in each]

    assert "clean reads join reads clean" in line or "join reads clean reads join" in line


def test_a_name_is_reported_for_every_section_and_step_that_has_it_too_often(load: Load) -> None:
    document = changed(PAIR, "steps/join/arguments/joined", "x")
    document = changed(document, "steps/clean/arguments/rides", "x")

    found = problems_of(load, document)

    assert [line.split(" = ")[0] for line in found] == [
        ": steps.clean.arguments.rides",
        ": steps.join.arguments.joined",
    ]


def test_all_mistakes_are_reported_at_once(load: Load) -> None:
    document = PAIR
    for mistake in ("unknown step", "outputs overlap", "option that the job does not read", "missing helper"):
        path, value, _ = MISTAKES[mistake]
        document = changed(document, path, value)

    found = problems_of(load, document)

    assert [line.split(" = ")[0] for line in found] == [
        ": steps.join.arguments.maximum",
        ": steps.join.helper_files.1",
        ": steps.join.inputs.rides.step",
        ": steps.join.outputs.joined",
        ": steps.join.outputs.rejected",
    ]


def test_a_value_of_an_overlay_is_reported_with_the_overlay(load: Load) -> None:
    (line,) = problems_of(load, changed(PAIR, "environments/trial/steps/join/instance_count", 0))

    assert line.startswith(", environments.trial: steps.join.instance_count = 0: ")


@pytest.mark.parametrize("overlays", [[], {"trial": 3}])
def test_overlays_are_objects_by_environment(overlays: Any, load: Load) -> None:
    with pytest.raises(UserError, match=r"ride-joins\.json: environments is not an object of objects"):
        load(changed(PAIR, "environments", overlays))


def test_an_overlay_of_an_unknown_environment_is_rejected_with_those_that_there_are(load: Load) -> None:
    with pytest.raises(
        UserError,
        match=r"ride-joins\.json: environments\.qa: unknown environment; expected one of "
        r"local, trial, live, preview",
    ):
        load(changed(PAIR, "environments/qa/trial", "x"))


def test_a_section_that_the_module_has_no_step_for_is_rejected(load: Load) -> None:
    (line,) = problems_of(load, PAIR, steps=lambda _: {"clean": "Processing"})

    assert line.startswith(": steps.join")
    assert line.endswith(
        f"{MODULE} has no step of this name, its steps are clean; rename the section, remove it, or add "
        'SparkStep("join") to the module'
    )


def test_a_step_of_the_module_without_a_section_is_rejected(load: Load) -> None:
    (line,) = problems_of(
        load, PAIR, steps=lambda _: dict.fromkeys(["clean", "join", "report"], "Processing")
    )

    assert line == (
        f": steps.report: it is missing, and {MODULE} has this step; add the section, or remove the step"
    )


def test_a_job_that_cannot_be_parsed_is_not_compared_with_its_options(load: Load, code: SparkCode) -> None:
    (code.folder / "join.py").write_text("def broken(:\n")

    assert load(changed(PAIR, "steps/join/arguments/maximum", 3)).spark_steps["join"].arguments == {
        "minimum": 2.5,
        "maximum": 3,
    }
