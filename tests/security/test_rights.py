"""The permissions that CloudFormation needs from GitHub's roles, from the schemas of the resource types.

A schema lists the actions that the handlers of its type call with the caller's permissions. If a role lacks
one, it fails only on AWS: at the first deployment, or by drift that is never found.
"""

import fnmatch
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import boto3
import pytest
from authorization import as_list, authorization
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER
from policies import ACCOUNT, EVERYTHING, PREFIX, PROJECT, Policies, simulate
from test_condition_keys import keys_of

from helpers.environments import LOCAL, Environment
from helpers.infra.stacks.configuration import parse_template
from helpers.infra.stacks.drift import find_drift
from helpers.infra.stacks.plan import plan_all
from tests.infra_folder import every_stack

REGION = Environment(LOCAL).settings.region
AWS = f"{REGION}:{ACCOUNT}"

# A resource of each type, by the services' identifiers.
RESOURCES = {
    "AWS::Budgets::Budget": f"arn:aws:budgets::{ACCOUNT}:budget/{PREFIX}-monthly",
    "AWS::CloudTrail::Trail": f"arn:aws:cloudtrail:{AWS}:trail/{PREFIX}-data-events",
    "AWS::CloudWatch::Dashboard": f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/{PREFIX}",
    "AWS::EC2::FlowLog": f"arn:aws:ec2:{AWS}:vpc-flow-log/fl-1",
    "AWS::EC2::RouteTable": f"arn:aws:ec2:{AWS}:route-table/rtb-1",
    "AWS::EC2::SecurityGroup": f"arn:aws:ec2:{AWS}:security-group/sg-1",
    "AWS::EC2::SecurityGroupEgress": f"arn:aws:ec2:{AWS}:security-group/sg-1",
    "AWS::EC2::SecurityGroupIngress": f"arn:aws:ec2:{AWS}:security-group/sg-1",
    "AWS::EC2::Subnet": f"arn:aws:ec2:{AWS}:subnet/subnet-1",
    "AWS::EC2::SubnetRouteTableAssociation": f"arn:aws:ec2:{AWS}:subnet/subnet-1",
    "AWS::EC2::VPC": f"arn:aws:ec2:{AWS}:vpc/vpc-1",
    "AWS::EC2::VPCEndpoint": f"arn:aws:ec2:{AWS}:vpc-endpoint/vpce-1",
    "AWS::Events::Rule": f"arn:aws:events:{AWS}:rule/{PREFIX}-operations-FailedJobs-1",
    "AWS::IAM::ManagedPolicy": f"arn:aws:iam::{ACCOUNT}:policy/{PREFIX}-identity-JobPolicy-1",
    "AWS::IAM::OIDCProvider": f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com",
    "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{PREFIX}-processing-job",
    "AWS::KMS::Alias": f"arn:aws:kms:{AWS}:alias/{PREFIX}/DataKey",
    "AWS::KMS::Key": f"arn:aws:kms:{AWS}:key/01234567-89ab-cdef-0123-456789abcdef",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{AWS}:log-group:{PREFIX}-network-FlowLogGroup-1",
    "AWS::Route53Resolver::FirewallDomainList": f"arn:aws:route53resolver:{AWS}:firewall-domain-list/l",
    "AWS::Route53Resolver::FirewallRuleGroup": f"arn:aws:route53resolver:{AWS}:firewall-rule-group/g",
    "AWS::Route53Resolver::FirewallRuleGroupAssociation": (
        f"arn:aws:route53resolver:{AWS}:firewall-rule-group-association/a"
    ),
    "AWS::Route53Resolver::ResolverQueryLoggingConfig": (
        f"arn:aws:route53resolver:{AWS}:resolver-query-log-config/c"
    ),
    "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation": (
        f"arn:aws:route53resolver:{AWS}:resolver-query-log-config/c"
    ),
    "AWS::S3::Bucket": f"arn:aws:s3:::{PREFIX}-storage-databucket-1",
    "AWS::S3::BucketPolicy": f"arn:aws:s3:::{PREFIX}-storage-databucket-1",
    "AWS::SNS::Subscription": f"arn:aws:sns:{AWS}:{PREFIX}-alarms:01234567-89ab-cdef-0123-456789abcdef",
    "AWS::SNS::Topic": f"arn:aws:sns:{AWS}:{PREFIX}-alarms",
    "AWS::SNS::TopicPolicy": f"arn:aws:sns:{AWS}:{PREFIX}-alarms",
    "AWS::SSM::Association": f"arn:aws:ssm:{AWS}:association/a",
    "AWS::SageMaker::Domain": f"arn:aws:sagemaker:{AWS}:domain/d-1",  # part: Studio
    # begin: model life cycle
    "AWS::SageMaker::ModelPackageGroup": f"arn:aws:sagemaker:{AWS}:model-package-group/{PREFIX}-models",
    # end: model life cycle
    "AWS::SageMaker::UserProfile": f"arn:aws:sagemaker:{AWS}:user-profile/d-1/u",  # part: Studio
}

# Actions for properties that no template sets; the schema lists them for all properties.
FOR_PROPERTY = {
    "AWS::CloudTrail::Trail": {
        "AggregationConfigurations": ["cloudtrail:PutEventConfiguration"],
        "InsightSelectors": ["cloudtrail:PutInsightSelectors"],
        # https://docs.aws.amazon.com/awscloudtrail/latest/userguide/using-service-linked-roles.html
        "IsOrganizationTrail": ["organizations:*", "iam:CreateServiceLinkedRole"],
    },
    # https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-permissions.html
    "AWS::EC2::FlowLog": {"LogDestination": ["iam:CreateServiceLinkedRole", "s3:GetBucketPolicy"]},
    "AWS::EC2::Subnet": {"Ipv6CidrBlock": ["ec2:*SubnetCidrBlock"]},
    "AWS::EC2::VPC": {
        "InstanceTenancy": ["ec2:ModifyVpcTenancy"],
        "VpcEncryptionControl": ["ec2:CreateVpcEncryptionControl"],
    },
    "AWS::EC2::VPCEndpoint": {
        "ServiceNetworkArn": ["vpc-lattice:*"],
        "ServiceRegion": ["vpce:AllowMultiRegion"],
    },
    "AWS::Events::Rule": {"RoleArn": ["iam:PassRole"]},
    "AWS::IAM::ManagedPolicy": {
        "Groups": ["iam:*GroupPolicy"],
        "Users": ["iam:*UserPolicy"],
    },
    "AWS::IAM::Role": {"Policies": ["iam:PutRolePolicy", "iam:DeleteRolePolicy"]},
    "AWS::KMS::Key": {"Enabled": ["kms:DisableKey", "kms:EnableKey"]},
    "AWS::Logs::LogGroup": {
        "BearerTokenAuthenticationEnabled": ["logs:PutBearerTokenAuthentication"],
        "DataProtectionPolicy": [
            *("logs:PutDataProtectionPolicy", "logs:DeleteDataProtectionPolicy"),
            *("logs:CreateLogDelivery", "firehose:TagDeliveryStream"),
        ],
        "DeletionProtectionEnabled": ["logs:PutLogGroupDeletionProtection"],
        "FieldIndexPolicies": ["logs:PutIndexPolicy", "logs:DeleteIndexPolicy"],
        "ResourcePolicyDocument": ["logs:PutResourcePolicy", "logs:DeleteResourcePolicy"],
    },
    "AWS::S3::Bucket": {
        "AbacStatus": ["s3:PutBucketAbac"],
        "AccelerateConfiguration": ["s3:PutAccelerateConfiguration"],
        "AccessControl": ["s3:PutBucketAcl", "s3:PutObjectAcl"],
        "AnalyticsConfigurations": ["s3:PutAnalyticsConfiguration"],
        "CorsConfiguration": ["s3:PutBucketCORS"],
        "IntelligentTieringConfigurations": ["s3:PutIntelligentTieringConfiguration"],
        "InventoryConfigurations": ["s3:PutInventoryConfiguration"],
        "MetadataConfiguration": ["s3:UpdateBucketMetadata*Configuration"],
        "MetadataTableConfiguration": ["s3:*BucketMetadataTableConfiguration", "s3tables:*"],
        "MetricsConfigurations": ["s3:PutMetricsConfiguration"],
        "NotificationConfiguration": ["s3:PutBucketNotification"],
        "ObjectLockConfiguration": ["s3:PutBucketObjectLockConfiguration"],
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/setting-repl-config-perm-overview.html
        "ReplicationConfiguration": ["s3:PutReplicationConfiguration", "iam:PassRole"],
        "WebsiteConfiguration": ["s3:PutBucketWebsite", "s3:DeleteBucketWebsite"],
    },
    # https://docs.aws.amazon.com/sns/latest/dg/prereqs-kinesis-data-firehose.html
    "AWS::SNS::Subscription": {"SubscriptionRoleArn": ["iam:PassRole"]},
    "AWS::SNS::Topic": {
        "DataProtectionPolicy": ["sns:PutDataProtectionPolicy"],
        # https://docs.aws.amazon.com/sns/latest/dg/sns-topic-attributes.html
        "DeliveryStatusLogging": ["iam:PassRole"],
    },
    "AWS::SSM::Association": {"CalendarNames": ["ssm:GetCalendarState"]},
    # begin: Studio
    "AWS::SageMaker::UserProfile": {
        "SingleSignOnUserValue": ["identitystore:*", "sso:*"],
    },
    # end: Studio
}
# Actions that the roles must not have, with reasons.
WITHHELD = {
    "autoscaling:DescribeTags": "a flow log is of a network",
    "iam:DeleteRolePermissionsBoundary": "boundaries stay",
    "iam:PutRolePermissionsBoundary": "boundaries stay",
    "kms:DisableKeyRotation": "keys rotate",
    "logs:DeleteRetentionPolicy": "logs end some time",
    "logs:DisassociateKmsKey": "logs stay encrypted",
    "resource-groups:*": "the association names its target",
    "sagemaker:CreateApp": "a user starts his applications himself",  # part: Studio
}


@pytest.fixture(scope="module")
def granted(policies: Policies) -> dict[str, list[dict[str, Any]]]:
    """The Allow statements by role, with lists for their actions and resources."""
    return {
        role: [
            {**each, "Action": as_list(each["Action"]), "Resource": as_list(each["Resource"])}
            for name in policies.of_role[role]
            for each in policies.documents[name]["Statement"]
            if each["Effect"] == "Allow"
        ]
        for role in ("ci-plan", "ci-deploy")
    }


def resources(template: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the type and the properties of each resource in a template, including those in loops."""
    for key, each in template.items():
        if key.startswith("Fn::ForEach"):
            yield from resources(each[2])
        else:
            yield each["Type"], each.get("Properties", {})


def used(stacks: slice) -> dict[str, set[str]]:
    """Return the resource types of some stacks, with the properties that their resources set."""
    found: dict[str, set[str]] = {}
    for stack in every_stack(PROJECT)[stacks]:
        for kind, properties in resources(parse_template(stack.template)["Resources"]):
            found.setdefault(kind, set()).update(properties)
    return found


ALL, DEPLOYED = slice(None), slice(-1)  # an administrator deploys the last one, with the roles


def known(action: str) -> tuple[str, Mapping[str, Any] | None]:
    """Return an action in IAM's spelling, and its IAM declaration, if it exists."""
    service, _, name = action.replace("efs:", "elasticfilesystem:").partition(":")
    found = authorization("actions", service.lower()).get(name.lower())
    return f"{service.lower()}:{found['name'] if found else name}", found


def asked(kind: str, handlers: set[str]) -> set[str]:
    """Return the actions that handlers of a type call, without those that IAM does not know."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(REGION, kind).schema["handlers"]
    declared = {action for name in handlers & schema.keys() for action in schema[name]["permissions"]}
    spelled = [known(action) for action in declared]
    return {action for action, found in spelled if found}


# The context of requests by handlers: they come through CloudFormation, for a resource that is new or has the
# tags of the environment.
THROUGH = {"aws:CalledVia": ["cloudformation.amazonaws.com"], "aws:ViaAWSService": "true"}
OWN = {"aws:ResourceTag/Project": PROJECT, "aws:ResourceTag/Environment": LOCAL}
NEW = {"aws:RequestTag/Project": PROJECT, "aws:RequestTag/Environment": LOCAL}
SITUATIONS = (NEW, OWN, {**OWN, **NEW}, {**OWN, "aws:TagKeys": ["ExpiresAt"]})
# Additional context by type and action: the first matching pattern applies.
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
CARRIED: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("AWS::IAM::Role", "iam:PassRole", {"iam:PassedToService": "sagemaker.amazonaws.com"}),
    ("AWS::EC2::FlowLog", "iam:PassRole", {"iam:PassedToService": "vpc-flow-logs.amazonaws.com"}),
    ("AWS::CloudTrail::Trail", "iam:PassRole", {"iam:PassedToService": "cloudtrail.amazonaws.com"}),
    ("AWS::SSM::Association", "iam:PassRole", {"iam:PassedToService": "ssm.amazonaws.com"}),
    # begin: Studio
    ("AWS::SageMaker::*", "iam:PassRole", {"iam:PassedToService": "sagemaker.amazonaws.com"}),
    (
        "AWS::SageMaker::Domain",
        "iam:CreateServiceLinkedRole",
        {"iam:AWSServiceName": "sagemaker.amazonaws.com"},
    ),
    # end: Studio
    ("AWS::SSM::Association", "iam:CreateServiceLinkedRole", {"iam:AWSServiceName": "ssm.amazonaws.com"}),
    (
        "AWS::Route53Resolver::*",
        "iam:CreateServiceLinkedRole",
        {"iam:AWSServiceName": "route53resolver.amazonaws.com"},
    ),
    # begin: Studio
    # SageMaker and Amazon EFS use the key of a domain on behalf of its creator.
    # https://docs.aws.amazon.com/sagemaker/latest/dg/api-permissions-reference.html
    (
        "AWS::SageMaker::Domain",
        "kms:*",
        {
            "kms:ViaService": f"elasticfilesystem.{REGION}.amazonaws.com",
            "kms:GrantIsForAWSResource": "true",
        },
    ),
    (
        "AWS::SageMaker::Domain",
        "elasticfilesystem:Delete*",
        {"aws:ResourceTag/ManagedByAmazonSageMakerResource": f"arn:aws:sagemaker:{AWS}:domain/d-1"},
    ),
    ("AWS::SageMaker::Domain", "sagemaker:AddTags", {"sagemaker:TaggingAction": "CreateDomain"}),
    ("AWS::SageMaker::UserProfile", "sagemaker:AddTags", {"sagemaker:TaggingAction": "CreateUserProfile"}),
    # end: Studio
    ("*", "iam:*", {"iam:PermissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/{PREFIX}-boundary"}),
)
# The resource of a handler's action if it is not the handler's own.
ABOUT = {
    (
        "AWS::Budgets::Budget",
        "billing:GetBillingViewData",
    ): f"arn:aws:billing::{ACCOUNT}:billingview/primary",
    # begin: Studio
    ("AWS::SageMaker::*", "iam:PassRole"): f"arn:aws:iam::{ACCOUNT}:role/{PREFIX}-studio-user",
    # end: Studio
    ("AWS::CloudTrail::Trail", "iam:PassRole"): f"arn:aws:iam::{ACCOUNT}:role/{PREFIX}-trail-logs",
    ("AWS::EC2::FlowLog", "iam:PassRole"): f"arn:aws:iam::{ACCOUNT}:role/{PREFIX}-flow-logs",
    ("AWS::SSM::Association", "iam:PassRole"): f"arn:aws:iam::{ACCOUNT}:role/{PREFIX}-default-group",
    (
        "*",
        "iam:CreateServiceLinkedRole",
    ): f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/x/AWSServiceRoleForX",
}


def is_granted(
    policies: Policies, role: str, statements: list[dict[str, Any]], needs: Iterable[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Return the allowed pairs of type and action for a role, including conditions and key policies.

    Allow statements without conditions are not simulated, unless the resource has its own policy.
    """
    allowed, requests = set(), []
    for kind, action in needs:
        resources = _resources_of(policies, kind, action)
        if not action.startswith("kms:") and any(
            _is_allowed_anyway(statements, action, each) for each in resources
        ):
            allowed.add((kind, action))
        else:
            requests += [
                ((kind, action), _request(policies, role, kind, action, each, situation))
                for each in resources
                for situation in SITUATIONS
            ]
    decisions, _ = simulate({**policies.documents, **EVERYTHING}, [request for _, request in requests])
    return allowed | {
        need
        for (need, _), decision in zip(requests, decisions, strict=True)
        if decision["result"] == "Allowed"
    }


def _resources_of(policies: Policies, kind: str, action: str) -> list[str]:
    """Return the resources of an action, with the key of its type; `*` if IAM defines no resource."""
    key = "keys.DataKey"
    # begin: Studio
    if kind == "AWS::SageMaker::Domain":
        key = "studio.StudioKey"
    # end: Studio
    about = RESOURCES[kind]
    if action.startswith("kms:") and "alias" not in action.lower():
        about = next(arn for arn, name in policies.of_resource.items() if name == key)
    for (of_kind, of_action), arn in ABOUT.items():
        if fnmatch.fnmatchcase(kind, of_kind) and action == of_action:
            about = arn
    _, found = known(action)
    assert found
    patterns = [_pattern(action, each["name"]) for each in found["resourceTypes"]]
    if not patterns or action == "kms:CreateKey":
        return ["*"]
    if any(pattern.fullmatch(about) for pattern in patterns):
        return [about]
    return [_any_of(action, each["name"]) for each in found["resourceTypes"]]


def _any_of(action: str, kind: str) -> str:
    """Return the ARN of a resource without a name, such as a network interface or a subscription."""
    service, _, _ = action.partition(":")
    arn = str(authorization("resourceTypes", service)[kind.lower()]["arn"])
    given = {"Partition": "aws", "Region": REGION, "Account": ACCOUNT}
    return re.sub(r"\$\{(\w+)\}", lambda found: given.get(found[1], f"{PREFIX}-x"), arn)


def _is_allowed_anyway(statements: list[dict[str, Any]], action: str, resource: str) -> bool:
    return any(
        action in each["Action"]
        and not each.get("Condition")
        and any(fnmatch.fnmatchcase(resource, arn) for arn in each["Resource"])
        for each in statements
    )


def _request(
    policies: Policies, role: str, kind: str, action: str, resource: str, situation: dict[str, Any]
) -> dict[str, Any]:
    principal = f"arn:aws:iam::{ACCOUNT}:role/{PREFIX}-{role}"
    more = [
        carried
        for of_kind, of_action, carried in CARRIED
        if fnmatch.fnmatchcase(kind, of_kind) and fnmatch.fnmatchcase(action, of_action)
    ]
    context: dict[str, Any] = {**THROUGH, **situation, **(more[0] if more else {})}
    service, _, name = action.partition(":")
    keys = [*keys_of(service, authorization("actions", service)[name.lower()])]
    own = policies.of_resource.get(resource) if service == "kms" else None
    asked_for = {
        key
        for document in (*policies.of_role[role], *([own] if own else []))
        for statement in policies.documents[document]["Statement"]
        if action in as_list(statement["Action"])
        for condition in statement.get("Condition", {}).values()
        for key in condition
    }
    return {
        "title": f"{role} {action} for {kind}",
        "principal": principal,
        "action": action,
        "resource": resource,
        "account": ACCOUNT,
        "context": {
            "aws:PrincipalArn": principal,
            "aws:PrincipalAccount": ACCOUNT,
            **{
                key: value
                for key, value in context.items()
                if key in asked_for and any(re.fullmatch(each, key) for each in keys)
            },
        },
        "identity": policies.of_role[role],
        "resourcePolicy": own,
    }


def _pattern(action: str, kind: str) -> re.Pattern[str]:
    service, _, _ = action.partition(":")
    arn = authorization("resourceTypes", service)[kind.lower()]["arn"]
    return re.compile(re.sub(r"\\\$\\\{\w+\\\}", ".*", re.escape(arn)))


def is_excepted(kind: str, action: str, properties: set[str]) -> bool:
    without = [
        pattern
        for name, patterns in FOR_PROPERTY.get(kind, {}).items()
        if name not in properties
        for pattern in patterns
    ]
    return any(fnmatch.fnmatchcase(action, pattern) for pattern in (*WITHHELD, *without))


@pytest.mark.parametrize(
    ("role", "of_these", "handlers"),
    [
        ("ci-plan", ALL, {"read"}),
        ("ci-deploy", DEPLOYED, {"create", "read", "update", "delete"}),
    ],
)
def test_a_role_may_do_what_cloudformation_does_with_its_rights(
    policies: Policies,
    granted: dict[str, list[dict[str, Any]]],
    role: str,
    of_these: slice,
    handlers: set[str],
) -> None:
    needs = {
        (kind, action)
        for kind, properties in used(of_these).items()
        for action in asked(kind, handlers)
        if not is_excepted(kind, action, properties)
    }

    lacking = needs - is_granted(policies, role, granted[role], needs)

    assert not lacking, "\n".join(sorted(f"{kind}: {action}" for kind, action in lacking))


def test_every_exception_is_for_an_action_that_is_asked_for_and_not_granted(
    granted: dict[str, list[dict[str, Any]]],
) -> None:
    types = used(DEPLOYED)
    handlers = {"create", "read", "update", "delete"}
    declared = {kind: asked(kind, handlers) for kind in types}
    patterns = [
        (kind, pattern)
        for kind, by_property in FOR_PROPERTY.items()
        for patterns in by_property.values()
        for pattern in patterns
    ]

    assert [each for each in patterns if not fnmatch.filter(declared[each[0]], each[1])] == []
    assert [each for each in WITHHELD if not fnmatch.filter(set().union(*declared.values()), each)] == []
    allowed = {action for each in granted["ci-deploy"] for action in each["Action"]}
    assert [each for each in WITHHELD if fnmatch.filter(allowed, each)] == []
    had = {(kind, name) for kind, by in FOR_PROPERTY.items() for name in by.keys() & types[kind]}
    assert had == set(), "a property that a template has is not an exception"


def test_every_action_that_is_granted_is_one_and_can_meet_what_it_is_granted_for(
    granted: dict[str, list[dict[str, Any]]],
) -> None:
    wrong = []
    for statements in granted.values():
        for each in statements:
            for action in each["Action"]:
                spelled, found = known(action)
                if not found or spelled != action:
                    wrong.append(f"{action} is not an action")
                elif not found["resourceTypes"] and "*" not in each["Resource"]:
                    wrong.append(f"{action} knows no resources")
    assert not wrong, "\n".join(wrong)


def test_plans_and_drift_make_the_change_sets_that_the_role_may_make(
    aws: boto3.Session, outputs: dict[str, str]
) -> None:
    names = []
    client = aws.client("cloudformation")
    client.meta.events.register(
        "provide-client-params.cloudformation.CreateChangeSet",
        lambda params, **_: names.append(params["ChangeSetName"]),
    )
    there = every_stack(PROJECT)[0]

    list(plan_all(client, [there]))
    list(find_drift(client, aws.client("iam"), [there]))

    assert len(names) == 2
    assert [name for name in names if not name.startswith("plan-")] == []
