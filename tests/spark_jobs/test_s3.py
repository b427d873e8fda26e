"""What S3A shows of a bucket, and what it does not: no row is lost without a word."""

import re
from typing import Any

import boto3
import process_pyspark
import pytest
from data_utils import JobError, input_size
from pyspark.sql import SparkSession

from tests.buckets import create_bucket

ROW = b"M,0.455,0.365,0.095,0.514,0.2245,0.101,0.15,15\n"


@pytest.fixture(scope="module")
def s3(aws: boto3.Session) -> Any:
    client = aws.client("s3")
    create_bucket(client, "inputs")
    create_bucket(client, "outputs")
    return client


@pytest.mark.parametrize("key", ["a//b.csv", "//b.csv", "c//d//e.csv", "empty/", "", "f//", "g.csv/"])
def test_an_object_that_s3a_does_not_reach_fails_the_job(s3a: SparkSession, s3, key, request) -> None:
    folder = f"unreachable/{request.node.callspec.indices['key']}/"
    for name in ("a.csv", key):
        s3.put_object(Bucket="inputs", Key=folder + name, Body=ROW)
    uri = f"s3a://inputs/{folder}"

    shown = re.sub("//+", "/", f"/{folder}{key}")
    with pytest.raises(JobError, match=rf"cannot reach objects at {uri} .*: {re.escape(shown)}; move them"):
        input_size(s3a, uri)


def test_objects_that_stand_for_folders_or_are_hidden_do_no_harm(s3a: SparkSession, s3, caplog) -> None:
    for key in ("", "day=1/", "day=1/a.csv", "_SUCCESS", "_tmp//x.csv", "day=2/b c%20[1].csv"):
        s3.put_object(Bucket="inputs", Key=f"folders/{key}", Body=ROW if key.endswith("csv") else b"")

    assert input_size(s3a, "s3a://inputs/folders") == 2 * len(ROW)
    assert input_size(s3a, "s3a://inputs/folders/day=*/*.csv") == 2 * len(ROW)
    assert re.findall("Spark skips .*", caplog.text) == [
        "Spark skips hidden files at s3a://inputs/folders: /folders/_tmp/x.csv"
    ]


def run(uri: str) -> None:
    process_pyspark.main(["--input_table", uri, "--output_table", "s3a://outputs/out"])


def test_a_key_with_a_colon_is_read_unless_by_a_pattern(s3a: SparkSession, s3) -> None:
    key = "colon/events_2024-01-01T10:00:00.csv"
    s3.put_object(Bucket="inputs", Key=key, Body=ROW)

    run("s3a://inputs/colon")
    assert input_size(s3a, f"s3a://inputs/{key}") == len(ROW)
    with pytest.raises(JobError, match="on S3 give the folder instead of a glob pattern"):
        run("s3a://inputs/colon/*.csv")


@pytest.mark.parametrize("bucket", ["in_puts", "inputs.2024"])
def test_a_bucket_that_java_takes_for_no_host_fails_in_one_line(s3a: SparkSession, bucket) -> None:
    with pytest.raises(JobError, match="S3A finds no bucket in the URI") as caught:
        run(f"s3a://{bucket}/in")

    assert "\n" not in str(caught.value)
