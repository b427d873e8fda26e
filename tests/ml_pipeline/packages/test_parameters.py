"""The packages of a step, from the parameter file to the request of its job."""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from rich.console import Console

from helpers.errors import UserError
from ml_pipeline import definitions
from ml_pipeline.commands import lock
from ml_pipeline.controls.checks import findings
from ml_pipeline.params import PipelineParams, SparkCode, code_hashes, load_parameters
from ml_pipeline.pipelines import Pipeline, PipelineModule
from ml_pipeline.releases import code_sweep
from ml_pipeline.releases.rollback import code_uris
from tests.ml_pipeline.packages.test_examples import DOCUMENT, EXAMPLES, MODULE
from tests.ml_pipeline.small_project import PARAMETERS, module, write_params
from tests.ml_pipeline.two_steps import REMOVED, changed

LOCKED = "requirements-tables.txt"
STEP = "steps/write-tables"
PIPELINE = Pipeline("tables", cast("PipelineModule", module("tables", MODULE)))


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    """The files of the examples, which can be changed."""
    return Path(shutil.copytree(EXAMPLES, tmp_path / "jobs"))


@pytest.fixture
def folder(small_project: None, tmp_path: Path) -> Path:
    return write_params(tmp_path / "params")


@pytest.fixture
def load(folder: Path, jobs: Path, outputs: dict[str, str]) -> Callable[..., PipelineParams]:
    def loaded(document: Mapping[str, Any] = DOCUMENT) -> PipelineParams:
        (folder / "pipelines" / "tables.json").write_text(json.dumps(document))
        return load_parameters("trial", outputs, "tables", code=SparkCode(jobs), folder=folder)

    return loaded


def request(params: PipelineParams, tmp_path: Path) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(definitions, "CACHE", tmp_path / "definitions")
        definition = json.loads(definitions.pipeline_definition(PIPELINE, params))
    assert findings(definition) == []
    arguments: dict[str, Any] = definition["Steps"][0]["Arguments"]
    return arguments


def test_the_job_gets_packages_and_jars_by_the_hash_of_their_locks(
    load: Callable[..., PipelineParams], jobs: Path, tmp_path: Path
) -> None:
    params = load()
    digest = SparkCode(jobs).bundle("requirements-tables.in", params.steps["write-tables"].jars).digest[:16]

    job = request(params, tmp_path)

    place = f"/opt/ml/processing/packages/{digest}"
    assert job["Environment"]["PYTHONPATH"] == f"{place}/python"
    command = job["AppSpecification"]["ContainerEntrypoint"]
    assert command[command.index("--jars") + 1] == f"{place}/jars"
    (packages,) = [given for given in job["ProcessingInputs"] if given["InputName"] == "packages"]
    uri = f"s3://artifact-bucket/code/{digest}/"
    assert packages["S3Input"]["S3Uri"] == uri
    assert packages["S3Input"]["LocalPath"] == place
    assert packages["S3Input"]["S3DataDistributionType"] == "FullyReplicated"
    assert f"code/{digest}/" in code_sweep.prefixes_in(json.dumps(job)), "the sweep keeps them"
    assert uri in code_uris(job, "artifact-bucket"), "a rollback looks for them"


def test_a_step_that_names_nothing_gets_nothing(load: Callable[..., PipelineParams], tmp_path: Path) -> None:
    document = changed(changed(DOCUMENT, f"{STEP}/requirements", REMOVED), f"{STEP}/jars", REMOVED)

    job = request(load(document), tmp_path)

    assert "PYTHONPATH" not in job["Environment"]
    assert "--jars" not in job["AppSpecification"]["ContainerEntrypoint"]
    assert "packages" not in {given["InputName"] for given in job["ProcessingInputs"]}


def test_another_lock_is_other_code_and_another_folder(
    load: Callable[..., PipelineParams], folder: Path, jobs: Path
) -> None:
    before, code = load(), code_hashes("trial", "tables", SparkCode(jobs), folder)
    text = (jobs / LOCKED).read_text()

    (jobs / LOCKED).write_text(f"# a comment\n{text}")
    assert load() == before
    (jobs / LOCKED).write_text(text.replace(text.split("sha256:")[1][:8], "0" * 8))

    after = load()
    assert after.steps["write-tables"].package_folder != before.steps["write-tables"].package_folder
    assert code_hashes("trial", "tables", SparkCode(jobs), folder) != code


def test_the_first_pipeline_takes_packages_too(
    folder: Path, jobs: Path, outputs: dict[str, str], project: Path
) -> None:
    shutil.copytree(project / "spark_jobs", jobs, dirs_exist_ok=True)
    (folder / "pipeline_params.json").write_text(
        json.dumps({**PARAMETERS, "pyspark_process_requirements": "requirements-tables.in"})
    )

    params = load_parameters("trial", outputs, code=SparkCode(jobs), folder=folder)

    (step,) = params.spark_steps.values()
    assert step.package_folder
    assert step.package_folder.startswith("s3://artifact-bucket/code/")


MISTAKES: Mapping[str, tuple[str, Any, str]] = {
    "no such file": (f"{STEP}/requirements", "other.in", "there is no file .*/other.in; create it"),
    "a lock file": (f"{STEP}/requirements", LOCKED, "name a file of spark_jobs/ that lists packages"),
    "no coordinates": (f"{STEP}/jars", ["delta"], "write Maven coordinates as io.delta"),
    "not locked": (
        f"{STEP}/jars",
        ["a:b:1"],
        "jars.json: it lacks a:b:1; lock the packages again with: make lock-packages",
    ),
    "one folder for all": (
        f"{STEP}/package_folder",
        "s3://bucket/packages",
        r"end it with /\$\{Pack",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_reported_by_file_key_and_fix(mistake: str, load: Callable[..., PipelineParams]) -> None:
    path, value, message = MISTAKES[mistake]

    with pytest.raises(UserError, match=rf"/tables\.json: {path.replace('/', '.')}.*: {message}"):
        load(changed(DOCUMENT, path, value))


def test_a_line_of_a_lock_without_hash_is_reported_with_the_key(
    load: Callable[..., PipelineParams], jobs: Path
) -> None:
    (jobs / LOCKED).write_text("humanize==4.17.0\n")

    with pytest.raises(UserError, match=r"steps\.write-tables\.requirements.*tables\.txt:1: .* has no hash"):
        load()


def test_locks_are_written_for_what_the_steps_name_or_not_at_all(
    monkeypatch: pytest.MonkeyPatch, jobs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    named: list[str] = ["requirements-tables.in"]
    monkeypatch.setattr(lock, "_named", lambda: (named, ["a:b:1"]))
    monkeypatch.setattr(lock, "SparkCode", lambda: SparkCode(jobs))
    monkeypatch.setattr(lock, "_locked", lambda _, name: (f"# {name}\n", {"orjson==3": "MIT"}))
    resolved: dict[str, dict[Any, str]] = {"a:b:1": {}}
    monkeypatch.setattr(lock, "resolve", lambda coordinate: resolved[coordinate])

    assert lock.run(None, Console()) == 0  # type: ignore[arg-type]
    assert (jobs / LOCKED).read_text() == "# requirements-tables.in\n"
    assert (jobs / "licenses.txt").read_text().endswith("\norjson==3: MIT\n")
    assert json.loads((jobs / "jars.json").read_text()) == {"a:b:1": {}}

    named.append("other.in")
    del resolved["a:b:1"]
    monkeypatch.setattr(lock, "_locked", lambda _, name: (f"# another {name}\n", {}))

    def reject(coordinate: str) -> dict[Any, str]:
        raise UserError(f"{coordinate} cannot be resolved")

    monkeypatch.setattr(lock, "resolve", reject)
    with pytest.raises(UserError, match="a:b:1 cannot be resolved"):
        lock.run(None, Console())  # type: ignore[arg-type]
    assert (jobs / LOCKED).read_text() == "# requirements-tables.in\n"
