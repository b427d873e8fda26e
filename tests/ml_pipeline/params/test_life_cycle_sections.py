"""Mistakes in the sections of steps that train, score, register and decide."""

import json
from pathlib import Path
from typing import Any

import pytest

from helpers.errors import UserError
from ml_pipeline.params import SparkCode, load_parameters
from ml_pipeline.params.documents import read_document
from tests.ml_pipeline import life_cycle
from tests.ml_pipeline.life_cycle import PIPELINES, SCORE, SCORING, TRAIN, TRAINING, Document
from tests.ml_pipeline.small_project import write_params
from tests.ml_pipeline.two_steps import REMOVED, changed

MODULE = "ml_pipeline/pipelines/fare_model.py"


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> SparkCode:
    """The files of the Spark steps."""
    return SparkCode(life_cycle.write_jobs(tmp_path_factory.mktemp("jobs")))


@pytest.fixture
def problems(outputs: dict[str, str], small_project: None, code: SparkCode, tmp_path: Path) -> Any:
    """Returns the errors for a document, without the names of files."""
    files = write_params(tmp_path / "params")

    def load(document: Document, name: str = TRAIN) -> list[str]:
        (files / "pipelines" / f"{name}.json").write_text(json.dumps(document))
        steps = PIPELINES[name].step_types
        try:
            load_parameters("local", outputs, name, steps=steps, code=code, folder=files)
        except UserError as error:
            return [line.partition(f"{name}.json")[2] for line in str(error).splitlines()[1:]]
        return []

    return load


MISTAKES: dict[str, tuple[str, Any, str]] = {
    "unknown type": (
        "steps/model/type",
        "Models",
        ": steps.model = ",
    ),
    "missing key": ("steps/train/version", REMOVED, ": steps.train.version: it is missing; add it"),
    "unknown key": (
        "steps/train/hyper_parameters",
        {},
        ": steps.train.hyper_parameters = {}: there is no such key; did you mean hyperparameters?",
    ),
    "unknown version": (
        "steps/train/version",
        "3.2",
        ': steps.train.version = "3.2": SageMaker has no image of it; use one of 0.90-1, ',
    ),
    "another algorithm": ("steps/train/algorithm", "linear", ': steps.train.algorithm = "linear": '),
    "instance of another use": (
        "steps/score-test/instance_type",
        "ml.t3.medium",
        ': steps.score-test.instance_type = "ml.t3.medium": SageMaker has no such instance type for '
        "batch transform; write one as ml.m5.xlarge",
    ),
    "no channels": (
        "steps/train/channels",
        {},
        ": steps.train.channels = {}: it must have at least one entry",
    ),
    "channel of no step": (
        "steps/train/channels/train/step",
        "prepared",
        ': steps.train.channels.train.step = "prepared": there is no step prepared; the others are ',
    ),
    "channel of a step without outputs": (
        "steps/train/channels/train/step",
        "model",
        ': steps.train.channels.train.step = "model": step model is of type Model, this must be Processing; '
        "the steps of this kind are prepare, evaluate",
    ),
    "channel of no output": (
        "steps/train/channels/train/output",
        "train",
        ': steps.train.channels.train.output = "train": step prepare has no output train; write one of '
        "prepared",
    ),
    "artifacts with s3a": (
        "steps/train/output",
        "s3a://bucket/models",
        ': steps.train.output = "s3a://bucket/models": write s3://bucket/key',
    ),
    "model of two origins": (
        "steps/model/model_package",
        {"parameter": "ModelPackageArn"},
        ": steps.model = ",
    ),
    "model of none": ("steps/model/training_step", REMOVED, ": steps.model = "),
    "model of a Spark step": (
        "steps/model/training_step",
        "prepare",
        ': steps.model.training_step = "prepare": step prepare is of type Processing, this must be Training; '
        "the steps of this kind are train",
    ),
    "package of another parameter": (
        "steps/model/model_package",
        {"parameter": "ChampionModelDataUrl"},
        ': steps.model.model_package = {"parameter": "ChampionModelDataUrl"}: write '
        '{"parameter": "ModelPackageArn"}',
    ),
    "artifact of another parameter": (
        "steps/model/artifact",
        {"parameter": "ChampionModelDataUrl", "algorithm": "xgboost", "version": "3.2-0"},
        ': steps.model.artifact.parameter = "ChampionModelDataUrl": write "ModelDataUrl"',
    ),
    "transform of two inputs": (
        "steps/score-test/input/parameter",
        "SampleUrl",
        ": steps.score-test.input = ",
    ),
    "transform of none": ("steps/score-test/input", {}, ": steps.score-test.input = "),
    "data set of a sample": (
        "steps/score-test/input",
        {"parameter": "SampleUrl", "dataset": "test"},
        ": steps.score-test.input = ",
    ),
    "sample of another parameter": (
        "steps/score-test/input",
        {"parameter": "ModelPackageArn"},
        ': steps.score-test.input.parameter = "ModelPackageArn": write "SampleUrl"',
    ),
    "unknown parameter of the registry": (
        "steps/evaluate/arguments/champion/parameter",
        "Champion",
        ': steps.evaluate.arguments.champion = {"parameter": "Champion"}: there is no such execution '
        "parameter; write one of ChampionModelDataUrl, RegisteredModelDigest, ModelPackageArn, "
        "BaselineStatisticsUrl",
    ),
    "argument that is a list": (
        "steps/evaluate/arguments/champion",
        ["a"],
        ': steps.evaluate.arguments.champion = ["a"]: write a string, a number, true, false, or '
        '{"parameter": "NAME"}',
    ),
    "output of a step with one result": (
        "steps/evaluate/inputs/candidate/output",
        "model",
        ': steps.evaluate.inputs.candidate.output = "model": step train has one result and no outputs; '
        "remove output",
    ),
    "predictions over the training data": (
        "steps/score-test/output",
        "s3://data-bucket/model/prepared",
        ': steps.score-test.output = "s3://data-bucket/model/prepared": it overlaps output prepared of step '
        "prepare, s3a://data-bucket/model/prepared, which the job would overwrite; use another folder",
    ),
    "steps that wait for each other": (
        "steps/prepare/inputs/rides",
        {"step": "evaluate", "output": "evaluation"},
        ": steps.",
    ),
    "file that is not JSON": (
        "steps/reject/message/file",
        "evaluation.txt",
        ': steps.reject.message.file = "evaluation.txt": name a JSON file, as evaluation/evaluation.json',
    ),
    "description that is empty": ("steps/register/description", "", ': steps.register.description = "": '),
    "retries beyond the limit": (
        "steps/register/retry_attempts",
        21,
        ": steps.register.retry_attempts = 21: ",
    ),
    "condition without a value": ("steps/good-enough/values", [], ": steps.good-enough.values = []: "),
    "comparison with nothing": (
        "steps/good-enough/values",
        [{"json_value": {**life_cycle.EVALUATION, "path": "decision"}}],
        ": steps.good-enough.values.0 = ",
    ),
    "section of a branch": (
        "steps/register",
        REMOVED,
        f": steps.register: it is missing, and {MODULE} has this step; add the section, or remove the step",
    ),
    "section of another type": (
        "steps/train",
        TRAINING["steps"]["model"],
        ": steps.train = ",
    ),
    "hyperparameter that the image does not have": (
        "steps/train/hyperparameters/depth",
        5,
        ": steps.train.hyperparameters.depth = 5: the image of XGBoost rejects it: Extraneous "
        "hyperparameter found: depth; correct it as https://docs.aws.amazon.com/",
    ),
    "channel that the image needs": (
        "steps/train/channels/train",
        REMOVED,
        ": steps.train.channels = {",
    ),
    "hyperparameter that is true": (
        "steps/train/hyperparameters/num_round",
        True,
        ": steps.train.hyperparameters.num_round = true: write a string or a number",
    ),
    "hyperparameter that is null": (
        "steps/train/hyperparameters/eta",
        None,
        ": steps.train.hyperparameters.eta = null: write a string or a number",
    ),
    "comparison with a list": (
        "steps/good-enough/values",
        [{"json_value": {**life_cycle.EVALUATION, "path": "decision"}, "equals": ["register"]}],
        ': steps.good-enough.values.0.equals = ["register"]: write a string, a number, true or false',
    ),
    "data set outside the run": (
        "steps/train/channels/train/dataset",
        "../train",
        ': steps.train.channels.train.dataset = "../train": name a folder without . and ..',
    ),
    "file outside the run": (
        "steps/reject/message/file",
        "../evaluation.json",
        ': steps.reject.message.file = "../evaluation.json": name a JSON file, as ',
    ),
    "hyperparameter out of its range": (
        "steps/train/hyperparameters/eta",
        2,
        ": steps.train.hyperparameters.eta = 2: the image of XGBoost rejects it: Hyperparameter eta: 2.0 is "
        "not in [0, 1]; correct it as ",
    ),
    "hyperparameter that is not a number": (
        "steps/train/hyperparameters/eta",
        "nan",
        ': steps.train.hyperparameters.eta = "nan": the image of XGBoost rejects it: ',
    ),
    "hyperparameter that the image needs": (
        "steps/train/hyperparameters/num_round",
        REMOVED,
        ": steps.train.hyperparameters = {",
    ),
    "enabled as text": ("enabled", "no", ': enabled = "no": it must be true or false, without quotes'),
}


def test_the_documents_are_valid(problems: Any) -> None:
    assert problems(TRAINING) == []
    assert problems(SCORING, SCORE) == []


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_reported_by_file_key_value_and_fix(mistake: str, problems: Any) -> None:
    path, value, expected = MISTAKES[mistake]

    found = problems(changed(TRAINING, path, value))

    assert [line for line in found if line.startswith(expected)], found


@pytest.mark.parametrize(("written", "shown"), [("NaN", "nan"), ("-Infinity", "-inf"), ("1e999", "inf")])
def test_a_number_that_is_not_finite_is_rejected_with_its_key(
    written: str, shown: str, tmp_path: Path
) -> None:
    path = tmp_path / "rides.json"
    path.write_text(f'{{"steps": {{"evaluate": {{"limits": [1.5, {written}]}}}}}}')

    with pytest.raises(
        UserError, match=rf"rides\.json: steps\.evaluate\.limits\.1 = {shown} is not"
    ) as found:
        read_document(path)

    assert "Write a number for steps.evaluate.limits.1" in str(found.value)


@pytest.mark.parametrize(
    ("mistake", "message"),
    [
        (
            "unknown type",
            "there is no such type of steps; write one of Processing, Training, Model, ",
        ),
        (
            "model of two origins",
            "give either training_step, or model_package for the active version of the registry, or artifact",
        ),
        (
            "model of none",
            "give either training_step, or model_package for the active version of the registry, or artifact",
        ),
        ("section of another type", f"its type is Model, and {MODULE} has it as TrainingStep; write"),
        ("steps that wait for each other", "the steps wait for each other: "),
    ],
)
def test_what_a_whole_section_lacks_is_reported(mistake: str, message: str, problems: Any) -> None:
    path, value, _ = MISTAKES[mistake]

    assert [line for line in problems(changed(TRAINING, path, value)) if message in line]


def test_a_mistake_in_one_section_hides_none_in_another(problems: Any) -> None:
    document = TRAINING
    for path, value in (
        ("steps/train/hyperparameters/num_round", True),
        ("steps/prepare/inputs/rides", {"step": "evaluate", "output": "evaluations"}),
        ("steps/model/type", "Models"),
        ("job_name_prefix", 5),
    ):
        document = changed(document, path, value)

    found = [line.removeprefix(": ").split(" = ")[0] for line in problems(document) if line]

    assert found == [
        "job_name_prefix",
        "steps.model",
        "steps.prepare.inputs.rides",
        "steps.prepare.inputs.rides.output",
        "steps.train.hyperparameters.num_round",
    ], "the steps wait for each other as well"
