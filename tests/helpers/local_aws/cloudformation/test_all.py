"""CloudFormation of the embedded AWS: where moto differs from AWS, it is AWS that is followed."""

import json
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from helpers.local_aws.cloudformation import backend
from helpers.local_aws.cloudformation.templates.language_extensions import expand_loops
from helpers.local_aws.cloudformation.templates.parameters import problem as parameter_problem
from helpers.local_aws.cloudformation.templates.references import dependencies, in_order, references


class Stack:
    """A stack of a test's own, changed by change sets."""

    def __init__(self, aws: boto3.Session):
        self.aws = aws
        self.client = aws.client("cloudformation")
        self.name = f"stack-{uuid.uuid4().hex[:8]}"
        self.id = self.name

    def change_set(self, kind: str, template: dict[str, Any], **parameters: str) -> Any:
        created = self.client.create_change_set(
            StackName=self.name,
            ChangeSetName=f"c-{uuid.uuid4()}",
            ChangeSetType=kind,
            TemplateBody=json.dumps(template),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        )
        self.id = created["StackId"]
        return self.client.describe_change_set(ChangeSetName=created["Id"])

    def deploy(self, template: dict[str, Any], kind: str = "CREATE", **parameters: str) -> str:
        change_set = self.change_set(kind, template, **parameters)
        self.client.execute_change_set(ChangeSetName=change_set["ChangeSetId"])
        return self.status()

    def update(self, template: dict[str, Any], **parameters: str) -> str:
        return self.deploy(template, "UPDATE", **parameters)

    def delete(self) -> str:
        self.client.delete_stack(StackName=self.id)
        return self.status()

    def status(self) -> str:
        return self.describe()["StackStatus"]

    def describe(self) -> Any:
        return self.client.describe_stacks(StackName=self.id)["Stacks"][0]

    def outputs(self) -> dict[str, str]:
        return {each["OutputKey"]: each["OutputValue"] for each in self.describe().get("Outputs", [])}

    def events(self, logical_id: str) -> list[tuple[str, str]]:
        events = self.client.describe_stack_events(StackName=self.id)["StackEvents"][::-1]
        return [
            (event["ResourceStatus"], event.get("ResourceStatusReason", ""))
            for event in events
            if event["LogicalResourceId"] == logical_id
        ]


@pytest.fixture
def stack(aws: boto3.Session) -> Stack:
    return Stack(aws)


def template(**resources: dict[str, Any]) -> dict[str, Any]:
    return {"Resources": resources}


def resource(resource_type: str, **properties: Any) -> dict[str, Any]:
    return {"Type": resource_type, "Properties": properties}


EMPTY_POLICY = {"Version": "2012-10-17", "Statement": []}
BUCKET = resource("AWS::S3::Bucket")
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
}
PARAMETRIZED = template(Bucket=BUCKET) | {"Parameters": {"P": {"Type": "String"}}}
KEY = resource("AWS::KMS::Key", KeyPolicy=EMPTY_POLICY)


def role(**properties: Any) -> dict[str, Any]:
    return resource("AWS::IAM::Role", AssumeRolePolicyDocument=EMPTY_POLICY, **properties)


# --- change sets ------------------------------------------------------------------------------------------


def test_outputs_and_exports_survive_change_sets(stack: Stack) -> None:
    export = f"{stack.name}-bucket"
    first = template(Bucket=BUCKET) | {
        "Outputs": {"Name": {"Value": {"Ref": "Bucket"}, "Export": {"Name": export}}}
    }
    stack.deploy(first)
    name = stack.outputs()["Name"]
    exports = {each["Name"]: each["Value"] for each in stack.client.list_exports()["Exports"]}
    assert exports[export] == name
    second = first | {"Outputs": {"Again": {"Value": {"Ref": "Bucket"}}}}
    stack.update(second)
    assert stack.outputs() == {"Again": name}
    assert export not in {each["Name"] for each in stack.client.list_exports()["Exports"]}


def test_another_stack_imports_what_one_exports(stack: Stack, aws: boto3.Session) -> None:
    exported = {"Name": {"Value": {"Ref": "Bucket"}, "Export": {"Name": f"{stack.name}-it"}}}
    stack.deploy(template(Bucket=BUCKET) | {"Outputs": exported})
    other = Stack(aws)
    tag = {"Key": "of", "Value": {"Fn::ImportValue": f"{stack.name}-it"}}
    assert other.deploy(template(Bucket=resource("AWS::S3::Bucket", Tags=[tag]))) == "CREATE_COMPLETE"


def test_an_empty_change_set_has_failed_and_is_not_executed(stack: Stack) -> None:
    stack.deploy(template(Bucket=BUCKET))
    empty = stack.change_set("UPDATE", template(Bucket=BUCKET))
    assert (empty["Status"], empty["ExecutionStatus"]) == ("FAILED", "UNAVAILABLE")
    assert "didn't contain changes" in empty["StatusReason"]
    with pytest.raises(ClientError, match="InvalidChangeSetStatus"):
        stack.client.execute_change_set(ChangeSetName=empty["ChangeSetId"])


def test_executing_a_change_set_makes_the_others_obsolete(stack: Stack) -> None:
    stack.deploy(template(A=BUCKET))
    one = stack.change_set("UPDATE", template(A=BUCKET, B=BUCKET))
    assert stack.update(template(A=BUCKET, C=BUCKET)) == "UPDATE_COMPLETE"
    with pytest.raises(ClientError, match="OBSOLETE"):
        stack.client.execute_change_set(ChangeSetName=one["ChangeSetId"])


def test_a_parameter_within_a_text_is_a_change(stack: Stack) -> None:
    tags = [{"Key": "x", "Value": {"Fn::Sub": "is ${Value}"}}]
    content = template(Bucket=resource("AWS::S3::Bucket", Tags=tags)) | {
        "Parameters": {"Value": {"Type": "String"}}
    }
    stack.deploy(content, Value="1")
    (change,) = stack.change_set("UPDATE", content, Value="2")["Changes"]
    assert change["ResourceChange"]["LogicalResourceId"] == "Bucket"


def test_a_replacement_reaches_what_refers_to_it(stack: Stack) -> None:
    def network(cidr: str) -> dict[str, Any]:
        return template(
            Subnet=resource("AWS::EC2::Subnet", VpcId={"Ref": "Vpc"}, CidrBlock="10.8.1.0/24"),
            Vpc=resource("AWS::EC2::VPC", CidrBlock=cidr),
            Table=resource("AWS::EC2::RouteTable", VpcId={"Ref": "Vpc"}),
            Association=resource(
                "AWS::EC2::SubnetRouteTableAssociation",
                SubnetId={"Ref": "Subnet"},
                RouteTableId={"Ref": "Table"},
            ),
        ) | {"Outputs": {"Vpc": {"Value": {"Ref": "Vpc"}}}}

    stack.deploy(network("10.8.0.0/16"))
    before = stack.outputs()["Vpc"]
    changes = stack.change_set("UPDATE", network("10.8.0.0/17"))["Changes"]
    assert {each["ResourceChange"]["Replacement"] for each in changes} == {"True"}
    assert len(changes) == 4
    assert stack.update(network("10.8.0.0/17")) == "UPDATE_COMPLETE"
    assert stack.outputs()["Vpc"] != before
    with pytest.raises(ClientError, match="InvalidVpcID"):
        stack.aws.client("ec2").describe_vpcs(VpcIds=[before])
    assert stack.delete() == "DELETE_COMPLETE"


@pytest.mark.parametrize(
    ("kind", "said"),
    [("CREATE", "already exists"), ("UPDATE", "ROLLBACK_COMPLETE state and can not be updated")],
)
def test_change_sets_that_the_stack_does_not_allow_are_refused(stack: Stack, kind: str, said: str) -> None:
    assert (
        stack.deploy(template(Role=role(ManagedPolicyArns=["arn:aws:iam::aws:policy/No"])))
        == "ROLLBACK_COMPLETE"
    )
    with pytest.raises(ClientError, match=said):
        stack.change_set(kind, template(Bucket=BUCKET))


def test_of_two_requests_that_come_at_once_the_second_finds_the_first_ones_stack(monkeypatch) -> None:
    """Both wait in the middle of creating one, for as long as it takes the other to come there, if it can."""
    both_there = threading.Barrier(2)

    def look_for_changes(*_: Any) -> tuple[list[Any], bool]:
        with suppress(threading.BrokenBarrierError):
            both_there.wait(timeout=0.5)
        return [], True

    monkeypatch.setattr(backend, "find_changes", look_for_changes)
    service = backend.Backend("us-east-1", "123456789012")
    with ThreadPoolExecutor(2) as pool:
        asked = [
            pool.submit(
                service.create_change_set, "s", name, json.dumps(template(Bucket=BUCKET)), {}, "CREATE"
            )
            for name in ("one", "two")
        ]

    assert {future.result()[1] for future in asked} == set(service.stacks)
    assert len(service.stacks) == 1


def test_a_change_set_that_is_not_there(stack: Stack) -> None:
    with pytest.raises(ClientError, match="ChangeSetNotFound"):
        stack.client.describe_change_set(ChangeSetName="arn:none", StackName=stack.name)
    stack.client.delete_change_set(ChangeSetName="arn:none", StackName=stack.name)


def test_stacks_without_change_sets_go_the_same_way(stack: Stack) -> None:
    parameters = [{"ParameterKey": "P", "ParameterValue": "1"}]
    stack.client.create_stack(
        StackName=stack.name, TemplateBody=json.dumps(PARAMETRIZED), Parameters=parameters
    )
    assert stack.status() == "CREATE_COMPLETE"
    with pytest.raises(ClientError, match="No updates are to be performed"):
        stack.client.update_stack(
            StackName=stack.name,
            TemplateBody=json.dumps(PARAMETRIZED),
            Parameters=parameters,
        )
    changed = template(Bucket=BUCKET, Key=KEY)
    stack.client.update_stack(StackName=stack.name, TemplateBody=json.dumps(changed))
    assert stack.status() == "UPDATE_COMPLETE"


# --- failures ---------------------------------------------------------------------------------------------


def test_a_failed_creation_is_rolled_back_with_its_reason(stack: Stack) -> None:
    broken = template(Bucket=BUCKET, Role=role(ManagedPolicyArns=["arn:aws:iam::aws:policy/No"])) | {
        "Outputs": {"Bucket": {"Value": {"Ref": "Bucket"}}}
    }
    assert stack.deploy(broken) == "ROLLBACK_COMPLETE"
    assert stack.events("Bucket")[-1][0] == "DELETE_COMPLETE"
    (status, reason) = stack.events("Role")[1]
    assert status == "CREATE_FAILED"
    assert "policy/No" in reason
    assert "[Role]" in dict(stack.events(stack.name))["ROLLBACK_IN_PROGRESS"]
    names = [bucket["Name"] for bucket in stack.aws.client("s3").list_buckets()["Buckets"]]
    assert not any(name.startswith(stack.name) for name in names)
    assert stack.client.list_stack_resources(StackName=stack.name)["StackResourceSummaries"] == []
    assert stack.outputs() == {}


def test_a_failed_update_is_rolled_back(stack: Stack) -> None:
    before = template(Bucket=resource("AWS::S3::Bucket", VersioningConfiguration={"Status": "Enabled"})) | {
        "Outputs": {"Bucket": {"Value": {"Ref": "Bucket"}}}
    }
    stack.deploy(before)
    bucket = stack.outputs()["Bucket"]
    after = template(
        Bucket=resource("AWS::S3::Bucket", VersioningConfiguration={"Status": "Suspended"}),
        Role=role(ManagedPolicyArns=["arn:aws:iam::aws:policy/No"]),
    )
    assert stack.update(after) == "UPDATE_ROLLBACK_COMPLETE"
    assert stack.aws.client("s3").get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert stack.outputs() == {"Bucket": bucket}


def test_a_bucket_with_objects_keeps_its_stack_and_its_key(stack: Stack) -> None:
    encryption = {
        "ServerSideEncryptionConfiguration": [
            {
                "ServerSideEncryptionByDefault": {
                    "SSEAlgorithm": "aws:kms",
                    "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]},
                }
            }
        ]
    }
    content = template(Bucket=resource("AWS::S3::Bucket", BucketEncryption=encryption), Key=KEY)
    outputs = {"Bucket": {"Value": {"Ref": "Bucket"}}, "Key": {"Value": {"Ref": "Key"}}}
    stack.deploy(content | {"Outputs": outputs})
    found, s3, kms = stack.outputs(), stack.aws.client("s3"), stack.aws.client("kms")
    s3.put_object(Bucket=found["Bucket"], Key="data", Body=b"")
    assert stack.delete() == "DELETE_FAILED"
    assert "not empty" in stack.events("Bucket")[-1][1]
    assert kms.describe_key(KeyId=found["Key"])["KeyMetadata"]["KeyState"] == "Enabled"
    s3.delete_object(Bucket=found["Bucket"], Key="data")
    assert stack.delete() == "DELETE_COMPLETE"
    assert kms.describe_key(KeyId=found["Key"])["KeyMetadata"]["KeyState"] == "PendingDeletion"


def test_to_look_at_a_deleted_stack_does_not_bring_it_back(stack: Stack) -> None:
    # Nobody has asked for the outputs while the stack was there.
    created = stack.change_set(
        "CREATE", template(Bucket=BUCKET) | {"Outputs": {"Bucket": {"Value": {"Ref": "Bucket"}}}}
    )
    stack.client.execute_change_set(ChangeSetName=created["ChangeSetId"])
    stack.client.delete_stack(StackName=stack.id)
    stack.client.list_stack_resources(StackName=stack.id)
    assert stack.outputs() == {}
    names = [each["Name"] for each in stack.aws.client("s3").list_buckets()["Buckets"]]
    assert not any(name.startswith(stack.name) for name in names)


def test_what_is_retained_is_skipped(stack: Stack) -> None:
    retained = {**BUCKET, "DeletionPolicy": {"Fn::If": ["Kept", "Retain", "Delete"]}}
    content = template(Bucket=retained) | {
        "Conditions": {"Kept": {"Fn::Equals": ["a", "a"]}},
        "Outputs": {"Bucket": {"Value": {"Ref": "Bucket"}}},
    }
    stack.deploy(content)
    bucket = stack.outputs()["Bucket"]
    processed = stack.client.get_template(StackName=stack.name, TemplateStage="Processed")["TemplateBody"]
    assert processed["Resources"]["Bucket"]["DeletionPolicy"] == "Retain"
    original = stack.client.get_template(StackName=stack.name)["TemplateBody"]
    assert original["Resources"]["Bucket"] == retained
    assert stack.delete() == "DELETE_COMPLETE"
    assert stack.events("Bucket")[-1][0] == "DELETE_SKIPPED"
    stack.aws.client("s3").head_bucket(Bucket=bucket)


# --- effects ----------------------------------------------------------------------------------------------


def test_what_is_not_emulated_is_said_by_name(stack: Stack) -> None:
    stack.deploy(
        template(
            Session=resource("AWS::Macie::Session"),
            Bucket=resource("AWS::S3::Bucket", WebsiteConfiguration={"IndexDocument": "x"}),
        )
    )
    assert stack.events("Session")[-1] == (
        "CREATE_COMPLETE",
        "not emulated: AWS::Macie::Session has no effect here",
    )
    assert stack.events("Bucket")[-1] == ("CREATE_COMPLETE", "not emulated: WebsiteConfiguration")


def test_an_update_that_moto_does_not_make_is_said_and_loses_nothing(stack: Stack) -> None:
    def file_system(mode: str) -> dict[str, Any]:
        return template(Files=resource("AWS::EFS::FileSystem", ThroughputMode=mode)) | {
            "Outputs": {"Id": {"Value": {"Ref": "Files"}}}
        }

    stack.deploy(file_system("bursting"))
    before = stack.outputs()
    assert stack.update(file_system("elastic")) == "UPDATE_COMPLETE"
    assert stack.events("Files")[-1] == ("UPDATE_COMPLETE", "not emulated: ThroughputMode")
    assert stack.outputs() == before
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_log_group_has_its_key_and_its_retention(stack: Stack) -> None:
    def log_group(days: int) -> dict[str, Any]:
        key = resource("AWS::KMS::Key", KeyPolicy={"Version": "2012-10-17", "Statement": []})
        properties = {
            "LogGroupName": f"/{stack.name}",
            "RetentionInDays": days,
            "KmsKeyId": {"Fn::GetAtt": ["Key", "Arn"]},
        }
        return template(Key=key, Group=resource("AWS::Logs::LogGroup", **properties)) | {
            "Outputs": {"Arn": {"Value": {"Fn::GetAtt": ["Group", "Arn"]}}}
        }

    stack.deploy(log_group(7))
    assert stack.update(log_group(14)) == "UPDATE_COMPLETE"
    (group,) = stack.aws.client("logs").describe_log_groups(logGroupNamePrefix=f"/{stack.name}")["logGroups"]
    assert group["retentionInDays"] == 14
    assert group["kmsKeyId"].startswith("arn:aws:kms:")
    assert stack.outputs()["Arn"].endswith(f":log-group:/{stack.name}:*")


def test_loops_run_over_parameters_and_functions_name_resources(stack: Stack) -> None:
    loop = ["Use", {"Ref": "Uses"}, {"${Use}Topic": resource("AWS::SNS::Topic")}]
    outputs = ["Use", {"Ref": "Uses"}, {"${Use}Arn": {"Value": {"Ref": {"Fn::Sub": "${Use}Topic"}}}}]
    text = {
        "Transform": "AWS::LanguageExtensions",
        "Parameters": {
            "Uses": {"Type": "CommaDelimitedList", "Default": "Data,Log", "AllowedPattern": "[A-Z]+[a-z]*"}
        },
        "Resources": {"Fn::ForEach::Topics": loop},
        "Outputs": {"Fn::ForEach::Arns": outputs},
    }
    stack.deploy(text)
    assert stack.outputs().keys() == {"DataArn", "LogArn"}
    stack.update(text, Uses="Data,Code")
    assert stack.outputs().keys() == {"DataArn", "CodeArn"}
    with pytest.raises(ClientError, match="Uses failed to satisfy"):
        stack.change_set("UPDATE", text, Uses="Data,code")


def test_rules_are_checked_before_anything_is_created(stack: Stack) -> None:
    text = {
        **template(Topic=resource("AWS::SNS::Topic")),
        "Parameters": {"One": {"Type": "String", "Default": ""}, "Other": {"Type": "String", "Default": ""}},
        "Rules": {
            "Together": {
                "RuleCondition": {"Fn::Not": [{"Fn::Equals": [{"Ref": "One"}, ""]}]},
                "Assertions": [
                    {
                        "Assert": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Other"}, ""]}]},
                        "AssertDescription": "Other goes with One",
                    }
                ],
            }
        },
    }
    with pytest.raises(ClientError, match="Other goes with One"):
        stack.change_set("CREATE", text, One="1")
    assert stack.deploy(text, One="1", Other="2") == "CREATE_COMPLETE"


def test_a_list_has_no_hole_where_there_is_no_value_and_addresses_are_worked_out(stack: Stack) -> None:
    subnets = {"Fn::Cidr": [{"Ref": "Range"}, 4, 13]}
    topic = resource(
        "AWS::SNS::Topic",
        DisplayName={"Fn::Join": ["-", [{"Ref": "AWS::NoValue"}, {"Fn::Select": ["1", subnets]}]]},
    )
    text = {
        **template(Topic=topic),
        "Transform": "AWS::LanguageExtensions",
        "Parameters": {"Range": {"Type": "String", "Default": "10.1.0.0/16"}},
        "Outputs": {"Arn": {"Value": {"Ref": "Topic"}}},
    }
    stack.deploy(text)
    attributes = stack.aws.client("sns").get_topic_attributes(TopicArn=stack.outputs()["Arn"])["Attributes"]
    assert attributes["DisplayName"] == "10.1.32.0/19"


def test_a_policy_with_conditions_is_stored_and_does_not_deny_everything(stack: Stack) -> None:
    def statement(condition: dict[str, Any]) -> dict[str, Any]:
        objects = {"Fn::Sub": "arn:aws:s3:::${Bucket}/*"}
        return {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": objects,
            **condition,
        }

    def content(condition: dict[str, Any]) -> dict[str, Any]:
        document = {"Version": "2012-10-17", "Statement": [statement(condition)]}
        policy = resource("AWS::S3::BucketPolicy", Bucket={"Ref": "Bucket"}, PolicyDocument=document)
        return template(Bucket=BUCKET, Policy=policy) | {"Outputs": {"Bucket": {"Value": {"Ref": "Bucket"}}}}

    stack.deploy(content({"Condition": {"Bool": {"aws:SecureTransport": "false"}}}))
    s3, bucket = stack.aws.client("s3"), stack.outputs()["Bucket"]
    s3.put_object(Bucket=bucket, Key="a", Body=b"")
    s3.get_object(Bucket=bucket, Key="a")
    assert stack.update(content({})) == "UPDATE_COMPLETE"
    with pytest.raises(ClientError, match=r"403|Forbidden|AccessDenied"):
        s3.get_object(Bucket=bucket, Key="a")
    assert stack.update(template(Bucket=BUCKET)) == "UPDATE_COMPLETE"
    with pytest.raises(ClientError, match="NoSuchBucketPolicy"):
        s3.get_bucket_policy(Bucket=bucket)


def test_bucket_properties_that_are_taken_away_are_gone(stack: Stack) -> None:
    expiring = {"Id": "x", "Status": "Enabled", "ExpirationInDays": 3}
    full = resource(
        "AWS::S3::Bucket",
        PublicAccessBlockConfiguration={"BlockPublicAcls": True},
        LifecycleConfiguration={"Rules": [expiring]},
        OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    )
    output = {"Outputs": {"Bucket": {"Value": {"Ref": "Bucket"}}}}
    stack.deploy(template(Bucket=full) | output)
    s3, bucket = stack.aws.client("s3"), stack.outputs()["Bucket"]
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"][0]["Expiration"]["Days"] == 3
    stack.update(template(Bucket=BUCKET) | output)
    for ask in (
        s3.get_public_access_block,
        s3.get_bucket_ownership_controls,
        s3.get_bucket_lifecycle_configuration,
    ):
        with pytest.raises(ClientError, match=r"NoSuch|NotFound"):
            ask(Bucket=bucket)


def test_rules_of_a_security_group_change_in_place(stack: Stack) -> None:
    def content(port: int) -> dict[str, Any]:
        rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": "10.0.0.0/8"}
        group = {"Fn::GetAtt": ["Group", "GroupId"]}
        return template(
            Vpc=resource("AWS::EC2::VPC", CidrBlock="10.7.0.0/16"),
            Group=resource(
                "AWS::EC2::SecurityGroup",
                GroupDescription="x",
                VpcId={"Ref": "Vpc"},
                SecurityGroupEgress=[rule],
                SecurityGroupIngress=[rule],
            ),
            Open=resource("AWS::EC2::SecurityGroup", GroupDescription="y", VpcId={"Ref": "Vpc"}),
            Own=resource(
                "AWS::EC2::SecurityGroupEgress",
                GroupId=group,
                IpProtocol="-1",
                DestinationSecurityGroupId=group,
            ),
        ) | {"Outputs": {"Group": {"Value": group}, "Open": {"Value": {"Ref": "Open"}}}}

    def ports(group_id: str, direction: str) -> list[int | None]:
        groups = stack.aws.client("ec2").describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
        return [rule.get("FromPort") for rule in groups[0][direction]]

    stack.deploy(content(80))
    group = stack.outputs()["Group"]
    assert ports(group, "IpPermissionsEgress") == [80, None]
    assert ports(stack.outputs()["Open"], "IpPermissionsEgress") == [None], (
        "AWS opens a group that says nothing"
    )
    assert stack.update(content(81)) == "UPDATE_COMPLETE"
    assert stack.outputs()["Group"] == group
    assert sorted(ports(group, "IpPermissionsEgress"), key=str) == [81, None]
    assert ports(group, "IpPermissions") == [81]
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_role_changes_its_policies_and_goes_with_what_is_attached(stack: Stack) -> None:
    def content(name: str, arns: list[Any]) -> dict[str, Any]:
        policy = {"PolicyName": name, "PolicyDocument": POLICY}
        managed = resource("AWS::IAM::ManagedPolicy", PolicyDocument=POLICY)
        return template(Role=role(Policies=[policy], ManagedPolicyArns=arns), Managed=managed) | {
            "Outputs": {"Role": {"Value": {"Ref": "Role"}}, "Managed": {"Value": {"Ref": "Managed"}}}
        }

    iam = stack.aws.client("iam")
    stack.deploy(content("one", [{"Ref": "Managed"}]))
    outputs = stack.outputs()
    attached = iam.list_attached_role_policies(RoleName=outputs["Role"])["AttachedPolicies"]
    assert [each["PolicyArn"] for each in attached] == [outputs["Managed"]]
    stack.update(content("two", []))
    assert iam.list_role_policies(RoleName=outputs["Role"])["PolicyNames"] == ["two"]
    assert iam.list_attached_role_policies(RoleName=outputs["Role"])["AttachedPolicies"] == []
    iam.attach_role_policy(RoleName=outputs["Role"], PolicyArn=outputs["Managed"])
    assert stack.delete() == "DELETE_COMPLETE"
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.get_policy(PolicyArn=outputs["Managed"])


def test_a_managed_policy_is_detached_before_it_is_deleted(stack: Stack) -> None:
    managed = resource("AWS::IAM::ManagedPolicy", PolicyDocument=POLICY, Roles=[{"Ref": "Role"}])
    stack.deploy(template(Managed=managed, Role=role()))
    assert stack.delete() == "DELETE_COMPLETE"


def test_tags_of_the_stack_reach_resources_also_when_only_they_change(stack: Stack) -> None:
    content = template(Bucket=BUCKET) | {"Outputs": {"Bucket": {"Value": {"Ref": "Bucket"}}}}
    stack.deploy(content)
    created = stack.client.create_change_set(
        StackName=stack.name,
        ChangeSetName="tags",
        TemplateBody=json.dumps(content),
        ChangeSetType="UPDATE",
        Tags=[{"Key": "team", "Value": "data"}],
    )
    stack.client.execute_change_set(ChangeSetName=created["Id"])
    tags = stack.aws.client("s3").get_bucket_tagging(Bucket=stack.outputs()["Bucket"])["TagSet"]
    assert {"Key": "team", "Value": "data"} in tags


# --- templates --------------------------------------------------------------------------------------------


def test_loops_are_unrolled_in_keys_texts_and_references() -> None:
    loop = [
        "Name",
        ["a.b", "c"],
        {"X&{Name}": {"Is": "${Name}", "R": {"Ref": "Name"}, "Z": {"Ref": "Other"}}},
    ]
    assert expand_loops({"Fn::ForEach::Loop": loop, "Other": [1]}) == {
        "Xab": {"Is": "a.b", "R": "a.b", "Z": {"Ref": "Other"}},
        "Xc": {"Is": "c", "R": "c", "Z": {"Ref": "Other"}},
        "Other": [1],
    }


def test_references_are_found_in_all_functions() -> None:
    part = {
        "DependsOn": ["A", "B"],
        "Properties": [
            {"Ref": "C"},
            {"Fn::GetAtt": ["D", "Arn"]},
            {"Fn::Sub": "${E.Arn} ${!Literal} ${F}"},
            {"Fn::Sub": ["${G}", {"x": {"Ref": "H"}}]},
        ],
    }
    assert set(references(part)) == set("ABCDEFGH")
    assert list(references({"DependsOn": "A"})) == ["A"]


@given(st.lists(st.sets(st.integers(0, 9)), min_size=10, max_size=10), st.randoms())
def test_resources_come_after_what_they_refer_to(edges: list[set[int]], random: Any) -> None:
    # References to smaller numbers only: no circles, which CloudFormation refuses.
    resources = {
        str(name): {"DependsOn": [str(other) for other in others if other < name]}
        for name, others in enumerate(edges)
    }
    names = list(resources)
    random.shuffle(names)
    ordered = in_order({name: resources[name] for name in names})
    assert sorted(ordered) == sorted(names)
    for name in names:
        assert all(ordered.index(other) < ordered.index(name) for other in dependencies(resources, name))


RULES = {
    "Parameters": {
        "Size": {"Type": "Number", "MinValue": 1, "MaxValue": 5, "Default": 2},
        "Name": {"Type": "String", "AllowedPattern": "[a-z]+", "ConstraintDescription": "small letters"},
        "Kind": {"Type": "String", "AllowedValues": ["x", "y"], "Default": "x"},
    }
}


@pytest.mark.parametrize(
    ("given_parameters", "said"),
    [
        ({"Name": "a"}, None),
        ({"Name": "a", "Size": "5", "Kind": "y"}, None),
        ({}, "[Name] must have values"),
        ({"Name": "a", "Other": "1"}, "[Other] do not exist"),
        ({"Name": "A"}, "small letters"),
        ({"Name": "a", "Kind": "z"}, "must be one of AllowedValues: [x, y]"),
        ({"Name": "a", "Size": "many"}, "must be a number"),
        ({"Name": "a", "Size": "6"}, "from 1 to 5"),
    ],
)
def test_parameters_are_held_against_their_constraints(
    given_parameters: dict[str, str], said: str | None
) -> None:
    problem = parameter_problem(RULES, given_parameters)
    assert problem is None if said is None else said in (problem or "")


# --- types of its own -------------------------------------------------------------------------------------


def test_a_topic_has_the_policy_of_the_template_until_it_goes(stack: Stack) -> None:
    topic = resource("AWS::SNS::Topic")
    policy = resource("AWS::SNS::TopicPolicy", Topics=[{"Ref": "Topic"}], PolicyDocument=POLICY)
    outputs = {"Outputs": {"Arn": {"Value": {"Ref": "Topic"}}}}

    def policy_of_topic() -> Any:
        sns = stack.aws.client("sns")
        attributes = sns.get_topic_attributes(TopicArn=stack.outputs()["Arn"])["Attributes"]
        return json.loads(attributes["Policy"])

    stack.deploy(template(Topic=topic) | outputs)
    before = policy_of_topic()
    stack.update(template(Topic=topic, Policy=policy) | outputs)
    assert policy_of_topic() == POLICY
    stack.update(template(Topic=topic) | outputs)
    assert policy_of_topic() == before


def test_a_trail_records_the_events_that_it_is_told(stack: Stack) -> None:
    trail = resource(
        "AWS::CloudTrail::Trail",
        IsLogging=True,
        S3BucketName={"Ref": "Bucket"},
        TrailName=f"trail-{stack.name}",
        AdvancedEventSelectors=[
            {"Name": "data", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}
        ],
    )
    cloudtrail = stack.aws.client("cloudtrail")
    assert stack.deploy(template(Bucket=BUCKET, Trail=trail)) == "CREATE_COMPLETE"
    assert cloudtrail.get_trail_status(Name=f"trail-{stack.name}")["IsLogging"]
    selectors = cloudtrail.get_event_selectors(TrailName=f"trail-{stack.name}")["AdvancedEventSelectors"]
    assert selectors[0]["Name"] == "data"
    trail["Properties"]["IsLogging"] = False
    assert stack.update(template(Bucket=BUCKET, Trail=trail)) == "UPDATE_COMPLETE"
    assert not cloudtrail.get_trail_status(Name=f"trail-{stack.name}")["IsLogging"]
    assert stack.delete() == "DELETE_COMPLETE"
    assert f"trail-{stack.name}" not in [each["Name"] for each in cloudtrail.list_trails()["Trails"]]


def test_the_default_group_of_a_vpc_is_closed_by_its_association(stack: Stack) -> None:
    closed = resource(
        "AWS::SSM::Association",
        Name="AWSConfigRemediation-RemoveVPCDefaultSecurityGroupRules",
        Parameters={"GroupId": [{"Fn::GetAtt": ["Vpc", "DefaultSecurityGroup"]}]},
    )
    vpc = resource("AWS::EC2::VPC", CidrBlock="10.3.0.0/16")
    outputs = {"Outputs": {"Group": {"Value": {"Fn::GetAtt": ["Vpc", "DefaultSecurityGroup"]}}}}
    stack.deploy(template(Vpc=vpc, Closed=closed) | outputs)

    groups = stack.aws.client("ec2").describe_security_groups(GroupIds=[stack.outputs()["Group"]])
    (group,) = groups["SecurityGroups"]

    assert (group["GroupName"], group["IpPermissions"], group["IpPermissionsEgress"]) == ("default", [], [])


def test_another_document_of_systems_manager_is_refused(stack: Stack) -> None:
    association = resource("AWS::SSM::Association", Name="AWS-RunShellScript", Parameters={})
    assert stack.deploy(template(A=association)) == "ROLLBACK_COMPLETE"
    assert stack.events("A")[1] == ("CREATE_FAILED", "not emulated: the document AWS-RunShellScript")


def test_a_number_is_compared_as_the_text_that_it_is(stack: Stack) -> None:
    document = template(Bucket={**BUCKET, "Condition": "HasMore"}) | {
        "Parameters": {"Count": {"Type": "Number", "Default": 0}},
        "Conditions": {"HasMore": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Count"}, "0"]}]}},
    }
    stack.deploy(document | {"Resources": {**document["Resources"], "Key": KEY}})
    assert not stack.events("Bucket")


def test_a_network_interface_keeps_its_subnet_and_a_group_its_vpc(stack: Stack) -> None:
    subnet = resource("AWS::EC2::Subnet", VpcId={"Ref": "Vpc"}, CidrBlock="10.4.0.0/24")
    vpc = resource("AWS::EC2::VPC", CidrBlock="10.4.0.0/16")
    outputs = {"Outputs": {"Subnet": {"Value": {"Ref": "Subnet"}}, "Vpc": {"Value": {"Ref": "Vpc"}}}}
    stack.deploy(template(Vpc=vpc, Subnet=subnet) | outputs)
    ec2, found = stack.aws.client("ec2"), stack.outputs()
    group = ec2.create_security_group(GroupName="g", Description="g", VpcId=found["Vpc"])["GroupId"]
    interface = ec2.create_network_interface(SubnetId=found["Subnet"], Groups=[group])["NetworkInterface"]

    assert stack.delete() == "DELETE_FAILED"
    assert "has dependencies" in stack.events("Subnet")[-1][1]
    ec2.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])
    assert stack.delete() == "DELETE_FAILED"
    assert "has dependencies" in stack.events("Vpc")[-1][1]
    ec2.delete_security_group(GroupId=group)
    assert stack.delete() == "DELETE_COMPLETE"
