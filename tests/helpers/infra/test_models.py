"""The stack `models`: deployment, approval, drift detection, and teardown with its versions."""

import io
import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from rich.console import Console

from helpers.infra.stacks import StackConfiguration, load_stacks, teardown
from helpers.infra.stacks.__main__ import main
from helpers.infra.stacks.deploy import deploy_all
from helpers.infra.stacks.drift import DRIFTED
from ml_pipeline.registry.group import scoring_pipeline
from ml_pipeline.registry.packages import describe
from tests.infra_folder import write_templates
from tests.quiet_console import QuietConsole

GROUP = "registry-local-models"
BOUNDARY = "arn:aws:iam::123456789012:policy/registry-local-boundary"
STATISTICS = "s3://bucket/baseline/statistics.json"
PARAMETERS = ("ModelPackageArn", "BaselineStatisticsUrl", "Fingerprint-prepare-scoring-input_table")
"""The parameters of the scoring pipeline, all of which an execution must receive."""
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
Stacks = tuple[StackConfiguration, ...]


@pytest.fixture(scope="module")
def boundary(aws: boto3.Session) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": [EVERYTHING]})
    aws.client("iam").create_policy(PolicyName="registry-local-boundary", PolicyDocument=document)


@pytest.fixture
def infra(tmp_path: Path, boundary: None) -> Path:
    """A folder with only this template."""
    given = {
        "PermissionsBoundaryArn": BOUNDARY,
        "ScoringPipelineName": "",
        "RetrainingPipelineName": "",
        "ReaderAccountIds": "none",
    }
    write_templates(tmp_path, "registry", templates=("models",), **given)
    return tmp_path


def change(infra: Path, *, protected: bool = False, **parameters: str) -> Stacks:
    """Set other parameters; return the stacks."""
    path = infra / "parameters" / "local.json"
    content = json.loads(path.read_text())
    content["Parameters"] |= parameters
    path.write_text(json.dumps({**content, "Protected": protected}))
    return load_stacks("local", infra)


@pytest.fixture
def deployed(aws: boto3.Session, infra: Path) -> Iterator[Path]:
    """The folder of the deployed stack."""
    deploy_all(aws.client("cloudformation"), load_stacks("local", infra), QuietConsole())
    yield infra
    teardown(aws, load_stacks("local", infra), QuietConsole())


def register(aws: boto3.Session) -> str:
    """Register a version with two baselines; no event has the second one."""
    first, second = (
        {"ModelDataQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": uri}}}
        for uri in (STATISTICS, f"{STATISTICS}.another")
    )
    created = aws.client("sagemaker").create_model_package(
        ModelPackageGroupName=GROUP, ModelMetrics=first, DriftCheckBaselines=second
    )
    return str(created["ModelPackageArn"])


def groups(aws: boto3.Session) -> list[str]:
    listed = aws.client("sagemaker").list_model_package_groups(NameContains=GROUP)
    return [each["ModelPackageGroupName"] for each in listed["ModelPackageGroupSummaryList"]]


def test_a_group_is_torn_down_with_its_versions(aws: boto3.Session, deployed: Path) -> None:
    for _ in range(3):
        register(aws)
    output = io.StringIO()

    teardown(aws, load_stacks("local", deployed), Console(file=output, width=300))

    assert groups(aws) == []
    assert f"model-package-group/{GROUP}: 3 model packages." in output.getvalue()


def test_a_protected_group_is_kept_with_its_versions(aws: boto3.Session, infra: Path) -> None:
    stacks = change(infra, protected=True)
    deploy_all(aws.client("cloudformation"), stacks, QuietConsole())
    version = register(aws)
    output = io.StringIO()

    teardown(aws, stacks, Console(file=output, width=300))

    sagemaker = aws.client("sagemaker")
    assert sagemaker.describe_model_package(ModelPackageName=version)["ModelPackageVersion"] == 1
    assert "Remains: AWS::SageMaker::ModelPackageGroup" in output.getvalue()
    sagemaker.delete_model_package(ModelPackageName=version)
    sagemaker.delete_model_package_group(ModelPackageGroupName=GROUP)


def test_an_approval_starts_nothing_until_a_pipeline_is_named(aws: boto3.Session, deployed: Path) -> None:
    events = aws.client("events")
    assert events.list_rules(NamePrefix="registry-local-models-")["Rules"] == []
    assert scoring_pipeline(load_stacks("local", deployed)) == ""

    stacks = change(deployed, ScoringPipelineName="scoring-${Environment}")  # as the docs have it
    deploy_all(aws.client("cloudformation"), stacks, QuietConsole())

    (rule,) = events.list_rules(NamePrefix="registry-local-models-")["Rules"]
    assert rule["State"] == "ENABLED"
    (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    assert target["Arn"].endswith(":pipeline/scoring-local")
    assert scoring_pipeline(stacks) == "scoring-local"
    # The pipeline does not exist yet, but the approval succeeds.
    version = register(aws)
    sagemaker = aws.client("sagemaker")
    sagemaker.update_model_package(ModelPackageArn=version, ModelApprovalStatus="Approved")
    assert sagemaker.describe_model_package(ModelPackageName=version)["ModelApprovalStatus"] == "Approved"


def test_an_approval_starts_the_pipeline_that_scores(aws: boto3.Session, infra: Path, role: str) -> None:
    """Started by the rule of the stack, with its role and below the boundary; a rejection starts nothing."""
    sagemaker, name = aws.client("sagemaker"), "registry-scoring-local"
    message = {"ErrorMessage": {"Get": "Parameters.ModelPackageArn"}}
    definition = {
        "Version": "2020-12-01",
        "Parameters": [{"Name": each, "Type": "String"} for each in PARAMETERS],
        "Steps": [{"Name": "end", "Type": "Fail", "Arguments": message}],
    }
    sagemaker.create_pipeline(
        PipelineName=name,
        PipelineDefinition=json.dumps(definition),
        RoleArn=role,
        ClientRequestToken=uuid.uuid4().hex,
    )
    stacks = change(infra, ScoringPipelineName=name)
    deploy_all(aws.client("cloudformation"), stacks, QuietConsole())
    rejected, approved = register(aws), register(aws)

    sagemaker.update_model_package(ModelPackageArn=rejected, ModelApprovalStatus="Rejected")
    sagemaker.update_model_package(ModelPackageArn=approved, ModelApprovalStatus="Approved")

    def executions() -> list[str]:
        listed = sagemaker.list_pipeline_executions(PipelineName=name)["PipelineExecutionSummaries"]
        return [each["PipelineExecutionArn"] for each in listed]

    while not (started := executions()):
        time.sleep(0.05)
    (execution,) = started
    listed = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=execution)
    given = {each["Name"]: each["Value"] for each in listed["PipelineParameters"]}
    assert given.keys() == {*PARAMETERS}
    assert given["ModelPackageArn"] == approved
    assert given["BaselineStatisticsUrl"] == describe(sagemaker, approved).baselines.statistics, (
        "as start does"
    )
    teardown(aws, stacks, QuietConsole())


def test_a_policy_that_somebody_changes_is_drift(
    aws: boto3.Session, deployed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = ("--env", "local", "--infra", str(deployed))
    stacks = change(deployed, ReaderAccountIds="999999999999")
    deploy_all(aws.client("cloudformation"), stacks, QuietConsole())
    assert main(["drift", *there]) == 0
    capsys.readouterr()

    aws.client("sagemaker").put_model_package_group_policy(
        ModelPackageGroupName=GROUP, ResourcePolicy='{"Version": "2012-10-17", "Statement": []}'
    )
    found = main(["drift", *there])

    assert "ModelPackageGroupPolicy" in capsys.readouterr().out
    assert found == DRIFTED
