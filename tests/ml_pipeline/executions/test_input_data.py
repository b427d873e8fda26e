from pathlib import Path

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ml_pipeline.executions.input_data import (
    InputObject,
    fingerprint,
    input_fingerprint,
    list_input,
    provide_sample,
)

from helpers.errors import UserError
from helpers.s3 import parse
from ml_pipeline.params import PipelineParams

listings = st.lists(
    st.builds(InputObject, st.text(max_size=4), st.integers(0, 99), st.text(max_size=4)), max_size=5
)


@given(listings.flatmap(lambda objects: st.tuples(st.just(objects), st.permutations(objects))))
def test_the_order_of_the_listing_does_not_matter(pair: tuple[list[InputObject], list[InputObject]]) -> None:
    assert fingerprint(pair[0]) == fingerprint(pair[1])


@given(listings, listings)
def test_every_field_of_every_object_matters(one: list[InputObject], other: list[InputObject]) -> None:
    assert (fingerprint(one) == fingerprint(other)) == (sorted(one) == sorted(other))


@pytest.mark.parametrize("change", [{"key": "other"}, {"size": 2}, {"etag": "other"}])
def test_a_change_of_one_field_changes_the_fingerprint(change: dict[str, object]) -> None:
    found = InputObject("key", 1, "etag")

    assert fingerprint([found]) != fingerprint([found._replace(**change)])  # type: ignore[arg-type]  # by name


@pytest.fixture
def location(stack: boto3.Session, stack_parameters: PipelineParams, tmp_path: Path) -> str:
    """An input location that is this test's alone."""
    return stack_parameters.pyspark_process_data_input.replace("data_input", tmp_path.name)


def test_a_file_and_a_folder_are_read_as_spark_reads_them(stack: boto3.Session, location: str) -> None:
    s3, (bucket, key) = stack.client("s3"), parse(location)
    for name in (key, f"{key}2", f"{key}/part-1", f"{key}/part-2", f"{key}/"):
        s3.put_object(Bucket=bucket, Key=name, Body=b"x")

    assert [found.key for found in list_input(s3, location)] == [key, f"{key}/part-1", f"{key}/part-2"]
    assert [found.key for found in list_input(s3, f"{location}/")] == [f"{key}/part-1", f"{key}/part-2"]


def test_missing_input_is_named_with_what_to_do(stack: boto3.Session, location: str) -> None:
    with pytest.raises(UserError) as refused:
        input_fingerprint(stack.client("s3"), location, "dev")

    assert location in str(refused.value)
    assert "make run ENV=dev" in str(refused.value)
    assert "python -m ml_pipeline data --env dev" in str(refused.value)

    with pytest.raises(UserError, match="staging gets no sample: deliver the data there") as refused:
        input_fingerprint(stack.client("s3"), location, "staging")
    assert "make run" not in str(refused.value)


@pytest.mark.parametrize("environment", ["local", "pr-7"])
def test_local_and_previews_get_the_sample_whenever_its_data_differ(
    environment, stack: boto3.Session, stack_parameters: PipelineParams, location: str
) -> None:
    s3, key_arn = stack.client("s3"), stack_parameters.pyspark_process_output_kms
    bucket, key = parse(location)

    assert "was uploaded" in provide_sample(s3, location, key_arn, environment)
    uploaded = input_fingerprint(s3, location, "local")
    assert "already" in provide_sample(s3, location, key_arn, environment)
    s3.put_object(Bucket=bucket, Key=key, Body=b"edited")
    assert "was uploaded" in provide_sample(s3, location, key_arn, environment)

    assert input_fingerprint(s3, location, "local") == uploaded
    assert s3.head_object(Bucket=bucket, Key=key)["SSEKMSKeyId"] == key_arn


def test_dev_keeps_what_it_has(stack: boto3.Session, stack_parameters: PipelineParams, location: str) -> None:
    s3, key_arn = stack.client("s3"), stack_parameters.pyspark_process_output_kms
    bucket, key = parse(location)
    folder = location.rsplit("/", 1)[0] + "/"

    assert f"was uploaded to s3://{bucket}/{key}" in provide_sample(s3, folder, key_arn, "dev")
    s3.put_object(Bucket=bucket, Key=key, Body=b"mine")

    assert "left as it is" in provide_sample(s3, folder, key_arn, "dev")
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == b"mine"


@pytest.mark.parametrize("environment", ["staging", "prod"])
def test_staging_and_prod_never_get_the_sample(
    environment, stack: boto3.Session, stack_parameters: PipelineParams, location: str
) -> None:
    s3 = stack.client("s3")

    said = provide_sample(s3, location, stack_parameters.pyspark_process_output_kms, environment)

    assert said == f"No sample data in {environment}: deliver the input to {location} yourself."
    assert list_input(s3, location) == []
