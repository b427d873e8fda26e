"""Unexpected errors of moto are AWS errors in the service's protocol, never HTTP 500."""

from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError


def test_an_operation_that_moto_fails_at_is_an_error_with_its_cause_in_the_log(
    aws: boto3.Session, server_folder: Path
) -> None:
    with pytest.raises(ClientError, match=r"InternalFailure.*KeyError") as raised:
        aws.client("budgets").describe_notifications_for_budget(AccountId="123456789012", BudgetName="none")
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert "Traceback" in (server_folder / "server.log").read_text()


def test_an_operation_that_moto_does_not_have_is_named(aws: boto3.Session) -> None:
    with pytest.raises(ClientError, match=r"UnknownOperation.*describe_account_limits"):
        aws.client("cloudformation").describe_account_limits()
