"""Training jobs for tests."""

import boto3
import pytest

from tests.helpers.local_aws.training_jobs import TrainingJobs, table


@pytest.fixture
def training_jobs(aws: boto3.Session, role: str, bucket: str) -> TrainingJobs:
    """Training jobs with a table in `train/`."""
    jobs = TrainingJobs(aws, role, bucket)
    jobs.put("train/part-0.csv", table())
    return jobs
