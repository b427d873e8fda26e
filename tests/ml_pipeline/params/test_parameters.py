import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from helpers.errors import UserError
from helpers.project_settings import project_settings
from ml_pipeline.params import DEFAULT_PIPELINE, PipelineParams, load_parameters
from ml_pipeline.params.files import BASE
from tests.ml_pipeline.small_project import write_params

FILES = Path(__file__).parent


@pytest.fixture
def folder(small_project: None, tmp_path: Path) -> Path:
    """A folder with parameter files of the small project."""
    return write_params(tmp_path)


def load(folder: Path, overlay: Path, outputs: dict[str, str]) -> PipelineParams:
    (folder / overlay.name).write_bytes(overlay.read_bytes())
    return load_parameters(overlay.stem, outputs, folder=folder)


@pytest.mark.parametrize("overlay", sorted((FILES / "valid").glob("*.json")), ids=lambda path: path.stem)
def test_valid_overlays_pass_with_their_values(overlay: Path, folder: Path, outputs: dict[str, str]) -> None:
    params = load(folder, overlay, outputs)

    for key, value in json.loads(overlay.read_text().replace("${Environment}", overlay.stem)).items():
        if key == "tags":
            assert value.items() <= params.tags.items()
            assert params.tags["Owner"] == project_settings().owner
        else:
            assert params[key] == (tuple(value) if isinstance(value, list) else value)


@pytest.mark.parametrize("overlay", sorted((FILES / "invalid").glob("*.json")), ids=lambda path: path.stem)
def test_invalid_overlays_are_rejected_by_file_key_value_and_fix(
    overlay: Path, folder: Path, outputs: dict[str, str]
) -> None:
    expected = overlay.with_suffix(".txt").read_text().splitlines()

    with pytest.raises(UserError) as rejected:
        load(folder, overlay, outputs)

    message = str(rejected.value)
    assert [part for part in expected if part not in message] == [], message
    assert overlay.name in message


def test_problems_are_reported_all_at_once_one_a_line_with_the_file_each_comes_from(
    folder: Path, outputs: dict[str, str]
) -> None:
    base = json.loads((folder / BASE).read_text())
    del base["trial"]
    base |= {"pipeline_role": "nobody", "tags": {"a!": "1"}, "more": 1}
    (folder / BASE).write_text(json.dumps(base))
    (folder / "trial.json").write_text(
        '{"pyspark_process_instance_count": 0, "tags": {"b!": "2"}, "more": 2}'
    )

    with pytest.raises(UserError) as rejected:
        load_parameters("trial", outputs, folder=folder)

    header, *lines = rejected.value.message.splitlines()
    reported = {line.split(": ")[1].split(" = ")[0]: line.split(": ")[0].rsplit("/", 1)[-1] for line in lines}
    assert header == f"The parameters of pipeline {DEFAULT_PIPELINE} in trial are not valid:"
    assert len(lines) == 7
    assert reported == {
        "more": "trial.json",
        "pipeline_role": BASE,
        "pyspark_process_instance_count": "trial.json",
        "tags.a!": BASE,
        "tags.b!": "trial.json",
        "trial": BASE,
    }


@pytest.mark.parametrize("key", ["trial", "pyspark_process_name"])
def test_a_missing_key_that_the_module_reads_is_reported_as_any_other(
    key: str, folder: Path, outputs: dict[str, str]
) -> None:
    base = json.loads((folder / BASE).read_text())
    del base[key]
    (folder / BASE).write_text(json.dumps(base))

    with pytest.raises(UserError, match=f"{BASE}: {key}: it is missing; add it"):
        load_parameters("trial", outputs, steps=lambda values: [values[key]], folder=folder)


@pytest.mark.parametrize("ending", ["dev", "${Environment}2", "${Environment}2-rates"])
def test_jobs_that_another_environment_could_read_are_rejected(
    ending: str, folder: Path, outputs: dict[str, str]
) -> None:
    (folder / "trial.json").write_text(json.dumps({"job_name_prefix": f"${{ProjectName}}-{ending}"}))

    with pytest.raises(UserError, match=r"trial\.json: job_name_prefix.*: begin it with"):
        load_parameters("trial", outputs, folder=folder)


def test_a_resolved_value_is_shown_next_to_its_placeholder(outputs: dict[str, str], folder: Path) -> None:
    with pytest.raises(UserError) as rejected:
        load_parameters("trial", {**outputs, "PipelineExecutionRoleArn": "nobody"}, folder=folder)

    assert 'pipeline_role = "${PipelineExecutionRoleArn}" ("nobody"): ' in str(rejected.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "trial.json: there is no such file"), (b'{"a": "\xff"}', "trial.json: not UTF-8 at byte 7")],
)
def test_a_file_that_cannot_be_read_is_named(
    content: bytes | None, message: str, folder: Path, outputs: dict[str, str]
) -> None:
    (folder / "trial.json").unlink()
    if content:
        (folder / "trial.json").write_bytes(content)

    with pytest.raises(UserError, match=message):
        load_parameters("trial", outputs, folder=folder)


def test_parameters_cannot_be_changed_and_are_read_by_key(parameters: PipelineParams) -> None:
    with pytest.raises(ValidationError):
        parameters.trial = "other"  # type: ignore[misc]  # must fail

    assert parameters["trial"] == parameters.trial
    with pytest.raises(KeyError):
        parameters["region"]
