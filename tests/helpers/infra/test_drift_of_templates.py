"""Drift of the repository's own templates: each resource type in them, changed manually."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from helpers.aws import Session
from helpers.infra.stacks import StackConfiguration
from helpers.infra.stacks.deploy import deploy_all
from helpers.infra.stacks.drift import ResourceDrift, StackDrift, find_drift
from helpers.infra.stacks.regional_values import with_regional_values
from helpers.infra.stacks.status import stack_resources
from helpers.local_aws import lifecycle
from tests.infra_folder import TEMPLATES, every_stack
from tests.process_environment import restored_environment
from tests.quiet_console import QuietConsole

ACCOUNT = "123456789012"
DNS = ("FirewallDomainList", "FirewallRuleGroup", "FirewallRuleGroupAssociation")
DNS_LOGS = ("ResolverQueryLoggingConfig", "ResolverQueryLoggingConfigAssociation")
NOT_COMPARED = {
    "AWS::SSM::Association",
    *(f"AWS::Route53Resolver::{name}" for name in (*DNS, *DNS_LOGS)),
}
"""Resources that cannot be changed here: the embedded AWS has no API for associations and the resolver."""


@dataclass(frozen=True)
class Deployed:
    """All stacks of the templates on a separate embedded AWS, because these tests break resources."""

    aws: boto3.Session
    stacks: dict[str, StackConfiguration]
    """The stack of each resource."""
    types: dict[str, str]
    ids: dict[str, str]
    at_first: list[StackDrift]
    statuses: dict[str, str]

    def drift(self, name: str) -> dict[str, ResourceDrift]:
        """Return the drift of the stack with a resource."""
        stacks = [self.stacks[name]]
        (found,) = find_drift(self.aws.client("cloudformation"), self.aws.client("iam"), stacks)
        return {each.logical_id: each for each in found.resources}

    def client(self, name: Any) -> Any:
        return self.aws.client(name)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("local_aws")
    server, _ = lifecycle.up(folder, port=0)
    with restored_environment():
        os.environ.update(server.environment())
        aws = Session()
        stacks = with_regional_values(aws.client("ec2"), every_stack("drift"))
        cloudformation = aws.client("cloudformation")
        outputs = deploy_all(cloudformation, stacks, QuietConsole())
        at_first = find_drift(cloudformation, aws.client("iam"), stacks)
        resources = [
            (stack.with_outputs(outputs), each)
            for stack in stacks
            for each in stack_resources(cloudformation, stack.name)
        ]
        statuses = {
            each["LogicalResourceId"]: each["StackResourceDriftStatus"]
            for stack in stacks
            for each in cloudformation.describe_stack_resource_drifts(StackName=stack.name)[
                "StackResourceDrifts"
            ]
        }
        yield Deployed(
            aws,
            {each["LogicalResourceId"]: stack for stack, each in resources},
            {each["LogicalResourceId"]: each["ResourceType"] for _, each in resources},
            {each["LogicalResourceId"]: each["PhysicalResourceId"] for _, each in resources},
            at_first,
            statuses,
        )
    lifecycle.down(folder)


EVERYTHING = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)
OPEN = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
    }
)
TRUSTS_ALL = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}],
    }
)


def disassociate(there: Deployed, *subnets: str) -> None:
    ec2 = there.client("ec2")
    (table,) = ec2.describe_route_tables(RouteTableIds=[there.ids["PrivateRouteTable"]])["RouteTables"]
    for each in table["Associations"]:
        if not each["Main"] and (not subnets or each["SubnetId"] in subnets):
            ec2.disassociate_route_table(AssociationId=each["RouteTableAssociationId"])


def delete_route_table(there: Deployed) -> None:
    disassociate(there)
    there.client("ec2").delete_route_table(RouteTableId=there.ids["PrivateRouteTable"])


def revoke(there: Deployed, side: str) -> None:
    group = there.ids["ProcessingSecurityGroup"]
    named = {"GroupId": group, "Description": "Instances of a job among themselves"}
    rule = {"IpProtocol": "-1", "UserIdGroupPairs": [named]}
    getattr(there.client("ec2"), f"revoke_security_group_{side}")(GroupId=group, IpPermissions=[rule])


def a_way_out(there: Deployed) -> None:
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    there.client("ec2").authorize_security_group_egress(
        GroupId=there.ids["ProcessingSecurityGroup"], IpPermissions=[rule]
    )


def open_topic(there: Deployed) -> None:
    there.client("sns").set_topic_attributes(
        TopicArn=there.ids["AlarmTopic"], AttributeName="Policy", AttributeValue=OPEN
    )


def plain_topic(there: Deployed) -> None:
    there.client("sns").set_topic_attributes(
        TopicArn=there.ids["AlarmTopic"], AttributeName="KmsMasterKeyId", AttributeValue=""
    )


def other_rights(there: Deployed) -> None:
    there.client("iam").create_policy_version(
        PolicyArn=there.ids["ReadPolicy"], PolicyDocument=EVERYTHING, SetAsDefault=True
    )


def inline_rights(there: Deployed) -> None:
    there.client("iam").put_role_policy(
        RoleName=there.ids["ProcessingJobRole"], PolicyName="more", PolicyDocument=EVERYTHING
    )


def others_rights(there: Deployed) -> None:
    """Attach a new policy that is not part of the templates."""
    iam = there.client("iam")
    policy = iam.create_policy(PolicyName="by-hand", PolicyDocument=EVERYTHING)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=there.ids["DeployRole"], PolicyArn=policy)


def other_trust(there: Deployed) -> None:
    there.client("iam").update_assume_role_policy(
        RoleName=there.ids["PipelineExecutionRole"], PolicyDocument=TRUSTS_ALL
    )


def other_dashboard(there: Deployed) -> None:
    name = there.client("cloudwatch").list_dashboards()["DashboardEntries"][0]["DashboardName"]
    there.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody='{"widgets": []}')


Case = tuple[str, Callable[[Deployed], object], str]
CASES: list[Case] = [
    (
        "MonthlyBudget",
        lambda it: it.client("budgets").delete_budget(AccountId=ACCOUNT, BudgetName=it.ids["MonthlyBudget"]),
        "DELETED",
    ),
    (
        "DataEventsTrail",
        lambda it: it.client("cloudtrail").stop_logging(Name=it.ids["DataEventsTrail"]),
        "/IsLogging true false",
    ),
    ("Dashboard", other_dashboard, "/DashboardBody"),
    (
        "FlowLog",
        lambda it: it.client("ec2").delete_flow_logs(FlowLogIds=[it.ids["FlowLog"]]),
        "DELETED",
    ),
    ("PrivateSubnet0Routes", lambda it: disassociate(it, it.ids["PrivateSubnet0"]), "DELETED"),
    ("PrivateRouteTable", delete_route_table, "DELETED"),
    ("ProcessingSecurityGroup", a_way_out, "/SecurityGroupEgress/2 null"),
    ("ProcessingEgressToItself", lambda it: revoke(it, "egress"), "DELETED"),
    ("ProcessingIngressFromItself", lambda it: revoke(it, "ingress"), "DELETED"),
    (
        "PrivateSubnet0",
        lambda it: it.client("ec2").modify_subnet_attribute(
            SubnetId=it.ids["PrivateSubnet0"], MapPublicIpOnLaunch={"Value": True}
        ),
        "/MapPublicIpOnLaunch false true",
    ),
    (
        "Vpc",
        lambda it: it.client("ec2").modify_vpc_attribute(
            VpcId=it.ids["Vpc"], EnableDnsHostnames={"Value": False}
        ),
        "/EnableDnsHostnames true false",
    ),
    (
        "S3Endpoint",
        lambda it: it.client("ec2").modify_vpc_endpoint(
            VpcEndpointId=it.ids["S3Endpoint"], PolicyDocument=OPEN
        ),
        "/PolicyDocument/Statement/0",
    ),
    (
        "FailedJobs",
        lambda it: it.client("events").remove_targets(Rule=it.ids["FailedJobs"], Ids=["alarms"]),
        "/Targets/0",
    ),
    ("ReadPolicy", other_rights, "/PolicyDocument/Statement/0"),
    (
        "GitHubProvider",
        lambda it: it.client("iam").delete_open_id_connect_provider(
            OpenIDConnectProviderArn=it.ids["GitHubProvider"]
        ),
        "DELETED",
    ),
    ("ProcessingJobRole", inline_rights, "/Policies null more"),
    ("DeployRole", others_rights, f"/ManagedPolicyArns null arn:aws:iam::{ACCOUNT}:policy/by-hand"),
    ("PipelineExecutionRole", other_trust, "/AssumeRolePolicyDocument/Statement/0"),
    (
        "DataKeyAlias",
        lambda it: it.client("kms").update_alias(
            AliasName=it.ids["DataKeyAlias"], TargetKeyId=it.ids["VolumeKey"]
        ),
        "/TargetKeyId",
    ),
    (
        "LogKey",
        lambda it: it.client("kms").disable_key_rotation(KeyId=it.ids["LogKey"]),
        "/EnableKeyRotation true false",
    ),
    (
        "FlowLogGroup",
        lambda it: it.client("logs").delete_retention_policy(logGroupName=it.ids["FlowLogGroup"]),
        "/RetentionInDays 30 null",
    ),
    (
        "DataBucket",
        lambda it: it.client("s3").delete_bucket_lifecycle(Bucket=it.ids["DataBucket"]),
        "/LifecycleConfiguration/Rules/0",
    ),
    (
        "DataBucketPolicy",
        lambda it: it.client("s3").delete_bucket_policy(Bucket=it.ids["DataBucket"]),
        "DELETED",
    ),
    # begin: Studio
    (
        "StudioDomain",
        lambda it: it.client("sagemaker").update_domain(
            DomainId=it.ids["StudioDomain"], AppNetworkAccessType="PublicInternetOnly"
        ),
        "/AppNetworkAccessType VpcOnly PublicInternetOnly",
    ),
    (
        "StudioUserProfile",
        lambda it: it.client("sagemaker").delete_user_profile(
            DomainId=it.ids["StudioDomain"], UserProfileName=it.ids["StudioUserProfile"]
        ),
        "DELETED",
    ),
    # end: Studio
    # begin: model life cycle
    (
        "Models",
        lambda it: it.client("sagemaker").delete_model_package_group(
            ModelPackageGroupName=it.ids["Models"].rpartition("/")[2]
        ),
        "DELETED",
    ),
    # end: model life cycle
    (
        "AlarmSubscription",
        lambda it: it.client("sns").unsubscribe(SubscriptionArn=it.ids["AlarmSubscription"]),
        "DELETED",
    ),
    ("AlarmTopic", plain_topic, "/KmsMasterKeyId"),
    ("AlarmTopicPolicy", open_topic, "/PolicyDocument/Statement"),
]


def test_all_stacks_are_without_drift_once_they_are_deployed(deployed: Deployed) -> None:
    assert len(deployed.at_first) == len(TEMPLATES)
    assert [each for each in deployed.at_first if each] == []
    left_out = {name: deployed.types[name] for name, is_ in deployed.statuses.items() if is_ != "IN_SYNC"}
    assert {*left_out.values()} == NOT_COMPARED
    assert sum(each.compared for each in deployed.at_first) == len(deployed.types) - len(left_out)


def test_each_type_of_the_templates_has_a_case(deployed: Deployed) -> None:
    assert {deployed.types[name] for name, _, _ in CASES} == {*deployed.types.values()} - NOT_COMPARED


@pytest.mark.parametrize(("logical_id", "by_hand", "expected"), CASES, ids=[case[0] for case in CASES])
def test_what_is_changed_by_hand_is_found(
    deployed: Deployed, logical_id: str, by_hand: Callable[[Deployed], object], expected: str
) -> None:
    """`expected` is the beginning of a difference, or that the resource is missing."""
    assert logical_id not in deployed.drift(logical_id)

    by_hand(deployed)

    resource = deployed.drift(logical_id)[logical_id]
    found = [f"{each.path} {each.expected} {each.actual}" for each in resource.differences]
    if expected == "DELETED":
        assert resource.status == expected
    else:
        assert any(line.startswith(expected) for line in found), found
