"""The contract of pipelines and their versions, with boto3."""

import json
import uuid
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError


def definition(message: str) -> str:
    step = {"Name": "f", "Type": "Fail", "Arguments": {"ErrorMessage": message}}
    return json.dumps({"Version": "2020-12-01", "Steps": [step]})


@pytest.fixture
def sagemaker(aws: boto3.Session) -> Any:
    return aws.client("sagemaker")


@pytest.fixture
def pipeline(sagemaker, role) -> str:
    """The name of a pipeline with two versions, `one` and `two`."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=definition("one"), RoleArn=role)
    updated = sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=definition("two"))
    assert updated["PipelineVersionId"] == 2
    return name


def message_of(described: dict[str, Any]) -> str:
    return str(json.loads(described["PipelineDefinition"])["Steps"][0]["Arguments"]["ErrorMessage"])


def test_each_definition_is_a_version(sagemaker, pipeline) -> None:
    same = sagemaker.update_pipeline(PipelineName=pipeline, PipelineDescription="d")
    listed = sagemaker.list_pipeline_versions(PipelineName=pipeline)["PipelineVersionSummaries"]

    assert same["PipelineVersionId"] == 2
    assert [version["PipelineVersionId"] for version in listed] == [2, 1]
    assert message_of(sagemaker.describe_pipeline(PipelineName=pipeline)) == "two"
    assert message_of(sagemaker.describe_pipeline(PipelineName=pipeline, PipelineVersionId=1)) == "one"
    assert sagemaker.describe_pipeline(PipelineName=pipeline)["PipelineDescription"] == "d"


def test_a_version_is_started(sagemaker, pipeline, pipelines) -> None:
    execution = pipelines.run(pipeline, PipelineVersionId=1)

    assert "one" in execution["FailureReason"]
    assert execution["PipelineVersionId"] == 1
    (newest, oldest) = sagemaker.list_pipeline_versions(PipelineName=pipeline)["PipelineVersionSummaries"]
    assert oldest["LastExecutionPipelineExecutionArn"] == execution["PipelineExecutionArn"]
    assert "LastExecutionPipelineExecutionArn" not in newest


@pytest.mark.parametrize("call", ["describe_pipeline", "start_pipeline_execution"])
def test_a_version_that_is_not_there(sagemaker, pipeline, call) -> None:
    with pytest.raises(ClientError, match=r"version 99 of .* does not exist") as caught:
        getattr(sagemaker, call)(PipelineName=pipeline, PipelineVersionId=99)

    assert caught.value.response["Error"]["Code"] == "ResourceNotFound"


def test_a_version_has_a_name_and_a_description(sagemaker, pipeline) -> None:
    arn = sagemaker.describe_pipeline(PipelineName=pipeline)["PipelineArn"]
    sagemaker.update_pipeline_version(
        PipelineArn=arn,
        PipelineVersionId=1,
        PipelineVersionDisplayName="first",
        PipelineVersionDescription="d",
    )

    described = sagemaker.describe_pipeline(PipelineName=arn, PipelineVersionId=1)

    assert described["PipelineVersionDisplayName"] == "first"
    assert described["PipelineVersionDescription"] == "d"


def test_a_definition_is_read_from_s3(sagemaker, aws, bucket, role) -> None:
    aws.client("s3").put_object(Bucket=bucket, Key="p.json", Body=definition("from S3").encode())
    aws.client("s3").put_object(Bucket=bucket, Key="broken.json", Body=b"{")
    name = f"test-{uuid.uuid4().hex[:8]}"

    for key, problem in (("broken.json", "is not valid JSON"), ("none.json", "cannot be read")):
        with pytest.raises(ClientError, match=problem):
            sagemaker.create_pipeline(
                PipelineName=name,
                PipelineDefinitionS3Location={"Bucket": bucket, "ObjectKey": key},
                RoleArn=role,
            )
    sagemaker.create_pipeline(
        PipelineName=name,
        PipelineDefinitionS3Location={"Bucket": bucket, "ObjectKey": "p.json"},
        RoleArn=role,
    )

    assert message_of(sagemaker.describe_pipeline(PipelineName=name)) == "from S3"


def test_a_name_is_used_once_and_a_token_creates_once(sagemaker, role) -> None:
    name, token = f"test-{uuid.uuid4().hex[:8]}", uuid.uuid4().hex
    request = {"PipelineName": name, "PipelineDefinition": definition("m"), "RoleArn": role}

    arns = {sagemaker.create_pipeline(**request, ClientRequestToken=token)["PipelineArn"] for _ in range(2)}

    assert len(arns) == 1
    with pytest.raises(ClientError, match="Pipeline names must be unique"):
        sagemaker.create_pipeline(**request)


def test_pipelines_are_listed_by_the_beginning_of_their_names(sagemaker, role) -> None:
    prefix = f"listed-{uuid.uuid4().hex[:6]}"
    for name in (f"{prefix}-b", f"{prefix}-a", f"other-{prefix}"):
        sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=definition("m"), RoleArn=role)

    def listed(**request: Any) -> list[str]:
        pages = sagemaker.get_paginator("list_pipelines").paginate(
            PipelineNamePrefix=prefix, PaginationConfig={"PageSize": 1}, **request
        )
        return [item["PipelineName"] for page in pages for item in page["PipelineSummaries"]]

    assert listed() == [f"{prefix}-a", f"{prefix}-b"], "the newest first"
    assert listed(SortBy="Name", SortOrder="Descending") == [f"{prefix}-b", f"{prefix}-a"]


def test_search_finds_pipelines_and_executions(sagemaker, pipeline, pipelines) -> None:
    arn = sagemaker.describe_pipeline(PipelineName=pipeline)["PipelineArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "team.name", "Value": pipeline}])
    execution = pipelines.run(pipeline)["PipelineExecutionArn"]

    def search(resource: str, *filters: tuple[str, str, str], **expression: Any) -> list[Any]:
        given = [
            {"Name": name, "Operator": kind} | ({"Value": value} if value else {})
            for name, kind, value in filters
        ]
        searched = {"SearchExpression": {"Filters": given, **expression}} if given else {}
        answer = sagemaker.search(Resource=resource, **searched)
        return [record[resource] for record in answer["Results"]]

    by_tag = search("Pipeline", ("Tags.team.name", "Equals", pipeline))
    by_name = search("Pipeline", ("PipelineName", "Contains", pipeline[2:]), ("Tags.none", "NotExists", ""))
    failed = search(
        "PipelineExecution",
        ("PipelineArn", "Equals", arn),
        ("PipelineExecutionStatus", "In", "Failed,Stopped"),
    )
    either = search("Pipeline", ("PipelineName", "Equals", pipeline), ("Tags.x", "Exists", ""), Operator="Or")

    assert [each["PipelineArn"] for each in (*by_tag, *by_name, *either)] == [arn] * 3
    assert [each["PipelineExecutionArn"] for each in failed] == [execution]
    with pytest.raises(ClientError, match="does not search TrainingJob"):
        search("TrainingJob")
