"""Operations that moto does not implement or that fail, in the protocol of each service."""

from collections.abc import Mapping

import boto3
import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.parsers import create_parser

from helpers.local_aws import http


@pytest.mark.parametrize(
    ("service", "call", "request_"),
    [
        ("cloudtrail", "lookup_events", {}),
        ("iam", "generate_service_last_accessed_details", {"Arn": "arn:aws:iam::123456789012:role/r"}),
        ("ec2", "describe_capacity_blocks", {}),
        ("logs", "list_anomalies", {}),
    ],
)
def test_what_is_not_implemented_is_an_error_of_aws(aws: boto3.Session, service, call, request_) -> None:
    """The error is not one that clients retry."""
    with pytest.raises(ClientError) as caught:
        getattr(aws.client(service), call)(**request_)

    response = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["ResponseMetadata"]["RetryAttempts"] == 0
    assert response["Error"]["Code"] == "UnknownOperationException"
    assert "The embedded AWS cannot answer this request" in response["Error"]["Message"]


@pytest.mark.parametrize(
    ("service", "operation", "environ"),
    [
        ("s3", "ListObjectsV2", {}),
        ("efs", "DescribeFileSystems", {}),
        ("ec2", "DescribeVpcs", {}),
        ("sts", "AssumeRole", {"CONTENT_TYPE": "application/x-www-form-urlencoded; charset=utf-8"}),
        ("sagemaker", "ListPipelines", {"HTTP_X_AMZ_TARGET": "SageMaker.ListPipelines"}),
    ],
)
def test_errors_are_in_the_protocol_of_the_service(
    service: str, operation: str, environ: Mapping[str, str]
) -> None:
    headers: dict[str, str] = {}

    def start_response(_status: str, given: list[tuple[str, str]], *_: object) -> None:
        headers.update({name.lower(): value for name, value in given})

    (body,) = http.fail(environ, start_response, service, "TheCode", "a < b")  # type: ignore[arg-type]
    model = botocore.session.get_session().get_service_model(service)
    response = {"status_code": 400, "headers": headers, "body": body}

    parsed = create_parser(model.protocol).parse(response, model.operation_model(operation).output_shape)

    assert (parsed["Error"]["Code"], parsed["Error"]["Message"]) == ("TheCode", "a < b")
