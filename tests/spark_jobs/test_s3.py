"""What S3A lists of a bucket and what it does not: no row is lost silently."""

import json
import re
from typing import Any

import boto3
import etl.storage
import pytest
from etl.errors import JobError
from etl.ingestion.fields import Integer, String
from etl.ingestion.job import ingest
from etl.ingestion.table import Table
from etl.spark_inputs import input_size
from etl.storage import s3_settings, storage
from pyspark.sql import SparkSession

from tests.buckets import create_bucket

TABLE = Table((String("a"), Integer("b")))
ROW = b"x,1\n"


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
    ingest(TABLE, "test", ["--input_table", uri, "--output_table", "s3a://outputs/out"])


def test_a_key_with_a_colon_or_an_empty_part_is_read_and_also_by_a_pattern(s3a: SparkSession, s3) -> None:
    for key in ("colon/events_2024-01-01T10:00:00.csv", "colon//a.csv", "colon/b [1] %20.csv"):
        s3.put_object(Bucket="inputs", Key=key, Body=ROW)

    for uri, rows in {"colon": 3, "colon/events_*.csv": 1, "colon/events_2024-01-01T10:00:00.csv": 1}.items():
        run(f"s3a://inputs/{uri}")
        assert report(s3)["rows_in"] == rows


def report(s3) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(
        s3.get_object(Bucket="outputs", Key="out/report.json")["Body"].read()
    )
    return content


def test_large_objects_are_written_in_parts_and_read_by_ranges(s3a: SparkSession, s3, monkeypatch) -> None:
    monkeypatch.setattr(etl.storage, "PART_BYTES", 5 * 1024**2)
    target = storage("s3a://outputs/large", s3_settings(s3a))
    content = b"".join(b"%09d\n" % number for number in range(1_200_000))

    target.write("s3a://outputs/large/a.bin", content)

    (file,) = target.files("s3a://outputs/large")
    assert "-" in file.version, "the ETag of an object that was uploaded in parts"
    assert target.read(file, 0, file.size) == content
    assert target.read(file, 7, 5 * 1024**2 + 11) == content[7 : 5 * 1024**2 + 11]


def test_an_object_that_is_replaced_while_it_is_read_fails_the_job(s3a: SparkSession, s3) -> None:
    s3.put_object(Bucket="inputs", Key="replaced/a.csv", Body=ROW)
    files = storage("s3a://inputs", s3_settings(s3a))
    (file,) = files.files("s3a://inputs/replaced")
    s3.put_object(Bucket="inputs", Key="replaced/a.csv", Body=ROW * 2)

    with pytest.raises(JobError, match=r"replaced/a\.csv was replaced or removed while it was read"):
        files.read(file, 0, file.size)


def test_a_missing_bucket_fails_in_one_line(s3a: SparkSession) -> None:
    with pytest.raises(JobError, match=r"NoSuchBucket") as caught:
        run("s3a://nowhere.2024/in")

    assert "\n" not in str(caught.value)
