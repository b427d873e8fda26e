"""Loading the pipelines of an environment, separately and together."""

import shutil
from pathlib import Path

import boto3
import pytest

from helpers.environments import Environment
from helpers.errors import UserError
from ml_pipeline.executions.target import ALL, targets
from ml_pipeline.params import DEFAULT_PIPELINE, spark_code
from ml_pipeline.project import combined_hash, open_project, open_projects
from tests.ml_pipeline.small_project import ARTIFACTS, DATA, PIPELINE
from tests.ml_pipeline.two_steps import NAME, PAIR, add_pipeline, changed, write_jobs

TRIAL = "trial"


class Checkout:
    """The files of pipelines; `add` adds one."""

    def __init__(self, root: Path, patch: pytest.MonkeyPatch):
        self.root, self.patch, self.jobs = root, patch, write_jobs(root / "jobs")

    def add(self, name: str = NAME, **changes: object) -> None:
        document = PAIR
        for path, value in changes.items():
            document = changed(document, path.replace("__", "/"), value)
        add_pipeline(self.root, self.jobs, self.patch, document, name)


@pytest.fixture
def checkout(stack: boto3.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """A checkout with the jobs of two steps, and those of the first pipeline."""
    shutil.copytree(spark_code.FOLDER, tmp_path / "jobs")
    made = Checkout(tmp_path, monkeypatch)
    monkeypatch.setattr(spark_code, "FOLDER", made.jobs)
    return made


def test_every_pipeline_is_opened_with_its_own_parameters(checkout: Checkout) -> None:
    checkout.add()

    first, second = open_projects(Environment(TRIAL), ALL)

    assert [each.pipeline.name for each in (first, second)] == [DEFAULT_PIPELINE, NAME]
    assert [each.name for each in (first, second)] == [f"{PIPELINE}-trial", "Joins-trial"]
    assert first.artifact_bucket == second.artifact_bucket == f"{ARTIFACTS}-trial"
    assert first.target.command("start") == "make start ENV=trial"
    assert second.target.command("start") == f"make start ENV=trial PIPELINE={NAME}"


def test_the_code_of_all_steps_is_staged_each_by_its_own_hash(checkout: Checkout) -> None:
    checkout.add()

    project = open_project(Environment(TRIAL), NAME)

    assert sorted(uri.rsplit("/", 1)[-1] for uri in project.files) == [
        *("clean.py", "configuration.json", "configuration.json"),
        *("data_utils.py", "etl.zip", "helpers.py", "join.py"),
    ]
    assert project.files[project.parameters.spark_steps["join"].configuration] == b"[]\n", "from join.json"
    assert len({uri.split("/")[-2] for uri in project.files}) == 2


def test_the_hash_of_several_is_another_and_of_one_the_same() -> None:
    assert combined_hash({"clean": "1"}) == "1"
    assert combined_hash({"a": "1", "b": "2"}) == combined_hash({"b": "2", "a": "1"})
    assert combined_hash({"a": "1", "b": "2"}) != combined_hash({"a": "2", "b": "1"})


def test_two_pipelines_of_one_name_are_rejected_by_their_files(checkout: Checkout) -> None:
    checkout.add(pipeline_name=f"{PIPELINE}-${{Environment}}")

    with pytest.raises(UserError) as rejected:
        open_projects(Environment(TRIAL), ALL)

    assert rejected.value.message.splitlines() == [
        "Pipelines conflict:",
        f"  - pipeline_name {PIPELINE}-trial is in the parameter files of {DEFAULT_PIPELINE} and {NAME}; "
        "change one",
    ]
    assert open_project(Environment(TRIAL), NAME).name == f"{PIPELINE}-trial", (
        "by itself there is no conflict"
    )


@pytest.mark.parametrize("scheme", ["s3", "s3a"])
@pytest.mark.parametrize("end", ["", "/", "/below"])
def test_two_pipelines_of_one_output_are_rejected(scheme: str, end: str, checkout: Checkout) -> None:
    checkout.add(steps__join__outputs__rejected=f"{scheme}://${{DataBucketName}}/fares/out{end}")

    with pytest.raises(UserError) as rejected:
        open_projects(Environment(TRIAL), ALL)

    assert rejected.value.message.splitlines()[1:] == [
        f"  - outputs s3a://{DATA}-trial/fares/out and {scheme}://{DATA}-trial/fares/out{end} in the "
        f"parameter files of {DEFAULT_PIPELINE} and {NAME} overlap; change one"
    ]


def test_outputs_next_to_each_other_do_not_overlap(checkout: Checkout) -> None:
    checkout.add(steps__join__outputs__rejected="s3a://${DataBucketName}/fares/out-2")

    assert len(open_projects(Environment(TRIAL), ALL)) == 2


def test_the_problems_of_all_pipelines_are_reported_at_once(checkout: Checkout) -> None:
    checkout.add("rides", steps__join__instance_count=0)
    checkout.add("fares", pipeline_name="Fares")

    with pytest.raises(UserError) as rejected:
        open_projects(Environment(TRIAL), ALL)

    message = str(rejected.value)
    assert "The parameters of pipeline fares in trial are not valid:" in message
    assert "The parameters of pipeline rides in trial are not valid:" in message
    assert "rides.json: steps.join.instance_count = 0" in message


def test_a_section_without_a_step_in_the_module_is_rejected(checkout: Checkout) -> None:
    checkout.add(steps__report=PAIR["steps"]["clean"])

    with pytest.raises(UserError, match=r"steps\.report.*ride_joins\.py has no step of this name"):
        open_project(Environment(TRIAL), NAME)


def test_names_are_known_without_a_stack(checkout: Checkout) -> None:
    checkout.add()

    assert [each.name for each in targets(Environment("pr-5"), ALL)] == [f"{PIPELINE}-pr-5", "Joins-pr-5"]
