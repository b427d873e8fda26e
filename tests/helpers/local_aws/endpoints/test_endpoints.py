"""Endpoints that serve a trained model, with boto3."""

import json
import time
import uuid
from copy import deepcopy
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from helpers.local_aws.endpoints.configurations import EndpointConfig
from helpers.local_aws.endpoints.endpoint import Deployment, Endpoint
from helpers.local_aws.endpoints.endpoints import Endpoints as AllEndpoints
from helpers.local_aws.models.container import ModelContainer
from tests.buckets import create_bucket
from tests.helpers.local_aws.roles import sagemaker_of_role
from tests.helpers.local_aws.training_jobs import IMAGE, TrainingJobs, table

ROWS = "1,1\n3,2\n"
PING = "The primary container for production variant AllTraffic did not pass the ping health check"


class Endpoints:
    """A trained model, and endpoints that serve it."""

    def __init__(self, aws: boto3.Session, role: str, bucket: str):
        self.sagemaker, self.runtime = aws.client("sagemaker"), aws.client("sagemaker-runtime")
        self.role = role
        jobs = TrainingJobs(aws, role, bucket)
        jobs.put("train/a.csv", table())
        trained = jobs.run()
        assert trained["TrainingJobStatus"] == "Completed", trained.get("FailureReason")
        self.artifacts = trained["ModelArtifacts"]["S3ModelArtifacts"]
        self.model = self.create_model()

    def create_model(self, **container: Any) -> str:
        name = f"model-{uuid.uuid4().hex[:8]}"
        given = {"Image": IMAGE, "ModelDataUrl": self.artifacts, **container}
        self.sagemaker.create_model(ModelName=name, ExecutionRoleArn=self.role, PrimaryContainer=given)
        return name

    def config_request(self, model: str | None = None, **variant: Any) -> dict[str, Any]:
        given = {
            "VariantName": "AllTraffic",
            "ModelName": model or self.model,
            "InitialInstanceCount": 1,
            "InstanceType": "ml.m5.large",
        }
        name = f"config-{uuid.uuid4().hex[:8]}"
        return {"EndpointConfigName": name, "ProductionVariants": [{**given, **variant}]}

    def create_config(self, model: str | None = None) -> str:
        request = self.config_request(model)
        self.sagemaker.create_endpoint_config(**request)
        return str(request["EndpointConfigName"])

    def create(self, model: str | None = None) -> dict[str, Any]:
        name = f"endpoint-{uuid.uuid4().hex[:8]}"
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=self.create_config(model))
        return self.wait(name)

    def wait(self, name: str) -> dict[str, Any]:
        while True:
            found = self.describe(name)
            if found["EndpointStatus"] not in {"Creating", "Updating"}:
                return found
            time.sleep(0.05)

    def describe(self, name: str) -> dict[str, Any]:
        return dict(self.sagemaker.describe_endpoint(EndpointName=name))

    def invoke(self, name: str, rows: str = ROWS, **members: Any) -> str:
        given = {"ContentType": "text/csv", **members}
        answer = self.runtime.invoke_endpoint(EndpointName=name, Body=rows, **given)
        assert answer["InvokedProductionVariant"] == "AllTraffic"
        return str(answer["Body"].read().decode())


@pytest.fixture(scope="module")
def endpoints(aws: boto3.Session, role: str) -> Endpoints:
    bucket = f"endpoints-{uuid.uuid4().hex}"
    create_bucket(aws.client("s3"), bucket)
    return Endpoints(aws, role, bucket)


@pytest.fixture(scope="module")
def endpoint(endpoints: Endpoints) -> Any:
    """The name of an endpoint in service."""
    found = endpoints.create()
    assert found["EndpointStatus"] == "InService", found.get("FailureReason")
    yield found["EndpointName"]
    endpoints.sagemaker.delete_endpoint(EndpointName=found["EndpointName"])


def test_an_endpoint_predicts(endpoints: Endpoints, endpoint: str) -> None:
    as_csv = endpoints.invoke(endpoint)
    assert len([float(line) for line in as_csv.splitlines()]) == 2
    as_json = json.loads(endpoints.invoke(endpoint, Accept="application/json"))
    assert [each["score"] for each in as_json["predictions"]] == [*map(float, as_csv.split())]
    assert endpoints.invoke(endpoint, TargetVariant="AllTraffic") == as_csv


def test_it_is_described_and_listed(endpoints: Endpoints, endpoint: str) -> None:
    found = endpoints.describe(endpoint)
    (variant,) = found["ProductionVariants"]
    assert (variant["VariantName"], variant["CurrentInstanceCount"]) == ("AllTraffic", 1)
    config = endpoints.sagemaker.describe_endpoint_config(EndpointConfigName=found["EndpointConfigName"])
    assert config["ProductionVariants"][0]["ModelName"] == endpoints.model
    listed = endpoints.sagemaker.list_endpoints(StatusEquals="InService", NameContains=endpoint)["Endpoints"]
    assert [each["EndpointName"] for each in listed] == [endpoint]
    configs = endpoints.sagemaker.list_endpoint_configs(NameContains=found["EndpointConfigName"])
    assert len(configs["EndpointConfigs"]) == 1


def test_errors_of_the_model_reach_the_client(endpoints: Endpoints, endpoint: str) -> None:
    with pytest.raises(endpoints.runtime.exceptions.ModelError) as caught:
        endpoints.invoke(endpoint, "1,2,3\n")
    assert caught.value.response["OriginalStatusCode"] == 400
    assert "Number of columns does not match" in caught.value.response["OriginalMessage"]
    assert "Received client error (400) from primary" in str(caught.value)


def test_what_cannot_be_invoked(endpoints: Endpoints, endpoint: str) -> None:
    with pytest.raises(ClientError, match="Endpoint nothing of account 123456789012 not found"):
        endpoints.invoke("nothing")
    with pytest.raises(ClientError, match="Variant other not found"):
        endpoints.invoke(endpoint, TargetVariant="other")


def test_an_empty_program_cannot_be_served(endpoints: Endpoints) -> None:
    """SDK 3.27.0 registers models of built-in algorithms with SAGEMAKER_PROGRAM ""."""
    model = endpoints.create_model(Environment={"SAGEMAKER_PROGRAM": ""})
    found = endpoints.create(model)
    assert found["EndpointStatus"] == "Failed"
    assert found["FailureReason"].startswith(PING)
    with pytest.raises(ClientError, match="is Failed"):
        endpoints.invoke(found["EndpointName"])
    endpoints.sagemaker.delete_endpoint(EndpointName=found["EndpointName"])


def test_an_update_that_fails_leaves_what_serves(endpoints: Endpoints, endpoint: str) -> None:
    before, expected = endpoints.describe(endpoint), endpoints.invoke(endpoint)
    bad = endpoints.create_config(endpoints.create_model(Environment={"SAGEMAKER_PROGRAM": ""}))
    endpoints.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=bad)
    found = endpoints.wait(endpoint)
    assert found["EndpointStatus"] == "InService"
    assert found["EndpointConfigName"] == before["EndpointConfigName"]
    assert found["FailureReason"].startswith(PING)
    assert endpoints.invoke(endpoint) == expected

    good = endpoints.create_config()
    endpoints.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=good)
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        endpoints.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=good)
    assert endpoints.wait(endpoint)["EndpointConfigName"] == good
    assert endpoints.invoke(endpoint) == expected


@pytest.mark.parametrize(
    ("member", "value", "message"),
    [
        ("DataCaptureConfig", {"EnableCapture": True}, "DataCaptureConfig"),
        ("AsyncInferenceConfig", {"OutputConfig": {}}, "AsyncInferenceConfig"),
        ("ExecutionRoleArn", "arn:aws:iam::123456789012:role/r", "ExecutionRoleArn"),
        ("ProductionVariants", 2, "ProductionVariants of 2 variants"),
        ("ServerlessConfig", {"MemorySizeInMB": 1024, "MaxConcurrency": 1}, "ServerlessConfig"),
        ("InstanceType", None, "must have InstanceType"),
        ("ModelName", "nothing", 'Could not find model ".*model/nothing"'),
    ],
)
def test_what_a_configuration_cannot_have(
    endpoints: Endpoints, member: str, value: Any, message: str
) -> None:
    request = deepcopy(endpoints.config_request())
    (variant,) = request["ProductionVariants"]
    if member == "ProductionVariants":
        request[member] = [variant, {**variant, "VariantName": "b"}]
    elif member in {"ServerlessConfig", "ModelName"}:
        variant[member] = value
    elif value is None:
        del variant[member]
    else:
        required = {"InitialSamplingPercentage": 1, "DestinationS3Uri": "s3://b/c"}
        options = {"CaptureOptions": [{"CaptureMode": "Input"}]}
        request[member] = {**value, **required, **options} if member == "DataCaptureConfig" else value
    with pytest.raises(ClientError, match=message):
        endpoints.sagemaker.create_endpoint_config(**request)


def test_an_endpoint_needs_its_configuration_and_a_name_of_its_own(
    endpoints: Endpoints, endpoint: str
) -> None:
    with pytest.raises(ClientError, match=r'Could not find endpoint configuration ".*endpoint-config/none"'):
        endpoints.sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="none")
    with pytest.raises(ClientError, match="Cannot create already existing endpoint"):
        endpoints.sagemaker.create_endpoint(
            EndpointName=endpoint, EndpointConfigName=endpoints.create_config()
        )


def test_who_may_not_create_or_invoke_is_denied(
    endpoints: Endpoints, endpoint: str, aws: boto3.Session
) -> None:
    config = endpoints.create_config()
    denied = sagemaker_of_role(aws, {"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    with pytest.raises(ClientError, match="not authorized to perform: sagemaker:CreateEndpointConfig"):
        denied.create_endpoint_config(**endpoints.config_request())
    with pytest.raises(ClientError, match="not authorized to perform: sagemaker:CreateEndpoint"):
        denied.create_endpoint(EndpointName="e", EndpointConfigName=config)
    with pytest.raises(ClientError, match="not authorized to perform: sagemaker:DeleteEndpoint"):
        denied.delete_endpoint(EndpointName=endpoint)


def test_what_was_in_progress_when_a_server_ended_is_settled() -> None:
    config = EndpointConfig("c", "arn", {"ProductionVariants": [{"VariantName": "v"}]}, [])
    deployment = Deployment(config, ModelContainer(IMAGE, None, {}), "role")
    kept = {
        status: Endpoint(status, "arn", [], deployment, status)
        for status in ("Creating", "Updating", "InService", "Failed")
    }
    restored = AllEndpoints(None, None, "us-east-1", None, None)

    restored.restore({status.lower(): endpoint for status, endpoint in kept.items()})

    assert {name: restored.find(name).status for name in kept} == {
        "Creating": "Failed",
        "Updating": "InService",
        "InService": "InService",
        "Failed": "Failed",
    }
    assert all(endpoint.settled.is_set() for endpoint in kept.values())


def test_steps_deploy_a_model(pipelines: Any, endpoints: Endpoints) -> None:
    config, name = endpoints.config_request(), f"endpoint-{uuid.uuid4().hex[:8]}"
    create_config = {"Name": "configure", "Type": "EndpointConfig", "Arguments": config}
    of_config = {"Get": "Steps.configure.EndpointConfigName"}
    arguments = {"EndpointName": name, "EndpointConfigName": of_config}
    deploy = {"Name": "deploy", "Type": "Endpoint", "Arguments": arguments}

    execution = pipelines.run(pipelines.create(create_config, deploy))

    assert execution["PipelineExecutionStatus"] == "Succeeded", execution.get("FailureReason")
    steps = pipelines.steps(execution["PipelineExecutionArn"])
    assert steps["configure"]["Metadata"]["EndpointConfig"]["Arn"].endswith(config["EndpointConfigName"])
    assert steps["deploy"]["Metadata"]["Endpoint"]["Arn"].endswith(name)
    assert endpoints.invoke(name)
    endpoints.sagemaker.delete_endpoint(EndpointName=name)
    with pytest.raises(ClientError, match="Could not find endpoint"):
        endpoints.describe(name)
