"""Creates buckets for tests."""

from typing import Any


def create_bucket(s3: Any, name: str) -> None:
    """Create a bucket in the client's region.

    S3 requires the region as location, but no location for us-east-1:
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
    """
    region = s3.meta.region_name
    location = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=name, **location)
