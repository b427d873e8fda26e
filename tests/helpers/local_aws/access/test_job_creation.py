"""Jobs that the service rejects, with boto3, and steps that fail because of it."""

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from helpers.infra.stacks import teardown
from helpers.infra.stacks.deploy import deploy_all
from helpers.infra.stacks.regional_values import with_regional_values
from tests.infra_folder import every_stack
from tests.quiet_console import QuietConsole

PROJECT = "access-test"
ACCOUNT = {"AWS": "arn:aws:iam::123456789012:root"}
Create = Callable[[dict[str, Any]], str]


@pytest.fixture(scope="module")
def outputs(aws: boto3.Session) -> Iterator[dict[str, str]]:
    """The outputs of the template's own stacks that jobs need."""
    stacks = with_regional_values(aws.client("ec2"), every_stack(PROJECT)[:4])
    quiet = QuietConsole()
    yield deploy_all(aws.client("cloudformation"), stacks, quiet)
    teardown(aws, stacks, quiet)


@pytest.fixture
def request_(outputs: dict[str, str], job: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """A request that the guardrails allow."""
    found = job(
        ProcessingJobName=f"{PROJECT}-local-{uuid.uuid4().hex[:8]}",
        NetworkConfig={
            "EnableInterContainerTrafficEncryption": True,
            "VpcConfig": {
                "Subnets": outputs["PrivateSubnetIds"].split(","),
                "SecurityGroupIds": [outputs["ProcessingSecurityGroupId"]],
            },
        },
        ProcessingOutputConfig={"KmsKeyId": outputs["DataKeyArn"], "Outputs": []},
        Tags=[{"Key": "Project", "Value": "p"}, {"Key": "Owner", "Value": "o"}],
    )
    found["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"] = outputs["VolumeKeyArn"]
    return {**found, "RoleArn": outputs["ProcessingJobRoleArn"]}


def sagemaker_of(aws: boto3.Session, role_arn: str) -> Any:
    """A client with the credentials of a role."""
    credentials = aws.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="SageMaker")["Credentials"]
    return boto3.Session(
        credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"]
    ).client("sagemaker", region_name="us-east-1")


@pytest.fixture
def create(aws: boto3.Session, outputs: dict[str, str]) -> Create:
    """Creates a job with the role of pipeline executions and returns its status, or the error."""
    client = sagemaker_of(aws, outputs["PipelineExecutionRoleArn"])

    def attempt(request: dict[str, Any]) -> str:
        try:
            client.create_processing_job(**request)
        except ClientError as error:
            return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
        described = client.describe_processing_job(ProcessingJobName=request["ProcessingJobName"])
        return str(described["ProcessingJobStatus"])

    return attempt


def test_a_job_with_all_controls_is_created(create: Create, request_: dict[str, Any]) -> None:
    assert create(request_) in {"InProgress", "Completed"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("NetworkConfig.VpcConfig", None),
        ("NetworkConfig.EnableInterContainerTrafficEncryption", False),
        ("NetworkConfig", None),
        ("ProcessingResources.ClusterConfig.VolumeKmsKeyId", None),
        ("ProcessingResources.ClusterConfig.InstanceType", "ml.p3.16xlarge"),
        ("ProcessingOutputConfig", None),
        ("Tags", [{"Key": "Project", "Value": "p"}]),
        ("Tags", None),
    ],
)
def test_a_job_without_one_of_them_is_denied(
    create: Create, request_: dict[str, Any], path: str, value: Any
) -> None:
    *parents, last = path.split(".")
    part = request_
    for parent in parents:
        part = part[parent]
    if value is None:
        del part[last]
    else:
        part[last] = value

    message = create(request_)

    name = request_["ProcessingJobName"]
    role = f"assumed-role/{PROJECT}-local-pipeline-execution/SageMaker"
    assert message.startswith(
        f"AccessDeniedException: User: arn:aws:sts::123456789012:{role} is not authorized to perform: "
        f"sagemaker:CreateProcessingJob on resource: "
        f"arn:aws:sagemaker:us-east-1:123456789012:processing-job/{name} with an explicit deny in a"
    )


def test_the_account_itself_may_create_any_job(
    aws: boto3.Session, role: str, job: Callable[..., dict[str, Any]]
) -> None:
    aws.client("sagemaker").create_processing_job(**job(ProcessingJobName=f"job-{uuid.uuid4().hex[:8]}"))


def test_a_role_that_is_not_the_jobs_to_have_is_not_handed_on(
    create: Create, request_: dict[str, Any], role: str
) -> None:
    assert "is not authorized to perform: iam:PassRole on resource: " + role in create(
        {**request_, "RoleArn": role}
    )


def test_another_key_of_the_environment_is_not_a_key_for_volumes(
    create: Create, request_: dict[str, Any], outputs: dict[str, str]
) -> None:
    request_["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"] = outputs["LogKeyArn"]
    assert "AccessDeniedException" in create(request_)


def test_a_boundary_limits_what_policies_allow(
    aws: boto3.Session, job: Callable[..., dict[str, Any]], role: str
) -> None:
    iam, name = aws.client("iam"), f"bounded-{uuid.uuid4().hex[:8]}"

    def document(*actions: str) -> str:
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    boundary = iam.create_policy(PolicyName=name, PolicyDocument=document("iam:*"))["Policy"]["Arn"]
    trust = iam.get_role(RoleName="pipeline-for-tests")["Role"]["AssumeRolePolicyDocument"]
    arn = iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps(trust), PermissionsBoundary=boundary
    )["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=document("*"))
    request = job(ProcessingJobName=f"job-{uuid.uuid4().hex[:8]}")

    with pytest.raises(ClientError, match="because no permissions boundary allows the sagemaker:Create"):
        sagemaker_of(aws, arn).create_processing_job(**request)

    iam.create_policy_version(
        PolicyArn=boundary, PolicyDocument=document("iam:*", "sagemaker:*"), SetAsDefault=True
    )
    sagemaker_of(aws, arn).create_processing_job(**request)


# --- what is not there, or does not fit -------------------------------------------------------------------


def test_a_subnet_and_a_group_must_be_there_and_in_one_vpc(
    aws: boto3.Session, role: str, job: Callable[..., dict[str, Any]], outputs: dict[str, str]
) -> None:
    (elsewhere,) = aws.client("ec2").describe_security_groups(
        Filters=[
            {"Name": "vpc-id", "Values": [default_vpc(aws)]},
            {"Name": "group-name", "Values": ["default"]},
        ]
    )["SecurityGroups"]
    subnet, group = outputs["PrivateSubnetIds"].split(",")[0], outputs["ProcessingSecurityGroupId"]
    for subnets, groups, message in (
        (["subnet-0123456789abcdef0"], [group], "The subnet ID 'subnet-0123456789abcdef0' does not exist"),
        ([subnet], ["sg-0123456789abcdef0"], "The security group 'sg-0123456789abcdef0' does not exist"),
        ([subnet], [elsewhere["GroupId"]], f"belong to different VPCs: {subnet} in {outputs['VpcId']}"),
    ):
        network = {"VpcConfig": {"Subnets": subnets, "SecurityGroupIds": groups}}
        request = job(ProcessingJobName=f"job-{uuid.uuid4().hex[:8]}", NetworkConfig=network)
        with pytest.raises(ClientError, match="ValidationException") as rejected:
            aws.client("sagemaker").create_processing_job(**request)
        assert message in str(rejected.value)


def default_vpc(aws: boto3.Session) -> str:
    (vpc,) = aws.client("ec2").describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    return str(vpc["VpcId"])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda kms, key: kms.disable_key(KeyId=key), "is disabled"),
        (lambda kms, key: kms.schedule_key_deletion(KeyId=key), "is pending deletion"),
        (lambda _kms, _key: None, None),
    ],
)
@pytest.mark.parametrize("use", ["volume", "output"])
def test_a_key_must_be_of_use(
    aws: boto3.Session,
    role: str,
    job: Callable[..., dict[str, Any]],
    use: str,
    spoil: Any,
    message: str | None,
) -> None:
    kms = aws.client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    alias = f"alias/{uuid.uuid4().hex}"
    kms.create_alias(AliasName=alias, TargetKeyId=key)
    spoil(kms, key.rsplit("/", 1)[-1])
    for name in (key, key.rsplit("/", 1)[-1], alias):
        request = job(ProcessingJobName=f"job-{uuid.uuid4().hex[:8]}")
        if use == "volume":
            request["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"] = name
        else:
            request["ProcessingOutputConfig"] = {"KmsKeyId": name, "Outputs": []}
        if message is None:
            aws.client("sagemaker").create_processing_job(**request)
        else:
            with pytest.raises(ClientError, match=f"ValidationException.*{key} {message}"):
                aws.client("sagemaker").create_processing_job(**request)


@pytest.mark.parametrize(
    "name",
    [
        "11111111-2222-3333-4444-555555555555",
        "alias/nobodys",
        "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555",
    ],
)
def test_a_key_that_is_not_there_is_named(
    aws: boto3.Session, role: str, job: Callable[..., dict[str, Any]], name: str
) -> None:
    request = job(
        ProcessingJobName=f"job-{uuid.uuid4().hex[:8]}",
        ProcessingOutputConfig={"KmsKeyId": name, "Outputs": []},
    )
    with pytest.raises(ClientError, match=f"Invalid KMS key: Key '{name}' does not exist"):
        aws.client("sagemaker").create_processing_job(**request)


# --- each right that is asked for, taken away by itself ----------------------------------------------------


class Roles:
    """Roles that may perform all actions except one, and keys that allow the account all except one."""

    def __init__(self, aws: boto3.Session, trust: Any):
        self._iam, self._kms, self._trust = aws.client("iam"), aws.client("kms"), json.dumps(trust)

    def without(self, action: str | None = None) -> str:
        name = f"without-{uuid.uuid4().hex[:8]}"
        arn = self._iam.create_role(RoleName=name, AssumeRolePolicyDocument=self._trust)["Role"]["Arn"]
        self._iam.put_role_policy(RoleName=name, PolicyName="all-but-one", PolicyDocument=all_but(action))
        return str(arn)

    def key_without(self, action: str | None = None) -> str:
        return str(self._kms.create_key(Policy=all_but(action, Principal=ACCOUNT))["KeyMetadata"]["Arn"])


def all_but(action: str | None, **members: Any) -> str:
    what = {"NotAction": action} if action else {"Action": "*"}
    statement = {"Effect": "Allow", **what, "Resource": "*", **members}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture
def roles(aws: boto3.Session, role: str) -> Roles:
    trust = aws.client("iam").get_role(RoleName=role.rsplit("/", 1)[1])["Role"]["AssumeRolePolicyDocument"]
    return Roles(aws, trust)


def rejected(client: Any, request: dict[str, Any]) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        client.create_processing_job(**request)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


@pytest.mark.parametrize(
    "action", ["sagemaker:CreateProcessingJob", "sagemaker:AddTags", "iam:PassRole", "kms:CreateGrant"]
)
def test_who_asks_needs_each_right(
    aws: boto3.Session, roles: Roles, request_: dict[str, Any], action: str
) -> None:
    request_["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"] = key = roles.key_without()
    asks = roles.without(action)

    code, message = rejected(sagemaker_of(aws, asks), request_)

    job = f"arn:aws:sagemaker:us-east-1:123456789012:processing-job/{request_['ProcessingJobName']}"
    about = {"iam:PassRole": request_["RoleArn"], "kms:CreateGrant": key}.get(action, job)
    user = f"arn:aws:sts::123456789012:assumed-role/{asks.rsplit('/', 1)[1]}/SageMaker"
    assert (code, message) == (
        "AccessDeniedException",
        f"User: {user} is not authorized to perform: {action} on resource: {about} "
        f"because no identity-based policy allows the {action} action",
    )
    sagemaker_of(aws, roles.without()).create_processing_job(**request_)


def test_the_volume_key_must_let_itself_be_used(
    aws: boto3.Session, roles: Roles, request_: dict[str, Any]
) -> None:
    """The key's own policy must allow it; no permission of the caller or the account replaces it."""
    key = roles.key_without("kms:CreateGrant")
    request_["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"] = key

    for client in (sagemaker_of(aws, roles.without()), aws.client("sagemaker")):
        code, message = rejected(client, request_)
        assert code == "AccessDeniedException"
        assert message.endswith(
            f"is not authorized to perform: kms:CreateGrant on resource: {key} "
            "because no resource-based policy allows the kms:CreateGrant action"
        )


def test_the_output_key_is_for_the_jobs_own_role(
    aws: boto3.Session, roles: Roles, request_: dict[str, Any]
) -> None:
    """Both the role's policy and the key's must allow it."""
    action = "kms:GenerateDataKey"
    for kind, taken_from_role, taken_from_key in (
        ("identity-based", action, None),
        ("resource-based", None, action),
    ):
        key, own = roles.key_without(taken_from_key), roles.without(taken_from_role)
        request = {**request_, "ProcessingOutputConfig": {"KmsKeyId": key, "Outputs": []}, "RoleArn": own}
        request["ProcessingResources"]["ClusterConfig"].pop("VolumeKmsKeyId", None)
        assert rejected(aws.client("sagemaker"), request) == (
            "ValidationException",
            f"User: arn:aws:sts::123456789012:assumed-role/{own.rsplit('/', 1)[1]}/SageMaker "
            f"is not authorized to perform: {action} on resource: {key} "
            f"because no {kind} policy allows the {action} action",
        )


@pytest.mark.parametrize(
    "action",
    [
        "CreateNetworkInterface",
        "CreateNetworkInterfacePermission",
        "DeleteNetworkInterface",
        "DeleteNetworkInterfacePermission",
        "DescribeDhcpOptions",
        "DescribeNetworkInterfaces",
        "DescribeSecurityGroups",
        "DescribeSubnets",
        "DescribeVpcs",
    ],
)
def test_the_jobs_own_role_must_get_into_the_network(
    aws: boto3.Session, roles: Roles, request_: dict[str, Any], action: str
) -> None:
    own = roles.without(f"ec2:{action}")
    del request_["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"], request_["ProcessingOutputConfig"]

    code, message = rejected(aws.client("sagemaker"), {**request_, "RoleArn": own})

    assert code == "ValidationException"
    assert (
        f"/{own.rsplit('/', 1)[1]}/SageMaker is not authorized to perform: ec2:{action} on resource:"
        in message
    )
    del request_["NetworkConfig"]
    aws.client("sagemaker").create_processing_job(**{**request_, "RoleArn": own})


def test_a_step_that_is_denied_fails_with_the_reason(
    aws: boto3.Session, pipelines: Any, job: Callable[..., dict[str, Any]], outputs: dict[str, str]
) -> None:
    request = {**job(), "RoleArn": outputs["ProcessingJobRoleArn"], "ProcessingJobName": f"{PROJECT}-local"}
    name = f"denied-{uuid.uuid4().hex[:8]}"
    definition = {
        "Version": "2020-12-01",
        "Steps": [{"Name": "convert", "Type": "Processing", "Arguments": request}],
    }
    aws.client("sagemaker").create_pipeline(
        PipelineName=name,
        PipelineDefinition=json.dumps(definition),
        RoleArn=outputs["PipelineExecutionRoleArn"],
    )

    arn = pipelines.start(name)

    assert pipelines.wait(arn)["PipelineExecutionStatus"] == "Failed"
    reason = pipelines.steps(arn)["convert"]["FailureReason"]
    assert f"{PROJECT}-local-pipeline-execution/SageMaker is not authorized to perform" in reason
    assert "sagemaker:CreateProcessingJob" in reason
    assert "with an explicit deny" in reason


@pytest.mark.parametrize("name", ["job", f"{PROJECT}-local2", f"{PROJECT}-prod", "pipelines"])
def test_a_job_that_is_not_named_after_the_environment_is_denied(
    create: Create, request_: dict[str, Any], name: str
) -> None:
    reason = create({**request_, "ProcessingJobName": f"{name}-{uuid.uuid4().hex[:8]}"})
    assert "because no identity-based policy allows the sagemaker:CreateProcessingJob action" in reason


def test_a_step_whose_request_is_not_valid_fails_with_the_reason(
    pipelines: Any, job: Callable[..., dict[str, Any]]
) -> None:
    request = job(ProcessingOutputConfig={"KmsKeyId": "alias/nobodys", "Outputs": []})
    name = pipelines.create({"Name": "convert", "Type": "Processing", "Arguments": request})

    arn = pipelines.start(name)

    assert pipelines.wait(arn)["PipelineExecutionStatus"] == "Failed"
    reason = pipelines.steps(arn)["convert"]["FailureReason"]
    assert reason == (
        "ClientError: Failed to invoke sagemaker:CreateProcessingJob. Error Details: "
        "Invalid KMS key: Key 'alias/nobodys' does not exist"
    )
