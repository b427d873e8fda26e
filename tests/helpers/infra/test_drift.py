"""Drift of stacks: changes that are not deployed, and manual changes."""

import json
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from rich.console import Console

from helpers.errors import UserError
from helpers.infra.stacks import StackConfiguration, load_stacks, teardown
from helpers.infra.stacks.__main__ import main
from helpers.infra.stacks.deploy import deploy_all
from helpers.infra.stacks.drift import StackDrift, as_document, find_drift, show_drift
from helpers.infra.stacks.status import find_stack
from helpers.infra.stacks.waiting import Polling
from tests.infra_folder import write_project
from tests.quiet_console import QuietConsole

TEMPLATE = """
Parameters:
  ProjectName: {Type: String}
  Days: {Type: Number, Default: 7}
Resources:
  Key:
    Type: AWS::KMS::Key
    Properties:
      EnableKeyRotation: true
      KeyPolicy:
        Version: "2012-10-17"
        Statement:
          - {Sid: All, Effect: Allow, Principal: {AWS: "*"}, Action: "kms:*", Resource: "*"}
  Bucket:
    Type: AWS::S3::Bucket
    Properties:
      VersioningConfiguration: {Status: Enabled}
      BucketEncryption:
        ServerSideEncryptionConfiguration:
          - BucketKeyEnabled: true
            ServerSideEncryptionByDefault: {SSEAlgorithm: aws:kms, KMSMasterKeyID: !GetAtt Key.Arn}
      PublicAccessBlockConfiguration:
        {BlockPublicAcls: true, BlockPublicPolicy: true, IgnorePublicAcls: true, RestrictPublicBuckets: true}
      OwnershipControls: {Rules: [{ObjectOwnership: BucketOwnerEnforced}]}
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Sid: TlsOnly
            Effect: Deny
            Principal: "*"
            Action: s3:*
            Resource: !Sub "${Bucket.Arn}/*"
            Condition: {Bool: {aws:SecureTransport: "false"}}
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Sub ${ProjectName}-role
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Action: sts:AssumeRole, Principal: {Service: sagemaker.amazonaws.com}}]
  Rights:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      Roles: [!Ref Role]
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Action: s3:GetObject, Resource: "*"}]
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.77.0.0/16}}
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: Jobs
      VpcId: !Ref Vpc
      SecurityGroupEgress:
        - {Description: S3, IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 10.0.0.0/8}
  Within:
    Type: AWS::EC2::SecurityGroupEgress
    Properties:
      GroupId: !GetAtt Group.GroupId
      IpProtocol: "-1"
      DestinationSecurityGroupId: !GetAtt Group.GroupId
  Endpoint:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcId: !Ref Vpc
      VpcEndpointType: Gateway
      ServiceName: !Sub com.amazonaws.${AWS::Region}.s3
      RouteTableIds: []
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: "*", Action: s3:GetObject, Resource: "*"}]
  Log:
    Type: AWS::Logs::LogGroup
    Properties:
      LogGroupName: !Sub "/${ProjectName}/log"
      RetentionInDays: !Ref Days
      KmsKeyId: !GetAtt Key.Arn
  Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref ProjectName}}
Outputs:
  BucketName: {Value: !Ref Bucket}
  KeyArn: {Value: !GetAtt Key.Arn}
  PolicyArn: {Value: !Ref Rights}
  GroupId: {Value: !GetAtt Group.GroupId}
  EndpointId: {Value: !Ref Endpoint}
"""


class Project:
    def __init__(self, infra: Path, aws: boto3.Session):
        self.infra, self.aws = infra, aws
        self.name = f"drift-{uuid.uuid4().hex[:8]}"
        self.stack = f"{self.name}-local-all"
        self.cloudformation = aws.client("cloudformation")
        write_project(infra, self.name)
        self.template(TEMPLATE.replace("&policy", ""))
        self.parameters()

    def template(self, text: str) -> None:
        (self.infra / "all.yaml").write_text(text)

    def parameters(self, tags: dict[str, str] | None = None, **parameters: str) -> None:
        content = {"Stacks": ["all"], "Parameters": parameters, "Tags": tags or {}}
        (self.infra / "parameters" / "local.json").write_text(json.dumps(content))

    @property
    def stacks(self) -> tuple[StackConfiguration, ...]:
        return load_stacks("local", self.infra)

    def run(self, *arguments: str) -> int:
        return main([*arguments, "--env", "local", "--infra", str(self.infra)])

    def drift(self) -> StackDrift:
        (found,) = find_drift(self.cloudformation, self.aws.client("iam"), self.stacks)
        return found

    def outputs(self) -> dict[str, str]:
        (stack,) = self.cloudformation.describe_stacks(StackName=self.stack)["Stacks"]
        return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}


@pytest.fixture
def project(tmp_path: Path, aws: boto3.Session) -> Iterator[Project]:
    created = Project(tmp_path / "infra", aws)
    deploy_all(created.cloudformation, created.stacks, QuietConsole())
    yield created
    logs, log = aws.client("logs"), f"/{created.name}/log"
    if not logs.describe_log_groups(logGroupNamePrefix=log)["logGroups"]:
        logs.create_log_group(logGroupName=log)  # its deletion would fail
    teardown(aws, created.stacks, QuietConsole())


def test_what_has_just_been_deployed_has_no_drift(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert project.run("drift") == 0
    assert capsys.readouterr().out == "local: no drift in 1 stacks (11 of 11 resources compared).\n"
    assert project.run("drift", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "environment": "local",
        "drifted": False,
        "stacks": [{"name": project.stack, "changes": [], "resources": [], "not_compared": []}],
    }


def encryption_off(aws: boto3.Session, ids: dict[str, str]) -> None:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    aws.client("s3").put_bucket_encryption(
        Bucket=ids["BucketName"], ServerSideEncryptionConfiguration={"Rules": [rule]}
    )


def open_to_the_public(aws: boto3.Session, ids: dict[str, str]) -> None:
    block = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": False}
    aws.client("s3").put_public_access_block(
        Bucket=ids["BucketName"],
        PublicAccessBlockConfiguration={**block, "RestrictPublicBuckets": True},
    )


def without_versions(aws: boto3.Session, ids: dict[str, str]) -> None:
    aws.client("s3").put_bucket_versioning(
        Bucket=ids["BucketName"], VersioningConfiguration={"Status": "Suspended"}
    )


def without_bucket_policy(aws: boto3.Session, ids: dict[str, str]) -> None:
    aws.client("s3").delete_bucket_policy(Bucket=ids["BucketName"])


def other_bucket_policy(aws: boto3.Session, ids: dict[str, str]) -> None:
    s3, bucket = aws.client("s3"), ids["BucketName"]
    policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    policy["Statement"][0]["Action"] = "s3:PutObject"
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


def key_open_to_services(aws: boto3.Session, ids: dict[str, str]) -> None:
    kms, key = aws.client("kms"), ids["KeyArn"]
    policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    more = {"Effect": "Allow", "Principal": {"Service": "x"}, "Action": "kms:Decrypt", "Resource": "*"}
    policy["Statement"].append(more)
    kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))


def key_without_rotation(aws: boto3.Session, ids: dict[str, str]) -> None:
    aws.client("kms").disable_key_rotation(KeyId=ids["KeyArn"])


def key_scheduled_for_deletion(aws: boto3.Session, ids: dict[str, str]) -> None:
    aws.client("kms").schedule_key_deletion(KeyId=ids["KeyArn"].split("/")[1], PendingWindowInDays=7)


def other_trust(aws: boto3.Session, ids: dict[str, str]) -> None:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
    aws.client("iam").update_assume_role_policy(
        RoleName=ids["role"], PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )


def more_rights(aws: boto3.Session, ids: dict[str, str]) -> None:
    rights = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    aws.client("iam").create_policy_version(
        PolicyArn=ids["PolicyArn"],
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [rights]}),
        SetAsDefault=True,
    )


def without_rights(aws: boto3.Session, ids: dict[str, str]) -> None:
    aws.client("iam").detach_role_policy(RoleName=ids["role"], PolicyArn=ids["PolicyArn"])


def a_way_out(aws: boto3.Session, ids: dict[str, str]) -> None:
    aws.client("ec2").authorize_security_group_egress(
        GroupId=ids["GroupId"],
        IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        ],
    )


def without_rule(aws: boto3.Session, ids: dict[str, str]) -> None:
    group = ids["GroupId"]
    aws.client("ec2").revoke_security_group_egress(
        GroupId=group, IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}]
    )


def open_endpoint(aws: boto3.Session, ids: dict[str, str]) -> None:
    everything = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    aws.client("ec2").modify_vpc_endpoint(
        VpcEndpointId=ids["EndpointId"],
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [everything]}),
    )


def without_endpoint(aws: boto3.Session, ids: dict[str, str]) -> None:
    aws.client("ec2").delete_vpc_endpoints(VpcEndpointIds=[ids["EndpointId"]])


def other_retention(aws: boto3.Session, ids: dict[str, str]) -> None:
    aws.client("logs").put_retention_policy(logGroupName=ids["log"], retentionInDays=1)


def without_log(aws: boto3.Session, ids: dict[str, str]) -> None:
    aws.client("logs").delete_log_group(logGroupName=ids["log"])


_RULE = "/BucketEncryption/ServerSideEncryptionConfiguration/0"


@pytest.mark.parametrize(
    ("by_hand", "logical_id", "expected"),
    [
        (
            encryption_off,
            "Bucket",
            [
                f"{_RULE}/BucketKeyEnabled true false",
                f"{_RULE}/ServerSideEncryptionByDefault/SSEAlgorithm aws:kms AES256",
                f"{_RULE}/ServerSideEncryptionByDefault/KMSMasterKeyID KEY null",
            ],
        ),
        (open_to_the_public, "Bucket", ["/PublicAccessBlockConfiguration/BlockPublicPolicy true false"]),
        (without_versions, "Bucket", ["/VersioningConfiguration/Status Enabled Suspended"]),
        (without_bucket_policy, "Policy", None),
        (other_bucket_policy, "Policy", ["/PolicyDocument/Statement/0/Action s3:* s3:PutObject"]),
        (
            key_open_to_services,
            "Key",
            [
                '/KeyPolicy/Statement/1 null {"Effect": "Allow", "Principal": {"Service": "x"}, '
                '"Action": "kms:Decrypt", "Resource": "*"}'
            ],
        ),
        (key_without_rotation, "Key", ["/EnableKeyRotation true false"]),
        (key_scheduled_for_deletion, "Key", None),
        (
            other_trust,
            "Role",
            [
                "/AssumeRolePolicyDocument/Statement/0/Principal/Service "
                "sagemaker.amazonaws.com ec2.amazonaws.com"
            ],
        ),
        (more_rights, "Rights", ["/PolicyDocument/Statement/0/Action s3:GetObject s3:*"]),
        (without_rights, "Rights", ["/Roles/0 ROLE null"]),
        (
            a_way_out,
            "Group",
            [
                '/SecurityGroupEgress/1 null {"IpProtocol": "tcp", "FromPort": "80", "ToPort": "80", '
                '"CidrIp": "0.0.0.0/0"}'
            ],
        ),
        (without_rule, "Within", None),
        (open_endpoint, "Endpoint", ["/PolicyDocument/Statement/0/Action s3:GetObject *"]),
        (without_endpoint, "Endpoint", None),
        (other_retention, "Log", ["/RetentionInDays 7 1"]),
        (without_log, "Log", None),
    ],
)
def test_what_was_changed_by_hand_is_found(
    project: Project,
    by_hand: Callable[[boto3.Session, dict[str, str]], None],
    logical_id: str,
    expected: list[str] | None,
) -> None:
    """None stands for a missing resource."""
    ids = {**project.outputs(), "role": f"{project.name}-role", "log": f"/{project.name}/log"}
    by_hand(project.aws, ids)

    found = project.drift()

    assert found.changes == ()
    (resource,) = found.resources
    assert (resource.logical_id, resource.status) == (logical_id, "MODIFIED" if expected else "DELETED")
    found = [f"{each.path} {each.expected} {each.actual}" for each in resource.differences]
    known = [line.replace("KEY", ids["KeyArn"]).replace("ROLE", ids["role"]) for line in expected or []]
    assert found == known


def test_drift_is_reported_with_its_own_exit_code_and_nothing_is_left_behind(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.parameters(Days="14")
    without_versions(project.aws, project.outputs())
    sets_before = project.cloudformation.list_change_sets(StackName=project.stack)["Summaries"]

    assert project.run("drift") == 3

    shown = " ".join(capsys.readouterr().out.split())
    assert "│ Log │ AWS::Logs::LogGroup │ not deployed: change │ RetentionInDays │" in shown
    changed = "/VersioningConfiguration/Status: Enabled -> Suspended"
    assert f"│ Bucket │ AWS::S3::Bucket │ modified by hand │ {changed} │" in shown
    assert f"local: drift in {project.stack} (11 of 11 resources compared)." in shown
    assert project.cloudformation.list_change_sets(StackName=project.stack)["Summaries"] == sets_before

    assert project.run("drift", "--json") == 3
    document = json.loads(capsys.readouterr().out)
    assert document["drifted"] is True
    assert document["stacks"] == [
        {
            "name": project.stack,
            "changes": [
                {
                    "action": "change",
                    "logical_id": "Log",
                    "type": "AWS::Logs::LogGroup",
                    "what": "RetentionInDays",
                }
            ],
            "resources": [
                {
                    "logical_id": "Bucket",
                    "type": "AWS::S3::Bucket",
                    "status": "MODIFIED",
                    "differences": [
                        {
                            "path": "/VersioningConfiguration/Status",
                            "expected": "Enabled",
                            "actual": "Suspended",
                        }
                    ],
                }
            ],
            "not_compared": [],
        }
    ]


def test_other_tags_are_drift(project: Project) -> None:
    project.parameters(tags={"CostCenter": "another"})
    (change,) = project.drift().changes
    assert (change.action, change.logical_id, change.what) == (
        "change", project.stack, "outputs, tags or policies"
    )  # fmt: skip


def test_a_stack_that_is_missing_is_drift_and_none_is_begun(tmp_path: Path, aws: boto3.Session) -> None:
    project = Project(tmp_path / "infra", aws)
    second = "Parameters: {ProjectName: {Type: String}, GroupId: {Type: String}}\nResources: {}\n"
    (project.infra / "second.yaml").write_text(second)
    path = project.infra / "parameters" / "local.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "Stacks": ["all", "second"]}))

    first, other = find_drift(project.cloudformation, aws.client("iam"), project.stacks)

    assert [(each.action, each.what) for each in first.changes] == [("add", "the stack is missing")]
    assert [each.logical_id for each in other.changes] == [f"{project.name}-local-second"]
    assert find_stack(project.cloudformation, project.stack) is None
    assert project.run("drift") == 3


def test_a_stack_whose_predecessor_is_missing_waits_for_it(project: Project) -> None:
    (alone,) = project.stacks
    waiting = StackConfiguration("local", alone.name, alone.template, {}, {}, frozenset({"VpcId"}))
    (found,) = find_drift(project.cloudformation, project.aws.client("iam"), [waiting])
    assert [each.what for each in found.changes] == ["waits for VpcId of a stack that is missing"]


def test_a_creation_that_failed_is_drift(tmp_path: Path, aws: boto3.Session) -> None:
    project = Project(tmp_path / "infra", aws)
    broken = """Parameters: {ProjectName: {Type: String}, Environment: {Type: String}}
Resources: {Policy: {Type: AWS::S3::BucketPolicy, Properties: {Bucket: no-such-bucket, PolicyDocument: {}}}}
"""
    project.template(broken)
    with pytest.raises(UserError):
        deploy_all(project.cloudformation, project.stacks, QuietConsole())
    assert [each.what for each in project.drift().changes] == ["its creation failed: ROLLBACK_COMPLETE"]


def test_a_deletion_that_failed_is_drift_and_others_are_compared(project: Project) -> None:
    name = f"{project.name}-local-half-gone"
    template = "Resources: {Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.66.0.0/16}}}\n"
    template += "Outputs: {Id: {Value: !Ref Vpc}}"
    half_gone = StackConfiguration("local", name, template, {}, {})
    vpc = deploy_all(project.cloudformation, [half_gone], QuietConsole())["Id"]
    ec2 = project.aws.client("ec2")
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.66.0.0/24")["Subnet"]["SubnetId"]
    with pytest.raises(UserError):
        teardown(project.aws, [half_gone], QuietConsole())

    found = find_drift(project.cloudformation, project.aws.client("iam"), [half_gone, *project.stacks])

    assert [[each.what for each in stack.changes] for stack in found] == [
        ["its deletion failed: run make teardown"],
        [],
    ]
    assert found[1].compared == 11
    ec2.delete_subnet(SubnetId=subnet)
    teardown(project.aws, [half_gone], QuietConsole())


# --- what CloudFormation answers --------------------------------------------------------------------------

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def answered(stub: Stubber, *statuses: str, **more: str) -> None:
    """Respond like AWS for a stack without drift."""
    stack = {"StackName": "x", "StackStatus": "CREATE_COMPLETE", "CreationTime": NOW, "StackId": "arn"}
    stub.add_response("describe_stacks", {"Stacks": [stack]})
    stub.add_response("create_change_set", {"Id": "arn:change-set", "StackId": "arn:stack"})
    failed = {"Status": "FAILED", "StatusReason": "The submitted information didn't contain changes."}
    stub.add_response("describe_change_set", failed)
    stub.add_response("delete_change_set", {})
    stub.add_response("describe_stacks", {"Stacks": [stack]})
    stub.add_response("detect_stack_drift", {"StackDriftDetectionId": "1"})
    for status in statuses:
        shown = {"StackId": "arn", "StackDriftDetectionId": "1", "DetectionStatus": status, "Timestamp": NOW}
        stub.add_response("describe_stack_drift_detection_status", {**shown, **more})


CONFIGURATION = StackConfiguration("dev", "x", "{}", {}, {})


def resource_drift(name: str, status: str, **more: Any) -> dict[str, Any]:
    return {
        "StackId": "arn",
        "LogicalResourceId": name,
        "ResourceType": "T",
        "StackResourceDriftStatus": status,
        "Timestamp": NOW,
        **more,
    }


def stubbed() -> tuple[Any, Any]:
    """Clients of CloudFormation and IAM that return only prepared responses."""
    cloudformation, iam = (boto3.client(name) for name in ("cloudformation", "iam"))
    return cloudformation, iam


def listed(stub: Stubber, *roles: str) -> None:
    """Prepare the responses with the resources of a stack, for its drift and its roles, without outputs."""
    resources = {
        "StackResourceSummaries": [
            {
                "LogicalResourceId": name,
                "PhysicalResourceId": name.lower(),
                "ResourceType": "AWS::IAM::Role",
                "LastUpdatedTimestamp": NOW,
                "ResourceStatus": "CREATE_COMPLETE",
            }
            for name in roles
        ]
    }
    stub.add_response("list_stack_resources", resources)
    stub.add_client_error("describe_stacks", "ValidationError", "x does not exist")
    if roles:
        stub.add_response("list_stack_resources", resources)
        template = json.dumps({"Resources": {name: {"Type": "AWS::IAM::Role"} for name in roles}})
        stub.add_response("get_template", {"TemplateBody": template})


def test_detection_is_waited_for_and_read_page_by_page() -> None:
    cloudformation, iam = stubbed()
    with Stubber(cloudformation) as stub:
        answered(stub, "DETECTION_IN_PROGRESS", "DETECTION_IN_PROGRESS", "DETECTION_COMPLETE")
        stub.add_response(
            "describe_stack_resource_drifts",
            {"StackResourceDrifts": [resource_drift("A", "IN_SYNC")], "NextToken": "more"},
        )
        stub.add_response(
            "describe_stack_resource_drifts",
            {"StackResourceDrifts": [resource_drift("B", "DELETED"), resource_drift("C", "UNSUPPORTED")]},
            {"StackName": "x", "NextToken": "more"},
        )
        listed(stub)
        (found,) = find_drift(cloudformation, iam, [CONFIGURATION], Polling(interval=0))
        stub.assert_no_pending_responses()
    assert [(each.logical_id, each.status) for each in found.resources] == [("B", "DELETED")]
    assert found.compared == 2
    assert found.unchecked == ()


def test_what_cannot_be_read_is_reported_with_the_reason_and_does_not_count_as_no_drift(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cloudformation, iam = stubbed()
    with Stubber(cloudformation) as stub:
        answered(stub, "DETECTION_FAILED", DetectionStatusReason="Failed to detect drift on resource [Key]")
        unknown = resource_drift("Key", "UNKNOWN", DriftStatusReason="AccessDenied: kms:GetKeyPolicy")
        drifts = [unknown, resource_drift("Bucket", "MODIFIED"), resource_drift("Log", "IN_SYNC")]
        stub.add_response("describe_stack_resource_drifts", {"StackResourceDrifts": drifts})
        listed(stub)
        (found,) = find_drift(cloudformation, iam, [CONFIGURATION], Polling(interval=0))
        stub.assert_no_pending_responses()

    assert [(each.logical_id, each.reason) for each in found.unchecked] == [
        ("x", "Failed to detect drift on resource [Key]"),
        ("Key", "AccessDenied: kms:GetKeyPolicy"),
    ]
    assert [each.logical_id for each in found.resources] == ["Bucket"], "what could be read is reported"
    assert as_document("dev", [replace(found, resources=())])["drifted"] is True
    show_drift("dev", [replace(found, resources=())], Console(width=200))
    shown = " ".join(capsys.readouterr().out.split())
    assert "│ Key │ T │ not checked │ AccessDenied: kms:GetKeyPolicy │" in shown
    assert "no drift" not in shown
    assert "Not all of x could be checked" in shown


def test_a_detection_that_fails_as_a_whole_is_reported_too() -> None:
    cloudformation, iam = stubbed()
    with Stubber(cloudformation) as stub:
        answered(stub, "DETECTION_FAILED", DetectionStatusReason="Rate exceeded")
        never = "Drift detection has not been performed on stack [x]"
        stub.add_client_error("describe_stack_resource_drifts", "ValidationError", never)
        listed(stub)
        (found,) = find_drift(cloudformation, iam, [CONFIGURATION], Polling(interval=0))
    assert [each.reason for each in found.unchecked] == ["Rate exceeded"]
    assert found


def test_a_role_that_may_not_be_read_is_reported_and_one_that_is_gone_is_not() -> None:
    cloudformation, iam = stubbed()
    with Stubber(cloudformation) as stub, Stubber(iam) as of_iam:
        answered(stub, "DETECTION_COMPLETE")
        drifts = [resource_drift("A", "IN_SYNC"), resource_drift("B", "DELETED")]
        stub.add_response("describe_stack_resource_drifts", {"StackResourceDrifts": drifts})
        listed(stub, "A", "B")
        of_iam.add_client_error("list_role_policies", "AccessDenied", "not authorized: iam:ListRolePolicies")
        of_iam.add_client_error("list_role_policies", "NoSuchEntity", "there is no such role")
        (found,) = find_drift(cloudformation, iam, [CONFIGURATION], Polling(interval=0))
    assert [(each.logical_id, each.reason) for each in found.unchecked] == [
        ("A", "not authorized: iam:ListRolePolicies")
    ]
    assert [each.status for each in found.resources] == ["DELETED"]


# --- detection on the embedded AWS ------------------------------------------------------------------------


def test_some_resources_can_be_asked_about_alone(project: Project) -> None:
    aws = project.cloudformation
    aws.detect_stack_drift(StackName=project.stack, LogicalResourceIds=["Topic", "Bucket"])
    drifts = aws.describe_stack_resource_drifts(StackName=project.stack)["StackResourceDrifts"]
    assert {each["LogicalResourceId"]: each["StackResourceDriftStatus"] for each in drifts} == {
        "Bucket": "IN_SYNC",
        "Topic": "IN_SYNC",
    }
    filtered = aws.describe_stack_resource_drifts(
        StackName=project.stack, StackResourceDriftStatusFilters=["MODIFIED"]
    )
    assert filtered["StackResourceDrifts"] == []


def test_what_cannot_be_asked_is_rejected(project: Project) -> None:
    aws, error = project.cloudformation, project.cloudformation.exceptions.ClientError
    with pytest.raises(error, match="has not been performed"):
        aws.describe_stack_resource_drifts(StackName=project.stack)
    with pytest.raises(error, match=r"id \[unknown\] does not exist"):
        aws.describe_stack_drift_detection_status(StackDriftDetectionId="unknown")
    with pytest.raises(error, match="does not exist"):
        aws.detect_stack_drift(StackName="never-there")


def test_a_stack_that_waits_for_its_first_changes_is_not_compared(aws: boto3.Session) -> None:
    cloudformation, name = aws.client("cloudformation"), f"drift-{uuid.uuid4().hex[:8]}"
    body = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    cloudformation.create_change_set(
        StackName=name, ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=body
    )
    with pytest.raises(cloudformation.exceptions.ClientError, match="REVIEW_IN_PROGRESS state"):
        cloudformation.detect_stack_drift(StackName=name)
    cloudformation.delete_stack(StackName=name)
