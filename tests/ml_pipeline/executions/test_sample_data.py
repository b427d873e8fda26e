"""Sample data: where it is uploaded, and that it does not overwrite other files."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import boto3
import pytest

from helpers.environments import Environment
from helpers.errors import UserError
from ml_pipeline.executions.inputs import fingerprint, list_input
from ml_pipeline.executions.sample_data import upload_samples
from ml_pipeline.params import PipelineParams, ProcessingParams, SparkStepSpec
from ml_pipeline.params.spark_step import StepInput
from tests.ml_pipeline.small_project import DATA, STEP

FILE, FOLDER = "rides.csv", "rides"


class Inputs:
    """Parameters of a pipeline with other inputs."""

    def __init__(self, params: PipelineParams, inputs: Mapping[str, StepInput]):
        self.pyspark_process_output_kms = params.pyspark_process_output_kms
        (step,) = params.spark_steps.values()
        self.spark_steps: Mapping[str, SparkStepSpec] = {step.name: replace(step, inputs=inputs)}


class Bucket:
    """The data bucket below a folder that only this test uses."""

    def __init__(self, session: boto3.Session, params: PipelineParams, folder: Path):
        self.s3 = session.client("s3")
        self.params, self.samples, self.prefix = params, folder / "samples", folder.name

    @property
    def uri(self) -> str:
        return f"s3a://{DATA}-local/{self.prefix}/in"

    def put(self, key: str, content: str, **more: str) -> None:
        name = f"{self.prefix}/{key}"
        self.s3.put_object(Bucket=f"{DATA}-local", Key=name, Body=content.encode(), Metadata=more)

    def sample(self, name: str, content: str) -> None:
        path = self.samples / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def upload(self, sample: str | None, environment: str = "local", uri: str = "") -> str:
        inputs = Inputs(self.params, {"rides": StepInput(uri=uri or self.uri, sample=sample)})
        (line,) = upload_samples(self.s3, inputs, Environment(environment), self.samples)  # type: ignore[arg-type]
        return line

    @property
    def content(self) -> dict[str, str]:
        """The objects by key below the folder."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=f"{DATA}-local", Prefix=f"{self.prefix}/"
        )
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        return {
            key.removeprefix(f"{self.prefix}/"): self.s3.get_object(Bucket=f"{DATA}-local", Key=key)["Body"]
            .read()
            .decode()
            for key in keys
        }


@pytest.fixture
def bucket(stack: boto3.Session, stack_parameters: ProcessingParams, tmp_path: Path) -> Bucket:
    """A bucket and two samples to upload: a file, and a folder with two files."""
    made = Bucket(stack, stack_parameters, tmp_path)
    made.sample(FILE, "1\n")
    made.sample(f"{FOLDER}/part-1.csv", "1\n")
    made.sample(f"{FOLDER}/more/part-2.csv", "2\n")
    return made


@pytest.mark.parametrize("environment", ["local", "pr-7", "trial"])
def test_an_empty_input_gets_its_sample(environment: str, bucket: Bucket) -> None:
    assert bucket.upload(FILE, environment) == f"The sample {FILE} was uploaded to {bucket.uri}."

    assert bucket.content == {"in": "1\n"}
    head = bucket.s3.head_object(Bucket=f"{DATA}-local", Key=f"{bucket.prefix}/in")
    assert head["SSEKMSKeyId"] == bucket.params.pyspark_process_output_kms


def test_a_folder_gets_all_files_of_its_sample(bucket: Bucket) -> None:
    assert bucket.upload(FOLDER) == f"The sample {FOLDER} was uploaded to {bucket.uri}."

    assert bucket.content == {"in/part-1.csv": "1\n", "in/more/part-2.csv": "2\n"}


def test_a_file_in_a_folder_keeps_its_name(bucket: Bucket) -> None:
    bucket.upload(FILE, uri=f"{bucket.uri}/")

    assert bucket.content == {f"in/{FILE}": "1\n"}


@pytest.mark.parametrize("sample", [FILE, FOLDER])
def test_a_sample_that_is_there_is_not_uploaded_again(sample: str, bucket: Bucket) -> None:
    bucket.upload(sample)
    before = list_input(bucket.s3, bucket.uri)

    assert bucket.upload(sample) == f"The sample {sample} is already at {bucket.uri}."

    assert fingerprint(list_input(bucket.s3, bucket.uri)) == fingerprint(before)


def test_a_changed_sample_replaces_the_earlier_one(bucket: Bucket) -> None:
    bucket.upload(FILE)
    bucket.sample(FILE, "3\n")

    assert "was uploaded" in bucket.upload(FILE)
    assert bucket.content == {"in": "3\n"}


def test_of_a_changed_folder_what_is_gone_goes_and_what_is_new_comes(bucket: Bucket) -> None:
    bucket.upload(FOLDER)
    (bucket.samples / FOLDER / "part-1.csv").rename(bucket.samples / FOLDER / "part-3.csv")

    assert "was uploaded" in bucket.upload(FOLDER)
    assert bucket.content == {"in/part-3.csv": "1\n", "in/more/part-2.csv": "2\n"}


@pytest.mark.parametrize("environment", ["local", "pr-7", "trial"])
def test_a_file_of_someone_else_stays(environment: str, bucket: Bucket) -> None:
    bucket.put("in", "mine\n")

    assert "was left as it is" in bucket.upload(FILE, environment)
    assert bucket.content == {"in": "mine\n"}


def test_an_edited_sample_is_the_editors(bucket: Bucket) -> None:
    bucket.upload(FILE)
    bucket.put("in", "edited\n")

    line = bucket.upload(FILE)

    assert line == (
        f"The input at {bucket.uri} was left as it is: "
        f"s3://{DATA}-local/{bucket.prefix}/in is not sample data."
    )
    assert bucket.content == {"in": "edited\n"}


def test_one_object_of_someone_else_keeps_a_whole_folder_as_it_is(bucket: Bucket) -> None:
    bucket.upload(FOLDER)
    for name in ("a", "b"):
        bucket.put(f"in/mine-{name}.csv", "mine\n")
    bucket.sample(f"{FOLDER}/part-1.csv", "changed\n")
    before = bucket.content

    line = bucket.upload(FOLDER)

    assert f"{bucket.prefix}/in/mine-a.csv and 1 more objects are not sample data." in line
    assert bucket.content == before


def test_the_same_bytes_from_someone_else_count_as_the_sample(bucket: Bucket) -> None:
    bucket.put("in", "1\n")

    assert bucket.upload(FILE) == f"The sample {FILE} is already at {bucket.uri}."


def test_objects_next_to_the_input_do_not_belong_to_it(bucket: Bucket) -> None:
    bucket.put("in-2", "beside\n")
    bucket.put("other", "beside\n")

    bucket.upload(FOLDER)

    assert {"in-2": "beside\n", "other": "beside\n"}.items() <= bucket.content.items()
    assert "in/part-1.csv" in bucket.content


def test_when_empty_is_only_when_empty(bucket: Bucket) -> None:
    bucket.upload(FILE, "trial")
    bucket.sample(FILE, "3\n")

    assert bucket.upload(FILE, "trial") == f"The input at {bucket.uri} was left as it is."
    assert bucket.content == {"in": "1\n"}


def test_never_is_never(bucket: Bucket) -> None:
    assert bucket.upload(FILE, "live") == f"live gets no sample data: deliver the input to {bucket.uri}."
    assert bucket.content == {}


def test_an_input_without_a_sample_is_left_to_people(bucket: Bucket) -> None:
    assert bucket.upload(None) == (
        f"Input rides of step {STEP} has no sample: deliver the data to {bucket.uri}."
    )
    assert bucket.content == {}


@pytest.mark.parametrize("name", ["nothing.csv", "empty"])
def test_a_sample_that_is_not_there_is_named(name: str, bucket: Bucket) -> None:
    (bucket.samples / "empty").mkdir()

    with pytest.raises(
        UserError,
        match=rf"{name}: there is no such sample; input rides of step {STEP} names it\n"
        "Hint: Create it, or correct the input in ml_pipeline/params",
    ):
        bucket.upload(name)


def test_nothing_is_uploaded_if_a_sample_is_missing(bucket: Bucket) -> None:
    samples = {"rides": FILE, "rates": "nothing.csv", "zones": "none"}
    inputs = {name: StepInput(uri=f"{bucket.uri}/{name}", sample=sample) for name, sample in samples.items()}
    params = Inputs(bucket.params, inputs)

    with pytest.raises(UserError, match=r"nothing\.csv: .* rates .*\n.*none: .* zones "):
        list(upload_samples(bucket.s3, params, Environment("local"), bucket.samples))  # type: ignore[arg-type]

    assert bucket.content == {}
