"""Responses have the times of moto, which are read without a parser of any format."""

from typing import Any

import boto3
import pytest
from botocore.utils import parse_to_aware_datetime

from helpers.local_aws.moto_extensions.timestamps import read_quickly


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-29T12:47:29.123Z",
        "2026-11-29T12:47:29+02:00",
        "2026-11-29T12:47:29",
        "2026-11-29",
        1795956561,
    ],
)
def test_a_time_is_that_of_botocore(value: Any) -> None:
    assert read_quickly.function(value) == parse_to_aware_datetime(value)
    assert read_quickly.function(value).utcoffset() == parse_to_aware_datetime(value).utcoffset()


def test_a_listing_has_the_time_of_the_object(aws: boto3.Session) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="times-of-objects")
    s3.put_object(Bucket="times-of-objects", Key="a", Body=b"1")

    (listed,) = s3.list_objects_v2(Bucket="times-of-objects")["Contents"]
    read = s3.head_object(Bucket="times-of-objects", Key="a")["LastModified"]

    assert abs((listed["LastModified"] - read).total_seconds()) < 1
    assert listed["LastModified"].utcoffset().total_seconds() == 0
    s3.delete_object(Bucket="times-of-objects", Key="a")
    s3.delete_bucket(Bucket="times-of-objects")
