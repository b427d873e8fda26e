"""Stacks for tests."""

import boto3
import pytest

from tests.helpers.local_aws.cloudformation.stacks import Stack


@pytest.fixture
def stack(aws: boto3.Session) -> Stack:
    return Stack(aws)
