"""The templates of the infrastructure: what they must not contain, and their effects when deployed."""

import ipaddress
import itertools
import json
import re
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from template_settings import INFRA, settings_of

from helpers.environments import LOCAL, NAME, Environment, environments, has_previews
from helpers.infra.stacks import StackConfiguration, load_stacks, teardown
from helpers.infra.stacks.__main__ import main
from helpers.infra.stacks.deploy import deploy
from helpers.local_aws.cloudformation.resource_types import RESOURCE_TYPES
from helpers.local_aws.cloudformation.templates.validation import parse_template
from helpers.project_settings import project_settings
from tests.infra_folder import PARAMETERS, every_stack, write_templates
from tests.quiet_console import QuietConsole

ACCOUNT = "123456789012"
PREVIEWS = [Environment("pr-7")] if has_previews() else []
REGIONS = sorted({"us-east-1", "eu-central-1", project_settings().region})
PARTS = ("Conditions", "Rules")
FILES = sorted(INFRA.glob("*.yaml"))
# The parent has a parameter for each value that it passes, not all with defaults.
GIVEN = {"VpcCidr": "10.0.0.0/16"}
ENDPOINTS = (
    *("ecr.api", "ecr.dkr", "events", "kms", "logs", "monitoring"),
    *("sagemaker.api", "sagemaker.runtime", "ssm", "sts"),
)
TEXTS = {path.stem: path.read_text() for path in FILES}
TEMPLATES = {name: parse_template(text, GIVEN) for name, text in TEXTS.items()}


def resources_of(templates: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{name}.{key}": resource
        for name, template in templates.items()
        for key, resource in template["Resources"].items()
    }


RESOURCES = resources_of(TEMPLATES)


def of_type(resource_type: str) -> dict[str, dict[str, Any]]:
    found = {name: each["Properties"] for name, each in RESOURCES.items() if each["Type"] == resource_type}
    assert found
    return found


def statements_allowed(part: Any) -> Iterator[dict[str, Any]]:
    """Yield all Allow statements of policies in a part of a template."""
    if isinstance(part, dict):
        if part.get("Effect") == "Allow":
            yield part
        for value in part.values():
            yield from statements_allowed(value)
    elif isinstance(part, list):
        for value in part:
            yield from statements_allowed(value)


def actions(statement: dict[str, Any]) -> list[str]:
    action = statement["Action"]
    return [action] if isinstance(action, str) else action


# --- the text ---------------------------------------------------------------------------------------------


def test_cfn_lint_reports_nothing() -> None:
    linter = Path(sys.executable).with_name("cfn-lint")
    result = subprocess.run(
        [linter, "-t", *FILES, *(INFRA / "account").glob("*.yaml"), "-r", *REGIONS],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stdout) == (0, "")
    assert not any("cfn-lint" in path.read_text() for path in FILES), "no check is switched off"


@pytest.mark.parametrize("environment", [*environments(), *PREVIEWS])
def test_every_environment_has_what_a_pipeline_needs(environment: Environment) -> None:
    """Its file fits the templates, and its network overlaps with no other; otherwise it cannot be loaded."""
    project, stacks = project_settings(), load_stacks(environment)
    names = [stack.name.removeprefix(f"{project.project_name}-{environment}-") for stack in stacks]
    assert names[:4] == ["keys", "network", "storage", "identity"]
    for stack in stacks:
        assert stack.parameters["Environment"] == environment
        assert stack.tags == {
            **stack.tags,
            "Project": project.project_name,
            "Owner": project.owner,
            "Environment": environment,
        }


def test_the_buckets_of_a_preview_know_the_role_that_is_made_for_previews() -> None:
    role = f"role/{project_settings().project_name}-preview-ci-deploy"
    for preview in PREVIEWS:
        (storage,) = [each for each in load_stacks(preview) if each.name.endswith("-storage")]
        assert storage.parameters["BreakGlassPrincipalArns"] == f"arn:aws:iam::*:{role}"


def test_templates_take_every_name_that_an_environment_may_have() -> None:
    patterns = {name: each["Parameters"]["Environment"]["AllowedPattern"] for name, each in TEMPLATES.items()}
    previews = {name: r"pr-\*" if name == "github_oidc" else "pr-[1-9][0-9]{0,5}" for name in patterns}
    assert patterns == {name: f"({NAME.pattern}|{previews[name]})" for name in patterns}


def test_templates_know_no_environment_by_its_name() -> None:
    conditions = json.dumps([template.get(part, {}) for template in TEMPLATES.values() for part in PARTS])
    assert re.findall(r'\{"Ref": "Environment"\}, "([a-z0-9]+)"', conditions) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_template_fits_into_a_request(path: Path) -> None:
    assert len(path.read_bytes()) <= 51_200, "the most that CloudFormation takes as TemplateBody"


def test_nothing_leads_to_the_internet() -> None:
    types = {each["Type"] for each in RESOURCES.values()}
    assert types.isdisjoint(
        {
            "AWS::EC2::InternetGateway",
            "AWS::EC2::NatGateway",
            "AWS::EC2::EgressOnlyInternetGateway",
            "AWS::EC2::VPNGateway",
            "AWS::EC2::Route",
            "AWS::EC2::EIP",
        }
    )


def test_no_action_is_all_of_a_service() -> None:
    found = [
        action for statement in statements_allowed(list(RESOURCES.values())) for action in actions(statement)
    ]
    assert found
    assert [action for action in found if action == "*" or action.endswith(":*")] == []


def test_no_policy_of_aws_is_attached() -> None:
    """In any partition. Policies are not inline in roles either, where other tests would miss them."""
    for name, role in of_type("AWS::IAM::Role").items():
        assert role.keys().isdisjoint({"ManagedPolicyArns", "Policies"}), name
    text = json.dumps(TEMPLATES)
    assert [found for found in ("iam::aws:policy", "FullAccess", "PowerUser") if found in text] == []


def test_every_wildcard_has_a_reason() -> None:
    """In a comment on its line, for actions and for whole resources and principals."""
    assert unexplained("  - sagemaker:List* # reads only") == []
    assert unexplained("  - sagemaker:List*") == ["  - sagemaker:List*"]
    assert unexplained('  Resource: "*"') == ['  Resource: "*"']
    assert [line for path in FILES for line in unexplained(path.read_text())] == []


def unexplained(text: str) -> list[str]:
    """Return the lines of a template with a wildcard but without a comment."""
    wildcard = re.compile(r'(Resource|Principal): "\*"|\b[a-z0-9]+:[A-Za-z]*\*')
    found = [line for line in text.splitlines() if wildcard.search(line)]
    return [line for line in found if "#" not in line and "arn:" not in line]


def test_every_policy_is_on_the_roles_that_it_is_for() -> None:
    """An additional role gets additional permissions; a guardrail that a role lacks can be bypassed."""
    creators = [
        "PipelineExecutionRole",
        "StudioUserRole",  # part: Studio
    ]
    readers = [
        "ProcessingJobRole",
        "StudioJobRole",  # part: Studio
        "TrainingJobRole",  # part: model life cycle
    ]
    jobs = [
        *readers,
        "TransformJobRole",  # part: model life cycle
    ]
    assert {name: roles_of(each) for name, each in of_type("AWS::IAM::ManagedPolicy").items()} == {
        "github_oidc.PlanPolicy": ["DeployRole", "PlanRole"],
        "github_oidc.HistoryPolicy": ["PlanRole"],
        "github_oidc.ModelReaderPolicy": ["ModelReaderRole"],  # part: model life cycle
        "github_oidc.SettingsPolicy": ["DeployRole", "PlanRole"],
        "github_oidc.DeployStacksPolicy": ["DeployRole"],
        "github_oidc.DeployNetworkPolicy": ["DeployRole"],
        "github_oidc.DeployIdentityPolicy": ["DeployRole"],
        "github_oidc.ProtectedBoundaries": ["DeployRole"],
        "github_oidc.DeployOperationsPolicy": ["DeployRole"],
        "github_oidc.DeployWorkPolicy": ["DeployRole"],
        "github_oidc.DeployStudioPolicy": ["DeployRole"],  # part: Studio
        "identity.PermissionsBoundary": [],
        "identity.MandatoryProject": creators,
        "identity.MandatoryOwner": creators,
        "identity.PipelineExecutionPolicy": ["PipelineExecutionRole"],
        "identity.JobCreationPolicy": ["PipelineExecutionRole"],
        "identity.StudioJobCreationPolicy": ["StudioUserRole"],  # part: Studio
        "identity.KeyPolicy": sorted([*creators, *jobs]),
        "identity.JobPolicy": jobs,
        "identity.ReadPolicy": sorted({*readers, *creators} - {"PipelineExecutionRole"}),
        "identity.ProcessingJobPolicy": ["ProcessingJobRole"],
        "identity.TrainingJobPolicy": ["TrainingJobRole"],  # part: model life cycle
        "identity.TransformJobPolicy": ["TransformJobRole"],  # part: model life cycle
        "identity.StudioUserPolicy": ["StudioUserRole"],  # part: Studio
        "identity.StudioDataPolicy": ["StudioJobRole", "StudioUserRole"],  # part: Studio
        "models.StartScoringPolicy": ["StartScoringRole"],  # part: model life cycle
        "network.DefaultGroupPolicy": ["DefaultGroupRole"],
        "network.FlowLogPolicy": ["FlowLogRole"],
        "network.NetworkBoundary": [],
        "operations.TrailLogPolicy": ["TrailLogRole"],
    }


def roles_of(policy: dict[str, Any]) -> list[str]:
    return sorted({*re.findall(r'"Ref": "(\w+)"', json.dumps(policy.get("Roles", [])))})


def test_workflows_are_let_in_for_an_hour_and_by_github_alone() -> None:
    (provider,) = of_type("AWS::IAM::OIDCProvider").values()
    assert provider == {
        "Url": "https://token.actions.githubusercontent.com",
        "ClientIdList": ["sts.amazonaws.com"],
    }
    roles = {name: role for name, role in of_type("AWS::IAM::Role").items() if "github_oidc" in name}
    assert {role["MaxSessionDuration"] for role in roles.values()} == {3600}
    assert roles.keys() == {
        "github_oidc.PlanRole",
        "github_oidc.DeployRole",
        "github_oidc.ModelReaderRole",  # part: model life cycle
    }


def test_the_default_is_the_safe_choice() -> None:
    found = {
        f"{name}.{parameter}": rule["Default"]
        for name, template in TEMPLATES.items()
        for parameter, rule in template["Parameters"].items()
        if "Default" in rule
    }
    instances = {*found["identity.AllowedInstanceTypes"].split(",")}
    assert {each for each in instances if not re.fullmatch(r"ml\.[mr]5\.([24]?x)?large", each)} == set()
    # begin: Studio
    studio = {*found["identity.StudioInstanceTypes"].split(",")} - {"system"}
    assert {each for each in studio if not re.fullmatch(r"ml\.(t3|m5)\.(medium|x?large)", each)} == set()
    assert found["studio.StudioIdleMinutes"] == 120
    # end: Studio
    assert found["identity.MandatoryTags"] == "Project,Owner"
    assert found["models.ReaderAccountIds"] == "none"  # part: model life cycle
    assert found["github_oidc.ProtectsBoundaries"] == found["github_oidc.RetainsProvider"] == "true"
    assert {found[f"{name}.BreakGlassPrincipalArns"] for name in ("basic_infra", "keys", "storage")} == {
        "none"
    }
    assert (found["network.FlowLogDays"], found["storage.AccessLogDays"]) == (365, 365)
    assert found["storage.NoncurrentVersionDays"] == 30
    assert {*found["network.InterfaceEndpoints"].split(",")} == {*ENDPOINTS}
    assert found["network.MakesInterfaceEndpoints"] == found["network.FiltersDns"] == "true"
    for parameter, default in found.items():
        assert found.get(f"basic_infra.{parameter.split('.')[1]}", default) == default, parameter


def test_switches_are_thrown_by_their_parameters() -> None:
    """These parameters decide what the templates create; the values of `local` test only one side of each."""
    found = {name: template.get("Conditions", {}) for name, template in TEMPLATES.items()}
    protected = {"Fn::Equals": [{"Ref": "Protected"}, "true"]}
    for conditions in found.values():
        assert conditions.get("IsProtected", protected) == protected
    assert found["github_oidc"]["IsStanding"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "Environment"}, "pr-*"]}],
    }
    assert found["github_oidc"]["IsKnownByNumber"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "GitHubRepositoryId"}, ""]}],
    }
    assert found["basic_infra"]["HasItsName"] == {
        "Fn::Equals": [{"Ref": "AWS::StackName"}, {"Fn::Sub": "${ProjectName}-${Environment}-basic"}]
    }
    filters = {"Fn::Equals": [{"Ref": "FiltersDns"}, "true"]}
    assert found["network"]["HasDnsFilter"] == {"Fn::And": [{"Condition": "MakesVpc"}, filters]}
    makes = {"Fn::Equals": [{"Ref": "MakesInterfaceEndpoints"}, "true"]}
    assert found["network"]["HasInterfaceEndpoints"] == makes
    protects = {"Fn::Equals": [{"Ref": "ProtectsBoundaries"}, "true"]}
    assert found["github_oidc"]["HasProtectedBoundaries"] == protects
    assert found["operations"] == {
        "IsProtected": {"Fn::Equals": [{"Ref": "Protected"}, "true"]},
        "HasAddress": {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmEmail"}, ""]}]},
        "HasBudget": {"Fn::Not": [{"Fn::Equals": [{"Ref": "MonthlyBudgetUsd"}, "0"]}]},
        "HasTrail": {"Fn::Equals": [{"Ref": "RecordsDataEvents"}, "true"]},
    }
    # begin: model life cycle
    scores = {"Fn::Not": [{"Fn::Equals": [{"Ref": "ScoringPipelineName"}, ""]}]}
    alarms = {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmTopicArn"}, ""]}]}
    assert found["models"]["HasScoring"] == scores
    assert found["models"]["HasScoringAlarm"] == {"Fn::And": [{"Condition": "HasScoring"}, alarms]}
    retrains = {"Fn::Not": [{"Fn::Equals": [{"Ref": "RetrainingPipelineName"}, ""]}]}
    assert found["models"]["HasRetraining"] == {"Fn::And": [{"Condition": "HasScoring"}, retrains]}
    readers = {"Fn::Join": [",", {"Ref": "ReaderAccountIds"}]}
    assert found["models"]["HasReaders"] == {"Fn::Not": [{"Fn::Equals": [readers, "none"]}]}
    # end: model life cycle
    switched = {name: each["Condition"] for name, each in RESOURCES.items() if "Condition" in each}
    assert {name: each for name, each in switched.items() if not name.startswith("network.")} == {
        "github_oidc.GitHubProvider": "MakesProvider",
        **{f"github_oidc.{name}": "IsStanding" for name in STANDING},
        "github_oidc.ProtectedBoundaries": "HasProtectedBoundaries",
        **{f"models.{name}": "HasScoring" for name in SCORING},  # part: model life cycle
        "models.DriftedScoring": "HasRetraining",  # part: model life cycle
        "models.FailedScoring": "HasScoringAlarm",  # part: model life cycle
        "operations.AlarmSubscription": "HasAddress",
        "operations.MonthlyBudget": "HasBudget",
        **{f"operations.{name}": "HasTrail" for name in TRAIL},
    }


TRAIL = ("DataEventsTrail", "TrailLogGroup", "TrailLogPolicy", "TrailLogRole")
SCORING = ("ApprovedModels", "StartScoringRole", "StartScoringPolicy")  # part: model life cycle
STANDING = (
    *("PlanRole", "HistoryPolicy"),
    *("ModelReaderRole", "ModelReaderPolicy"),  # part: model life cycle
    "DeployOperationsPolicy",
    "DeployStudioPolicy",  # part: Studio
)


def test_policies_logs_and_alarms_belong_to_what_they_are_about() -> None:
    for name, policy in of_type("AWS::S3::BucketPolicy").items():
        assert policy["Bucket"] == {"Ref": name.removeprefix("storage.").removesuffix("Policy")}
    buckets = of_type("AWS::S3::Bucket")
    for name in ("storage.ArtifactBucket", "storage.DataBucket"):
        logs = buckets[name]["LoggingConfiguration"]["DestinationBucketName"]
        assert logs == {"Ref": "AccessLogBucket"}, name
    (policy,), (found,) = (of_type(f"AWS::SNS::{kind}").values() for kind in ("TopicPolicy", "Subscription"))
    assert (policy["Topics"], found["TopicArn"]) == ([{"Ref": "AlarmTopic"}], {"Ref": "AlarmTopic"})


DNS = "AWS::Route53Resolver::"


def test_names_are_resolved_of_aws_in_the_region_and_of_the_vpc_alone() -> None:
    """Otherwise, a job without network access could still send data in names, as <data>.example.com."""
    lists = of_type(f"{DNS}FirewallDomainList")
    assert lists["network.DnsEverythingElse"]["Domains"] == ["*"]
    assert lists["network.DnsAllowed"]["Domains"] == [
        {"Fn::Sub": "*.${AWS::Region}.amazonaws.com"},
        "*.s3.amazonaws.com",
        "s3.amazonaws.com",
        {"Fn::Sub": "*.studio.${AWS::Region}.sagemaker.aws"},  # part: Studio
        {"Fn::Sub": "*.${AWS::Region}.compute.internal"},
        "*.ec2.internal",
        "*.in-addr.arpa",
    ]
    (rules,) = of_type(f"{DNS}FirewallRuleGroup").values()
    assert rules["FirewallRules"] == [
        {
            "Action": "ALLOW",
            "FirewallDomainListId": {"Fn::GetAtt": ["DnsAllowed", "Id"]},
            "FirewallDomainRedirectionAction": "TRUST_REDIRECTION_DOMAIN",
            "Priority": 100,
        },
        {
            "Action": "BLOCK",
            "BlockResponse": "NXDOMAIN",
            "FirewallDomainListId": {"Fn::GetAtt": ["DnsEverythingElse", "Id"]},
            "Priority": 200,
        },
    ]
    (there,) = of_type(f"{DNS}FirewallRuleGroupAssociation").values()
    assert without_name(there) == {
        "FirewallRuleGroupId": {"Fn::GetAtt": ["DnsRules", "Id"]},
        "VpcId": {"Ref": "Vpc"},
        "Priority": 101,
    }


def test_questions_of_dns_go_to_an_encrypted_group() -> None:
    (logs,) = of_type(f"{DNS}ResolverQueryLoggingConfig").values()
    (there,) = of_type(f"{DNS}ResolverQueryLoggingConfigAssociation").values()
    group = RESOURCES["network.DnsQueryLogGroup"]["Properties"]
    assert logs["DestinationArn"] == {"Fn::GetAtt": ["DnsQueryLogGroup", "Arn"]}
    assert there == {
        "ResolverQueryLogConfigId": {"Fn::GetAtt": ["DnsQueryLogs", "Id"]},
        "ResourceId": {"Ref": "Vpc"},
    }
    assert group == {"KmsKeyId": {"Ref": "LogKeyArn"}, "RetentionInDays": {"Ref": "FlowLogDays"}}


def without_name(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in properties.items() if key != "Name"}


def test_endpoints_that_a_vpc_has_are_reached_on_their_port_alone() -> None:
    group = {"Ref": "ExistingEndpointSecurityGroupId"}
    conditions = TEMPLATES["network"]["Conditions"]
    assert conditions["HasEndpointGroup"] == {"Fn::Not": [{"Fn::Equals": [group, ""]}]}
    rule = RESOURCES["network.ProcessingEgressToExistingEndpoints"]["Properties"]
    assert {key: value for key, value in rule.items() if key != "Description"} == {
        "GroupId": {"Fn::GetAtt": ["ProcessingSecurityGroup", "GroupId"]},
        "IpProtocol": "tcp",
        "FromPort": 443,
        "ToPort": 443,
        "DestinationSecurityGroupId": group,
    }


def test_the_default_security_group_stays_closed() -> None:
    (association,) = of_type("AWS::SSM::Association").values()
    assert association["Name"] == "AWSConfigRemediation-RemoveVPCDefaultSecurityGroupRules"
    assert association["ScheduleExpression"] == "rate(1 day)"
    assert association["Parameters"] == {
        "AutomationAssumeRole": [{"Fn::GetAtt": ["DefaultGroupRole", "Arn"]}],
        "GroupId": [{"Fn::GetAtt": ["Vpc", "DefaultSecurityGroup"]}],
    }
    assert RESOURCES["network.ClosedDefaultSecurityGroup"]["DependsOn"] == "DefaultGroupPolicy"


def test_the_parent_hands_on_what_the_others_ask_for() -> None:
    parent = TEMPLATES["basic_infra"]
    for name, stack in parent["Resources"].items():
        declared, passed = TEMPLATES[name.lower()]["Parameters"], stack["Properties"]["Parameters"]
        address = stack["Properties"]["TemplateURL"]
        match address:  # of the first one, on which the others depend
            case {"Fn::If": ["HasItsName", named, {"Fn::Sub": message}]} if name == "Keys":
                assert message.startswith("This stack must be named ${ProjectName}-${Environment}-basic.")
                address = named
        assert address == {"Fn::Sub": f"${{TemplatesUrl}}/{name.lower()}.yaml"}
        assert passed.keys() == declared.keys()
        for key, value in passed.items():
            match value:
                case {"Fn::GetAtt": [other, *output]}:
                    assert ".".join(output) == f"Outputs.{key}"
                    assert key in TEMPLATES[other.lower()]["Outputs"]
                case _:
                    assert value in ({"Ref": key}, {"Fn::Join": [",", {"Ref": key}]})
                    assert without_description(parent["Parameters"][key]) == without_description(
                        declared[key]
                    )
        assert TEMPLATES[name.lower()].get("Rules", {}).items() <= parent["Rules"].items()


def without_description(parameter: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in parameter.items() if key != "Description"}


def test_roles_have_a_boundary() -> None:
    for name, role in of_type("AWS::IAM::Role").items():
        # Those of CI create the boundary, and their own policies restrict them.
        template = name.split(".")[0]
        boundary = {
            "identity": "PermissionsBoundary",
            "network": "NetworkBoundary",
            "models": "PermissionsBoundaryArn",  # part: model life cycle
            "operations": "PermissionsBoundaryArn",
        }.get(template)
        assert role.get("PermissionsBoundary") == (boundary and {"Ref": boundary}), name


def test_what_has_state_is_retained_where_it_is_protected_and_whenever_it_is_replaced() -> None:
    types = {
        *("AWS::KMS::Key", "AWS::Logs::LogGroup", "AWS::S3::Bucket", "AWS::S3::BucketPolicy"),
        "AWS::SageMaker::ModelPackageGroup",  # part: model life cycle
    }
    stateful = {name: each for name, each in RESOURCES.items() if each["Type"] in types}
    assert {each["Type"] for each in stateful.values()} == types
    for name, each in stateful.items():
        assert each["DeletionPolicy"] == {"Fn::If": ["IsProtected", "Retain", "Delete"]}, name
        assert each["UpdateReplacePolicy"] == "Retain", name


def test_the_provider_outlives_the_stack_since_other_environments_use_it() -> None:
    provider = RESOURCES["github_oidc.GitHubProvider"]
    assert provider["DeletionPolicy"] == {"Fn::If": ["HasRetainedProvider", "Retain", "Delete"]}
    assert provider["UpdateReplacePolicy"] == "Retain"
    conditions = TEMPLATES["github_oidc"]["Conditions"]
    assert conditions["HasRetainedProvider"] == {"Fn::Equals": [{"Ref": "RetainsProvider"}, "true"]}


def test_deleted_keys_can_be_brought_back_for_30_days() -> None:
    assert {key["PendingWindowInDays"] for key in of_type("AWS::KMS::Key").values()} == {30}


# --- the effects, asked of the services themselves --------------------------------------------------------


def test_outputs_are_those_that_pipelines_are_built_from(outputs: dict[str, str]) -> None:
    assert {
        "PrivateSubnetIds",
        "ProcessingSecurityGroupId",
        "VolumeKeyArn",
        "DataKeyArn",
        "ArtifactBucketName",
        "DataBucketName",
        "PipelineExecutionRoleArn",
        "ProcessingJobRoleArn",
        "TrainingJobRoleArn",  # part: model life cycle
        "TransformJobRoleArn",  # part: model life cycle
        "ModelPackageGroupName",  # part: model life cycle
    } <= outputs.keys()
    assert all(outputs.values())


def test_every_property_has_an_effect_or_is_declared_to_have_none(
    aws: boto3.Session, outputs: dict[str, str], stacks: tuple[StackConfiguration, ...]
) -> None:
    unknown = {each["Type"] for each in RESOURCES.values() if each["Type"] not in RESOURCE_TYPES}
    assert unknown == set()
    pages = aws.client("cloudformation").get_paginator("describe_stack_events")
    events = [
        event
        for stack in stacks
        for page in pages.paginate(StackName=stack.name)
        for event in page["StackEvents"]
    ]
    found = {each["LogicalResourceId"]: each.get("ResourceStatusReason", "") for each in events[::-1]}
    assert {name: reason for name, reason in found.items() if "not emulated" in reason} == {
        "ClosedDefaultSecurityGroup": "not emulated: "
        "AssociationName, Parameters.AutomationAssumeRole, ScheduleExpression",
        "DnsAllowed": "not emulated: Domains, Name",
        "DnsEverythingElse": "not emulated: Domains, Name",
        "DnsRules": "not emulated: FirewallRules, Name",
        "DnsRulesOfVpc": "not emulated: FirewallRuleGroupId, Name, Priority, VpcId",
        "DnsQueryLogs": "not emulated: DestinationArn, Name",
        "DnsQueryLogsOfVpc": "not emulated: ResolverQueryLogConfigId, ResourceId",
    }


def test_the_default_security_group_is_closed(aws: boto3.Session, outputs: dict[str, str]) -> None:
    filters = [
        {"Name": "vpc-id", "Values": [outputs["VpcId"]]},
        {"Name": "group-name", "Values": ["default"]},
    ]
    (group,) = aws.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"]
    assert (group["IpPermissions"], group["IpPermissionsEgress"]) == ([], [])


# begin: Studio
def test_studio_is_in_the_vpc_only(aws: boto3.Session, outputs: dict[str, str]) -> None:
    sagemaker = aws.client("sagemaker")
    domain = sagemaker.describe_domain(DomainId=outputs["StudioDomainId"])
    assert (domain["AppNetworkAccessType"], domain["AuthMode"]) == ("VpcOnly", "IAM")
    assert domain["SubnetIds"] == outputs["PrivateSubnetIds"].split(",")
    assert domain["KmsKeyId"] == outputs["StudioKeyArn"]
    settings = domain["DefaultUserSettings"]
    assert settings["ExecutionRole"] == outputs["StudioUserRoleArn"]
    assert settings["SecurityGroups"] == [outputs["ProcessingSecurityGroupId"]]
    assert settings["SharingSettings"] == {"NotebookOutputOption": "Disabled"}
    idle = settings["JupyterLabAppSettings"]["AppLifecycleManagement"]["IdleSettings"]
    assert {key: str(value) for key, value in idle.items()} == {
        "LifecycleManagement": "ENABLED",
        "IdleTimeoutInMinutes": "120",
        "MaxIdleTimeoutInMinutes": "120",
        "MinIdleTimeoutInMinutes": "60",
    }
    profile = sagemaker.describe_user_profile(
        DomainId=outputs["StudioDomainId"], UserProfileName="data-scientist"
    )
    assert profile["UserSettings"] == {"ExecutionRole": outputs["StudioUserRoleArn"]}
    assert domain["DomainSettings"]["ExecutionRoleIdentityConfig"] == "USER_PROFILE_NAME"
    assert aws.client("kms").get_key_rotation_status(KeyId=outputs["StudioKeyArn"])["KeyRotationEnabled"]
    (files,) = aws.client("efs").describe_file_systems(FileSystemId=outputs["StudioFileSystemId"])[
        "FileSystems"
    ]
    assert (files["Encrypted"], files["KmsKeyId"]) == (True, outputs["StudioKeyArn"])


# end: Studio
def test_alarms_are_encrypted_and_come_over_tls(aws: boto3.Session, outputs: dict[str, str]) -> None:
    topic = aws.client("sns").get_topic_attributes(TopicArn=outputs["AlarmTopicArn"])["Attributes"]
    statements = {each["Sid"]: each for each in json.loads(topic["Policy"])["Statement"]}
    assert topic["KmsMasterKeyId"] == outputs["LogKeyArn"]
    assert statements["TlsOnly"]["Effect"] == "Deny"
    secure = statements["TlsOnly"]["Condition"]["Bool"]["aws:SecureTransport"]
    assert str(secure).lower() == "false"
    listed = aws.client("sns").list_subscriptions_by_topic(TopicArn=outputs["AlarmTopicArn"])
    assert [(each["Protocol"], each["Endpoint"]) for each in listed["Subscriptions"]] == [
        ("email", PARAMETERS["AlarmEmail"])
    ]


def test_failures_and_costs_reach_the_alarms(aws: boto3.Session, outputs: dict[str, str]) -> None:
    topic = outputs["AlarmTopicArn"]
    events, prefix = aws.client("events"), topic.rsplit(":", 1)[1].removesuffix("alarms")
    rules = [
        rule for rule in events.list_rules()["Rules"] if rule["Name"].startswith(f"{prefix}operations-Failed")
    ]
    patterns = {
        rule["Name"].split("-Failed")[1].split("-")[0]: json.loads(rule["EventPattern"]) for rule in rules
    }
    assert patterns == {
        "PipelineExecutions": {
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Model Building Pipeline Execution Status Change"],
            "detail": {"currentPipelineExecutionStatus": ["Failed"]},
        },
        "Jobs": {
            "source": ["aws.sagemaker"],
            "detail-type": [
                "SageMaker Processing Job State Change",
                "SageMaker Training Job State Change",  # part: model life cycle
            ],
            "detail": {
                "ProcessingJobStatus": ["Failed", {"exists": False}],
                "TrainingJobStatus": ["Failed", {"exists": False}],  # part: model life cycle
                "RoleArn": [
                    outputs["ProcessingJobRoleArn"],
                    outputs["TrainingJobRoleArn"],  # part: model life cycle
                ],
            },
        },
        # begin: model life cycle
        "TransformJobs": {
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Transform Job State Change"],
            "detail": {"TransformJobStatus": ["Failed"]},
        },
        # end: model life cycle
    }
    for rule in rules:
        assert rule["State"] == "ENABLED"
        (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
        assert target["Arn"] == topic
    budgets, of_month = aws.client("budgets"), {"AccountId": ACCOUNT, "BudgetName": f"{prefix}monthly"}
    budget = budgets.describe_budget(**of_month)["Budget"]
    assert (budget["BudgetType"], budget["TimeUnit"]) == ("COST", "MONTHLY")
    assert (float(budget["BudgetLimit"]["Amount"]), budget["BudgetLimit"]["Unit"]) == (
        float(PARAMETERS["MonthlyBudgetUsd"]),
        "USD",
    )
    found = budgets.describe_notifications_for_budget(**of_month)["Notifications"]
    assert [(each["NotificationType"], each["ComparisonOperator"], each["Threshold"]) for each in found] == [
        ("ACTUAL", "GREATER_THAN", 80.0),
        ("FORECASTED", "GREATER_THAN", 100.0),
    ]
    for each in found:
        subscribers = budgets.describe_subscribers_for_notification(**of_month, Notification=each)
        assert subscribers["Subscribers"] == [{"SubscriptionType": "SNS", "Address": topic}]


# begin: model life cycle
def test_drifted_scoring_starts_training(aws: boto3.Session, outputs: dict[str, str]) -> None:
    group = outputs["ModelPackageGroupName"]
    name = PARAMETERS["RetrainingPipelineName"]
    events = aws.client("events")
    (rule,) = events.list_rules(NamePrefix=f"{group}-DriftedScoring")["Rules"]
    (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    assert target["Arn"] == f"arn:aws:sagemaker:{aws.region_name}:{ACCOUNT}:pipeline/{name}"
    assert target["RoleArn"].endswith(f":role/{group.removesuffix('-models')}-start-scoring")
    given = target["SageMakerPipelineParameters"]["PipelineParameterList"]
    assert given == [{"Name": "Fingerprint-prepare-input_table", "Value": "$.id"}]


def test_approvals_start_scoring_and_its_failures_reach_the_alarms(
    aws: boto3.Session, outputs: dict[str, str]
) -> None:
    group = outputs["ModelPackageGroupName"]
    pipeline = f"arn:aws:sagemaker:{aws.region_name}:{ACCOUNT}:pipeline/{PARAMETERS['ScoringPipelineName']}"
    events = aws.client("events")
    rules = {
        each["Name"].removeprefix(f"{group}-").split("-")[0]: each
        for each in events.list_rules(NamePrefix=f"{group}-")["Rules"]
    }
    assert {name: json.loads(each["EventPattern"]) for name, each in rules.items()} == {
        "ApprovedModels": {
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Model Package State Change"],
            "detail": {"ModelPackageGroupName": [group], "ModelApprovalStatus": ["Approved"]},
        },
        "DriftedScoring": {
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Model Building Pipeline Execution Step Status Change"],
            "detail": {"pipelineArn": [pipeline], "stepName": ["drifted"], "currentStepStatus": ["Failed"]},
        },
        "FailedScoring": {
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Model Building Pipeline Execution Step Status Change"],
            "detail": {"pipelineArn": [pipeline], "currentStepStatus": ["Failed"]},
        },
    }
    assert {each["State"] for each in rules.values()} == {"ENABLED"}
    targets = {
        name: events.list_targets_by_rule(Rule=each["Name"])["Targets"] for name, each in rules.items()
    }
    (scoring,), (alarm,) = targets["ApprovedModels"], targets["FailedScoring"]
    assert alarm["Arn"] == outputs["AlarmTopicArn"]
    assert scoring["Arn"] == pipeline
    assert scoring["RoleArn"].endswith(f":role/{group.removesuffix('-models')}-start-scoring")
    given = scoring["SageMakerPipelineParameters"]["PipelineParameterList"]
    assert {each["Name"]: each["Value"] for each in given} == {
        "ModelPackageArn": "$.detail.ModelPackageArn",
        "BaselineStatisticsUrl": "$.detail.ModelMetrics.ModelDataQuality.Statistics.S3Uri",
        "Fingerprint-prepare-scoring-input_table": "$.id",
    }
    described = aws.client("sagemaker").describe_model_package_group(ModelPackageGroupName=group)
    assert described["ModelPackageGroupStatus"] == "Completed"


# end: model life cycle
def test_the_trail_is_encrypted_and_validated(aws: boto3.Session, outputs: dict[str, str]) -> None:
    trails = aws.client("cloudtrail").describe_trails()["trailList"]
    (trail,) = (each for each in trails if each["S3BucketName"] == outputs["AccessLogBucketName"])
    assert (trail["LogFileValidationEnabled"], trail["S3KeyPrefix"]) == (True, "trail")
    assert trail["KmsKeyId"] == outputs["LogKeyArn"]
    assert trail["IsMultiRegionTrail"]
    assert aws.client("cloudtrail").get_trail_status(Name=trail["Name"])["IsLogging"]
    (selector,) = aws.client("cloudtrail").get_event_selectors(TrailName=trail["Name"])[
        "AdvancedEventSelectors"
    ]
    assert trail["CloudWatchLogsRoleArn"].endswith("-local-trail-logs")
    (group,) = aws.client("logs").describe_log_groups(
        logGroupNamePrefix=trail["CloudWatchLogsLogGroupArn"].split(":")[6]
    )["logGroups"]
    assert (group["kmsKeyId"], group["retentionInDays"]) == (outputs["LogKeyArn"], 365)
    objects = [f"arn:aws:s3:::{outputs[f'{use}BucketName']}/" for use in ("Data", "Artifact")]
    assert selector["FieldSelectors"] == [
        {"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
        {"Field": "resources.ARN", "StartsWith": objects},
    ]


def test_subnets_lie_in_two_zones_and_reach_s3_only(aws: boto3.Session, outputs: dict[str, str]) -> None:
    ec2 = aws.client("ec2")
    ids = outputs["PrivateSubnetIds"].split(",")
    subnets = ec2.describe_subnets(SubnetIds=ids)["Subnets"]
    assert len({subnet["AvailabilityZone"] for subnet in subnets}) == 2
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in subnets)
    for subnet in ids:
        (table,) = ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])[
            "RouteTables"
        ]
        assert {route["GatewayId"][:5] for route in table["Routes"]} == {"local", "vpce-"}
        assert outputs["S3EndpointId"] in {route["GatewayId"] for route in table["Routes"]}
        assert all(route.get("DestinationCidrBlock") != "0.0.0.0/0" for route in table["Routes"])
    assert endpoints_of(aws, outputs["VpcId"], "Gateway") == ["s3"]


def test_private_names_of_endpoints_resolve(aws: boto3.Session, outputs: dict[str, str]) -> None:
    ec2, vpc = aws.client("ec2"), outputs["VpcId"]
    for attribute, key in (
        ("enableDnsSupport", "EnableDnsSupport"),
        ("enableDnsHostnames", "EnableDnsHostnames"),
    ):
        assert ec2.describe_vpc_attribute(VpcId=vpc, Attribute=attribute)[key]["Value"], attribute
    endpoints = ec2.describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["VpcEndpoints"]
    interfaces = {
        service_of(endpoint): endpoint["PrivateDnsEnabled"]
        for endpoint in endpoints
        if endpoint["VpcEndpointType"] == "Interface"
    }
    assert interfaces == dict.fromkeys(ENDPOINTS, True)
    for endpoint in endpoints:
        if endpoint["VpcEndpointType"] == "Interface":
            assert endpoint["SubnetIds"] == outputs["PrivateSubnetIds"].split(",")


def test_endpoints_are_in_their_group(aws: boto3.Session, outputs: dict[str, str]) -> None:
    ec2, vpc = aws.client("ec2"), [{"Name": "vpc-id", "Values": [outputs["VpcId"]]}]
    groups = ec2.describe_security_groups(Filters=vpc)["SecurityGroups"]
    (own,) = [each["GroupId"] for each in groups if each["Description"].startswith("Interface endpoints")]
    endpoints = ec2.describe_vpc_endpoints(Filters=vpc)["VpcEndpoints"]
    of_each = [
        [group["GroupId"] for group in endpoint["Groups"]]
        for endpoint in endpoints
        if endpoint["VpcEndpointType"] == "Interface"
    ]
    assert of_each == [[own]] * 10


def test_jobs_reach_one_another_the_endpoints_and_s3(aws: boto3.Session, outputs: dict[str, str]) -> None:
    ec2, jobs = aws.client("ec2"), outputs["ProcessingSecurityGroupId"]
    (group,) = ec2.describe_security_groups(GroupIds=[jobs])["SecurityGroups"]
    vpc = [{"Name": "vpc-id", "Values": [outputs["VpcId"]]}]
    others = ec2.describe_security_groups(Filters=vpc)["SecurityGroups"]
    (endpoints,) = [each for each in others if each["Description"].startswith("Interface endpoints")]
    (addresses,) = [
        each
        for each in ec2.describe_managed_prefix_lists()["PrefixLists"]
        if each["PrefixListName"] == f"com.amazonaws.{aws.region_name}.s3"
    ]
    assert [flow(rule) for rule in group["IpPermissions"]] == [("-1", None, [jobs])]
    assert sorted(map(flow, group["IpPermissionsEgress"])) == [
        ("-1", None, [jobs]),
        ("tcp", 443, [endpoints["GroupId"], addresses["PrefixListId"]]),
    ]
    assert [flow(rule) for rule in endpoints["IpPermissions"]] == [("tcp", 443, [jobs])]
    assert [flow(rule) for rule in endpoints["IpPermissionsEgress"]] == [("-1", None, ["127.0.0.1/32"])]


def flow(rule: Any) -> tuple[str, int | None, list[str]]:
    """Return protocol, port and the other ends of a rule."""
    assert rule.get("FromPort") == rule.get("ToPort")
    ends = [
        *(pair["GroupId"] for pair in rule["UserIdGroupPairs"]),
        *(each["CidrIp"] for each in rule["IpRanges"]),
        *(each["PrefixListId"] for each in rule["PrefixListIds"]),
    ]
    return rule["IpProtocol"], rule.get("FromPort"), ends


@pytest.mark.parametrize("use", ["AccessLog", "Artifact", "Data"])
def test_buckets_are_private_and_versioned(aws: boto3.Session, outputs: dict[str, str], use: str) -> None:
    s3, bucket = aws.client("s3"), outputs[f"{use}BucketName"]
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert list(block.values()) == [True] * 4
    (ownership,) = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert ownership["ObjectOwnership"] == "BucketOwnerEnforced"
    rules = {each["ID"]: each for each in s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]}
    assert {rule["Status"] for rule in rules.values()} == {"Enabled"}
    assert rules["abort-stale-uploads"]["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 7
    expiring = rules["expire-logs" if use == "AccessLog" else "expire-noncurrent-versions"]
    assert expiring["NoncurrentVersionExpiration"]["NoncurrentDays"] == int(
        PARAMETERS["NoncurrentVersionDays"]
    )


@pytest.mark.parametrize("use", ["Artifact", "Data"])
def test_buckets_encrypt_with_their_own_key_and_log_access(
    aws: boto3.Session, outputs: dict[str, str], use: str
) -> None:
    s3, bucket = aws.client("s3"), outputs[f"{use}BucketName"]
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule == {
        "ApplyServerSideEncryptionByDefault": {
            "SSEAlgorithm": "aws:kms",
            "KMSMasterKeyID": outputs[f"{use}KeyArn"],
        },
        "BucketKeyEnabled": True,
    }
    rules = {each["ID"]: each for each in s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]}
    assert rules["expire-noncurrent-versions"]["Expiration"] == {"ExpiredObjectDeleteMarker": True}
    logging = s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"]
    assert (logging["TargetBucket"], logging["TargetPrefix"]) == (
        outputs["AccessLogBucketName"],
        f"access/{use}/",
    )
    s3.put_object(Bucket=bucket, Key="some", Body=b"data")
    found = s3.get_object(Bucket=bucket, Key="some")
    assert (found["Body"].read(), found["SSEKMSKeyId"]) == (b"data", outputs[f"{use}KeyArn"])


def test_access_logs_are_kept_for_a_year_where_s3_can_deliver_them(
    aws: boto3.Session, outputs: dict[str, str]
) -> None:
    s3, bucket = aws.client("s3"), outputs["AccessLogBucketName"]
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"  # S3 delivers to no other
    rules = {each["ID"]: each for each in s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]}
    assert rules["expire-logs"]["Expiration"]["Days"] == 365


@pytest.mark.parametrize("use", ["Volume", "Data", "Artifact", "Log"])
def test_keys_rotate_and_administrators_do_not_use_them(
    aws: boto3.Session, outputs: dict[str, str], use: str
) -> None:
    kms, key = aws.client("kms"), outputs[f"{use}KeyArn"]
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]
    policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])
    administration = next(each for each in policy["Statement"] if each["Sid"] == "Administration")["Action"]
    assert {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"}.isdisjoint(administration)
    (alias,) = kms.list_aliases(KeyId=key)["Aliases"]
    assert re.fullmatch(rf"alias/[a-z]+-local/{use}Key", alias["AliasName"])


def test_flow_logs_go_to_an_encrypted_group(aws: boto3.Session, outputs: dict[str, str]) -> None:
    of_vpc = [{"Name": "resource-id", "Values": [outputs["VpcId"]]}]
    (flow_log,) = aws.client("ec2").describe_flow_logs(Filters=of_vpc)["FlowLogs"]
    assert (flow_log["TrafficType"], flow_log["MaxAggregationInterval"]) == ("ALL", 60)
    assert flow_log["LogDestinationType"] == "cloud-watch-logs"
    assert flow_log["DeliverLogsPermissionArn"].endswith("-local-flow-logs")
    (group,) = aws.client("logs").describe_log_groups(logGroupNamePrefix=flow_log["LogGroupName"])[
        "logGroups"
    ]
    assert group["kmsKeyId"] == outputs["LogKeyArn"]
    assert group["retentionInDays"] == int(PARAMETERS["FlowLogDays"])


# --- other values, for the network alone ------------------------------------------------------------------

Networks = Callable[..., dict[str, str]]


@pytest.fixture
def network(
    aws: boto3.Session, outputs: dict[str, str], stacks: tuple[StackConfiguration, ...]
) -> Iterator[Networks]:
    """Deploys only the network template with the given values, and returns its outputs."""
    made: list[StackConfiguration] = []

    def deployed(**values: str) -> dict[str, str]:
        given = {**stacks[1].with_outputs(outputs).parameters, "ProjectName": "networks", **values}
        made.append(replace(stacks[1], name="networks-local-network", parameters=given, needs=frozenset()))
        return deploy(aws.client("cloudformation"), made[0], QuietConsole())

    yield deployed
    teardown(aws, made, QuietConsole())


def endpoints_of(aws: boto3.Session, vpc: str, kind: str) -> list[str]:
    filters = [{"Name": "vpc-id", "Values": [vpc]}]
    found = aws.client("ec2").describe_vpc_endpoints(Filters=filters)["VpcEndpoints"]
    return sorted(service_of(each) for each in found if each["VpcEndpointType"] == kind)


def service_of(endpoint: Any) -> str:
    """Return `ecr.api` for `com.amazonaws.<region>.ecr.api`."""
    return str(endpoint["ServiceName"]).split(".", 3)[3]


def test_zones_have_a_subnet_each_and_none_overlaps(aws: boto3.Session, network: Networks) -> None:
    ec2 = aws.client("ec2")
    zones = min(4, len(ec2.describe_availability_zones()["AvailabilityZones"]))  # many regions have three

    made = network(ZoneCount=str(zones), MakesInterfaceEndpoints="false")

    subnets = ec2.describe_subnets(SubnetIds=made["PrivateSubnetIds"].split(","))["Subnets"]
    assert len({subnet["AvailabilityZone"] for subnet in subnets}) == zones
    ranges = [ipaddress.ip_network(subnet["CidrBlock"]) for subnet in subnets]
    assert not any(one.overlaps(other) for one, other in itertools.combinations(ranges, 2))


def test_subnets_lie_in_the_zones_that_are_named(aws: boto3.Session, network: Networks) -> None:
    ec2 = aws.client("ec2")
    zones = [zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]][:0:-1][:2]

    made = network(AvailabilityZones=",".join(zones), MakesInterfaceEndpoints="false")

    ids = made["PrivateSubnetIds"].split(",")
    lie = {
        each["SubnetId"]: each["AvailabilityZone"] for each in ec2.describe_subnets(SubnetIds=ids)["Subnets"]
    }
    assert [lie[subnet] for subnet in ids] == zones


@pytest.mark.parametrize(
    ("asked", "services"),
    [
        ({"MakesInterfaceEndpoints": "false"}, []),
        ({"InterfaceEndpoints": "sts"}, ["sts"]),
        ({"InterfaceEndpoints": "kms,ecr.api,ecr.dkr"}, ["ecr.api", "ecr.dkr", "kms"]),
    ],
    ids=["none", "one", "three"],
)
def test_each_interface_endpoint_can_be_left_out(
    aws: boto3.Session, network: Networks, asked: dict[str, str], services: list[str]
) -> None:
    made = network(**asked)

    assert endpoints_of(aws, made["VpcId"], "Interface") == services
    assert endpoints_of(aws, made["VpcId"], "Gateway") == ["s3"]


@pytest.fixture
def group_of_endpoints(aws: boto3.Session, outputs: dict[str, str]) -> Iterator[str]:
    """The security group of endpoints that already exist in a VPC."""
    group = aws.resource("ec2").create_security_group(
        GroupName="owners-endpoints", Description="The owner's endpoints", VpcId=outputs["VpcId"]
    )
    yield group.id
    group.delete()


def test_an_existing_network_is_used_as_it_is(
    aws: boto3.Session, outputs: dict[str, str], group_of_endpoints: str, network: Networks
) -> None:
    ec2, before = aws.client("ec2"), endpoints_of(aws, outputs["VpcId"], "Interface")
    networks = len(ec2.describe_vpcs()["Vpcs"])

    made = network(
        ExistingVpcId=outputs["VpcId"],
        ExistingSubnetIds=outputs["PrivateSubnetIds"],
        ExistingS3EndpointId=outputs["S3EndpointId"],
        MakesInterfaceEndpoints="false",
        ExistingEndpointSecurityGroupId=group_of_endpoints,
    )

    taken_over = ("VpcId", "PrivateSubnetIds", "S3EndpointId")
    assert {key: made[key] for key in taken_over} == {key: outputs[key] for key in taken_over}
    assert made["ProcessingSecurityGroupId"] != outputs["ProcessingSecurityGroupId"]
    (group,) = ec2.describe_security_groups(GroupIds=[made["ProcessingSecurityGroupId"]])["SecurityGroups"]
    reached = [
        (pair["GroupId"], rule["FromPort"])
        for rule in group["IpPermissionsEgress"]
        for pair in rule["UserIdGroupPairs"]
        if pair["GroupId"] == group_of_endpoints
    ]
    assert reached == [(group_of_endpoints, 443)]
    assert len(ec2.describe_vpcs()["Vpcs"]) == networks
    assert endpoints_of(aws, outputs["VpcId"], "Interface") == before


# --- values that are rejected ------------------------------------------------------------------------------

REJECTED = yaml.safe_load(Path(__file__).with_name("rejected.yaml").read_text(encoding="utf-8"))


GIVEN_BY_THE_REGION = {"S3PrefixListId": "pl-0123abcd"}


@cache
def good_input() -> dict[str, str]:
    given = {key: value for stack in every_stack("templates") for key, value in stack.parameters.items()}
    return {**given, **GIVEN_BY_THE_REGION, "TemplatesUrl": "https://templates.s3.amazonaws.com/infra"}


@pytest.mark.parametrize(
    "constraint",
    [each.name for name in TEXTS for each in settings_of(name) if each.rejects],
)
def test_the_service_rejects_bad_input_by_the_template(
    aws: boto3.Session, outputs: dict[str, str], constraint: str
) -> None:
    """Each constraint of each template separately, before a stack exists."""
    template, section, about = constraint.split(".", 2)
    name, part = about.split(".", 1)
    declared = TEMPLATES[template]["Parameters"]
    bad = REJECTED[section][name][part]
    region = bad.get("AWS::Region") if section == "Rules" else None
    cloudformation = aws.client("cloudformation", region_name=region)
    given = {**outputs, **good_input(), **(bad if section == "Rules" else {name: bad})}
    reason = "Template validation error" if section == "Rules" else f"Parameter '?{name}'? (failed|must)"
    stack = f"rejected-{uuid.uuid4().hex[:8]}"
    try:
        with pytest.raises(cloudformation.exceptions.ClientError, match=f"ValidationError.*{reason}"):
            cloudformation.create_change_set(
                StackName=stack,
                ChangeSetName="c",
                ChangeSetType="CREATE",
                TemplateBody=TEXTS[template],
                Parameters=[
                    {"ParameterKey": key, "ParameterValue": given[key]} for key in declared if key in given
                ],
            )
        with pytest.raises(cloudformation.exceptions.ClientError, match="does not exist"):
            cloudformation.describe_stacks(StackName=stack)
    finally:
        cloudformation.delete_stack(StackName=stack)


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("region", ["cn-north-1", "cn-northwest-1", "us-gov-east-1", "us-gov-west-1"])
def test_templates_are_rejected_where_services_have_other_names(
    aws: boto3.Session, outputs: dict[str, str], name: str, region: str
) -> None:
    """China and GovCloud are separate partitions, whose endpoints and images are not in the templates."""
    cloudformation, given = aws.client("cloudformation", region_name=region), {**outputs, **good_input()}

    with pytest.raises(
        cloudformation.exceptions.ClientError, match="The templates support only the partition aws"
    ):
        cloudformation.create_change_set(
            StackName="elsewhere",
            ChangeSetName="c",
            ChangeSetType="CREATE",
            TemplateBody=TEXTS[name],
            Parameters=[
                {"ParameterKey": key, "ParameterValue": given[key]}
                for key in TEMPLATES[name]["Parameters"]
                if key in given
            ],
        )


REPOSITORY = {"GitHubRepository": "owner/name"}
BAD_INPUT = [
    ("network", {"VpcCidr": "10.0.0.0/8"}, "VpcCidr .*must be a private IPv4 range"),
    ("network", {"ZoneCount": "5"}, "ZoneCount.* must be one of"),
    ("network", {"ExistingVpcId": "vpc-0123abcd"}, "ExistingVpcId requires ExistingSubnetIds"),
    ("network", {"InterfaceEndpoints": "kms,ec2"}, "InterfaceEndpoints.* must be one of"),
    ("operations", {"MonthlyBudgetUsd": "100", "AlarmEmail": ""}, "MonthlyBudgetUsd requires AlarmEmail"),
    ("operations", {"AlarmEmail": "nobody"}, "AlarmEmail .*must be empty or an address"),
    ("github_oidc", {"GitHubRepository": "no-owner"}, "GitHubRepository .*must be owner/name"),
    ("github_oidc", {"GitHubRepository": "owner/*"}, "GitHubRepository .*must be owner/name"),
    ("github_oidc", {**REPOSITORY, "GitHubOwnerId": "*"}, "GitHubOwnerId .*must be a number"),
    ("github_oidc", {**REPOSITORY, "GitHubRepositoryId": "1*"}, "GitHubRepositoryId .*must be a number"),
    ("github_oidc", {**REPOSITORY, "GitHubOwnerId": "1"}, "GitHubOwnerId requires GitHubRepositoryId"),
    ("github_oidc", {**REPOSITORY, "GitHubRepositoryId": "2"}, "GitHubRepositoryId requires GitHubOwnerId"),
]


@pytest.mark.parametrize("command", ["plan", "deploy"])
@pytest.mark.parametrize(
    ("template", "parameters", "reason"),
    [
        *BAD_INPUT,
        *(
            ("network", {"AvailabilityZones": zones}, f"AvailabilityZones has {reason}")
            for zones, reason in (
                ("us-east-1a,us-east-1b,us-east-1c", "3 zones, and ZoneCount is 2: name as many zones"),
                ("us-east-1a,us-east-1a", "1 zones, and ZoneCount is 2: name as many zones, each once"),
                ("sa-east-1a,us-east-1b", "sa-east-1a, but the environment runs in"),
            )
        ),
        ("network", {"VpcCidr": "10.20.0.0/16"}, "VpcCidr 10.20.0.0/16 overlaps with 10.20.0.0/16 of other"),
        (
            "keys",
            {"Environment": "prod"},
            "Environment cannot be set here, it is the name of the file: remove",
        ),
    ],
)
def test_the_command_rejects_bad_input_before_the_first_stack_is_made(
    aws: boto3.Session,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    command: str,
    template: str,
    parameters: dict[str, str],
    reason: str,
) -> None:
    file = write_templates(tmp_path, "bad-input", **parameters)
    others = {"Stacks": ["network"], "Parameters": {"VpcCidr": "10.20.0.0/16"}}
    file.with_name("other.json").write_text(json.dumps(others))

    code = main([command, "--env", LOCAL, "--infra", str(tmp_path)])

    found = " ".join(capsys.readouterr().err.split())
    assert code == 1
    assert re.search(rf"{file.name} cannot be used:.*{reason}", found)
    stacks = aws.client("cloudformation").describe_stacks()["Stacks"]
    assert not [stack["StackName"] for stack in stacks if stack["StackName"].startswith("bad-input")]
