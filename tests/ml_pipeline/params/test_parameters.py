import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from helpers.errors import UserError
from ml_pipeline.params import PipelineParams, load_parameters
from ml_pipeline.params.loading import BASE, FOLDER

FILES = Path(__file__).parent


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of parameter files with the repository's base."""
    (tmp_path / BASE).write_bytes((FOLDER / BASE).read_bytes())
    return tmp_path


def load(folder: Path, overlay: Path, outputs: dict[str, str]) -> PipelineParams:
    (folder / overlay.name).write_bytes(overlay.read_bytes())
    return load_parameters(overlay.stem, outputs, "0123456789abcdef", folder)


@pytest.mark.parametrize("environment", ["local", "dev", "staging", "prod", "pr-7"])
def test_every_environment_of_the_repository_is_valid(environment: str, outputs: dict[str, str]) -> None:
    params = load_parameters(environment, outputs, "0123456789abcdef")

    assert params.pipeline_name == f"ProcessingPipeline-{environment}"
    assert params.pyspark_process_code == "s3://artifact-bucket/code/0123456789abcdef/process_pyspark.py"
    assert params.tags["Environment"] == environment
    assert params.region == "us-east-1"


@pytest.mark.parametrize("overlay", sorted((FILES / "valid").glob("*.json")), ids=lambda path: path.stem)
def test_valid_overlays_pass_with_their_values(overlay: Path, folder: Path, outputs: dict[str, str]) -> None:
    params = load(folder, overlay, outputs)

    for key, value in json.loads(overlay.read_text()).items():
        if key == "tags":
            assert value.items() <= params.tags.items()
            assert params.tags["Owner"] == "data-platform"
        else:
            assert params[key] == (tuple(value) if isinstance(value, list) else value)


@pytest.mark.parametrize("overlay", sorted((FILES / "invalid").glob("*.json")), ids=lambda path: path.stem)
def test_invalid_overlays_are_refused_by_file_key_value_and_mend(
    overlay: Path, folder: Path, outputs: dict[str, str]
) -> None:
    expected = overlay.with_suffix(".txt").read_text().splitlines()

    with pytest.raises(UserError) as refused:
        load(folder, overlay, outputs)

    message = str(refused.value)
    assert [part for part in expected if part not in message] == [], message
    assert overlay.name in message


def test_problems_are_told_all_at_once_one_a_line_with_the_file_each_comes_from(
    folder: Path, outputs: dict[str, str]
) -> None:
    base = json.loads((folder / BASE).read_text())
    del base["trial"]
    base |= {"pipeline_role": "nobody", "tags": {"a!": "1"}, "more": 1}
    (folder / BASE).write_text(json.dumps(base))
    (folder / "dev.json").write_text('{"pyspark_process_instance_count": 0, "tags": {"b!": "2"}, "more": 2}')

    with pytest.raises(UserError) as refused:
        load_parameters("dev", outputs, "0", folder)

    header, *lines = str(refused.value).splitlines()
    told = {line.split(": ")[1].split(" = ")[0]: line.split(": ")[0].rsplit("/", 1)[-1] for line in lines}
    assert header == "The parameters of dev are not valid:"
    assert len(lines) == 7
    assert told == {
        "more": "dev.json",
        "pipeline_role": BASE,
        "pyspark_process_instance_count": "dev.json",
        "tags.a!": BASE,
        "tags.b!": "dev.json",
        "trial": BASE,
    }


def test_a_resolved_value_is_shown_beside_its_placeholder(outputs: dict[str, str], folder: Path) -> None:
    (folder / "dev.json").write_text("{}")

    with pytest.raises(UserError) as refused:
        load_parameters("dev", {**outputs, "PipelineExecutionRoleArn": "nobody"}, "0", folder)

    assert 'pipeline_role = "${PipelineExecutionRoleArn}" ("nobody"): ' in str(refused.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "dev.json: there is no such file"), (b'{"a": "\xff"}', "dev.json: not UTF-8 at byte 7")],
)
def test_a_file_that_cannot_be_read_is_named(
    content: bytes | None, message: str, folder: Path, outputs: dict[str, str]
) -> None:
    if content:
        (folder / "dev.json").write_bytes(content)

    with pytest.raises(UserError, match=message):
        load_parameters("dev", outputs, "0", folder)


def test_parameters_cannot_be_changed_and_are_read_by_key(parameters: PipelineParams) -> None:
    with pytest.raises(ValidationError):
        parameters.trial = "other"  # type: ignore[misc]  # that is the point

    assert parameters["trial"] == parameters.trial
    with pytest.raises(KeyError):
        parameters["region"]
