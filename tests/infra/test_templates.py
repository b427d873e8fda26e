"""The template of the infrastructure: what it must not say, and what it does once it is deployed."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from rich.console import Console

from helpers.aws import ENVIRONMENTS
from helpers.infra.stacks import StackConfiguration, deploy, load_configuration, teardown
from helpers.local_aws.cloudformation.change_sets import parse_template

INFRA = Path(__file__).parents[2] / "infra"
TEMPLATE = parse_template((INFRA / "basic_infra.yaml").read_text())
RESOURCES: dict[str, dict[str, Any]] = TEMPLATE["Resources"]


def of_type(resource_type: str) -> dict[str, dict[str, Any]]:
    found = {name: each["Properties"] for name, each in RESOURCES.items() if each["Type"] == resource_type}
    assert found
    return found


def statements_allowed(part: Any) -> Iterator[dict[str, Any]]:
    """Yield all Allow statements of all policies in a part of the template."""
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
    if isinstance(action, dict):  # Fn::FindInMap
        name, key, entry = action["Fn::FindInMap"]
        action = TEMPLATE["Mappings"][name][key][entry]
    return [action] if isinstance(action, str) else action


# --- the text ---------------------------------------------------------------------------------------------


def test_cfn_lint_has_nothing_to_say() -> None:
    linter = Path(sys.executable).with_name("cfn-lint")
    result = subprocess.run(
        [linter, "-t", INFRA / "basic_infra.yaml", "-r", "us-east-1", "eu-central-1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stdout) == (0, "")
    assert "cfn-lint" not in (INFRA / "basic_infra.yaml").read_text(), "no check is switched off"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_every_environment_has_its_parameters(environment: Any) -> None:
    configuration = load_configuration(environment)
    assert configuration.name == f"pyspark-processing-{environment}"
    assert configuration.tags["Environment"] == environment


def test_networks_of_environments_do_not_overlap() -> None:
    ranges = [load_configuration(environment).parameters["VpcCidr"] for environment in ENVIRONMENTS]
    assert len(set(ranges)) == len(ENVIRONMENTS)


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


def test_no_action_is_a_wildcard() -> None:
    said = [action for statement in statements_allowed(TEMPLATE) for action in actions(statement)]
    assert said
    assert [action for action in said if "*" in action] == []


def test_no_policy_of_aws_is_attached() -> None:
    assert "ManagedPolicyArns" not in json.dumps(TEMPLATE)


def test_the_role_reaches_all_resources_only_where_the_api_knows_none() -> None:
    policy = of_type("AWS::IAM::Policy")["PipelineExecutionPolicy"]
    open_to_all = {
        action
        for statement in statements_allowed(policy)
        if statement["Resource"] == "*"
        for action in actions(statement)
    }
    assert open_to_all == {
        "cloudwatch:PutMetricData",
        "ec2:DescribeDhcpOptions",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
        "ecr:GetAuthorizationToken",
        "sagemaker:ListProcessingJobs",
    }


def test_every_wildcard_resource_says_why() -> None:
    lines = (INFRA / "basic_infra.yaml").read_text().splitlines()
    wildcards = [line for line in lines if 'Resource: "*"' in line]
    assert wildcards
    assert [line for line in wildcards if "#" not in line] == []


def test_keys_and_buckets_are_retained_in_prod_and_whenever_they_are_replaced() -> None:
    stateful = [each for each in RESOURCES.values() if each["Type"] in {"AWS::KMS::Key", "AWS::S3::Bucket"}]
    assert len(stateful) == 4
    for each in stateful:
        assert each["DeletionPolicy"] == {"Fn::If": ["IsProduction", "Retain", "Delete"]}
        assert each["UpdateReplacePolicy"] == "Retain"


def test_endpoints_serve_this_account_only() -> None:
    for name, endpoint in of_type("AWS::EC2::VPCEndpoint").items():
        for statement in endpoint["PolicyDocument"]["Statement"]:
            if statement.get("Sid") != "ImageLayers":
                account = statement["Condition"]["StringEquals"]["aws:PrincipalAccount"]
                assert account == {"Ref": "AWS::AccountId"}, name


# --- the effects, asked of the services themselves --------------------------------------------------------


@pytest.fixture(scope="module")
def configuration() -> StackConfiguration:
    original = load_configuration("local")
    parameters = {**original.parameters, "ProjectName": "basic-infra", "S3PrefixListId": "pl-0123abcd"}
    return replace(original, name="basic-infra-local", parameters=parameters)


@pytest.fixture(scope="module")
def outputs(aws: boto3.Session, configuration: StackConfiguration) -> Iterator[dict[str, str]]:
    console = Console(quiet=True)
    yield deploy(aws.client("cloudformation"), configuration, console)
    teardown(aws, configuration, console)
    remaining = aws.client("ec2").describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.0.0.0/16"]}])["Vpcs"]
    names = [tag["Value"] for vpc in remaining for tag in vpc.get("Tags", []) if tag["Key"] == "Name"]
    assert "basic-infra-local" not in names


def test_outputs_are_those_that_pipelines_are_built_from(outputs: dict[str, str]) -> None:
    assert list(outputs) == [
        "VpcId",
        "PrivateSubnet1Id",
        "PrivateSubnet2Id",
        "ProcessingSecurityGroupId",
        "VolumeKeyArn",
        "DataKeyArn",
        "ArtifactBucketName",
        "DataBucketName",
        "PipelineExecutionRoleArn",
    ]
    assert all(outputs.values())


def test_everything_is_emulated_here(
    aws: boto3.Session, outputs: dict[str, str], configuration: StackConfiguration
) -> None:
    events = aws.client("cloudformation").describe_stack_events(StackName=configuration.name)["StackEvents"]
    reasons = [event.get("ResourceStatusReason", "") for event in events]
    assert [reason for reason in reasons if "not emulated" in reason] == []


def test_subnets_lie_in_two_zones_and_reach_s3_only(aws: boto3.Session, outputs: dict[str, str]) -> None:
    ec2 = aws.client("ec2")
    ids = [outputs["PrivateSubnet1Id"], outputs["PrivateSubnet2Id"]]
    subnets = ec2.describe_subnets(SubnetIds=ids)["Subnets"]
    assert len({subnet["AvailabilityZone"] for subnet in subnets}) == 2
    assert not any(subnet["MapPublicIpOnLaunch"] for subnet in subnets)
    for subnet in ids:
        (table,) = ec2.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [subnet]}])[
            "RouteTables"
        ]
        assert {route["GatewayId"][:5] for route in table["Routes"]} == {"local", "vpce-"}
        assert all(route.get("DestinationCidrBlock") != "0.0.0.0/0" for route in table["Routes"])


def test_private_names_of_endpoints_resolve(aws: boto3.Session, outputs: dict[str, str]) -> None:
    ec2, vpc = aws.client("ec2"), outputs["VpcId"]
    for attribute, key in (
        ("enableDnsSupport", "EnableDnsSupport"),
        ("enableDnsHostnames", "EnableDnsHostnames"),
    ):
        assert ec2.describe_vpc_attribute(VpcId=vpc, Attribute=attribute)[key]["Value"], attribute
    endpoints = ec2.describe_vpc_endpoints(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["VpcEndpoints"]
    interfaces = {
        each["ServiceName"].removeprefix("com.amazonaws.us-east-1."): each["PrivateDnsEnabled"]
        for each in endpoints
        if each["VpcEndpointType"] == "Interface"
    }
    services = ("logs", "monitoring", "sts", "kms", "ecr.api", "ecr.dkr", "sagemaker.api")
    assert interfaces == dict.fromkeys(services, True)


def test_the_s3_endpoint_lets_through_the_projects_buckets_and_image_layers(
    aws: boto3.Session, outputs: dict[str, str]
) -> None:
    filters = [
        {"Name": "vpc-id", "Values": [outputs["VpcId"]]},
        {"Name": "service-name", "Values": ["com.amazonaws.us-east-1.s3"]},
    ]
    (endpoint,) = aws.client("ec2").describe_vpc_endpoints(Filters=filters)["VpcEndpoints"]
    buckets = [f"arn:aws:s3:::{outputs[key]}" for key in ("ArtifactBucketName", "DataBucketName")]
    resources = [each["Resource"] for each in json.loads(endpoint["PolicyDocument"])["Statement"]]
    assert resources == [
        buckets,
        [f"{bucket}/*" for bucket in buckets],
        "arn:aws:s3:::prod-us-east-1-starport-layer-bucket/*",
    ]


def test_jobs_reach_one_another_the_endpoints_and_s3(aws: boto3.Session, outputs: dict[str, str]) -> None:
    ec2, jobs = aws.client("ec2"), outputs["ProcessingSecurityGroupId"]
    (group,) = ec2.describe_security_groups(GroupIds=[jobs])["SecurityGroups"]
    vpc = [{"Name": "vpc-id", "Values": [outputs["VpcId"]]}]
    others = ec2.describe_security_groups(Filters=vpc)["SecurityGroups"]
    (endpoints,) = [each for each in others if each["Description"].startswith("Interface endpoints")]
    assert [flow(rule) for rule in group["IpPermissions"]] == [("-1", None, [jobs])]
    assert sorted(map(flow, group["IpPermissionsEgress"])) == [
        ("-1", None, [jobs]),
        ("tcp", 443, [endpoints["GroupId"], "pl-0123abcd"]),
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


@pytest.mark.parametrize("key", ["ArtifactBucketName", "DataBucketName"])
def test_buckets_are_private_versioned_and_encrypted_with_the_data_key(
    aws: boto3.Session, outputs: dict[str, str], key: str
) -> None:
    s3, bucket = aws.client("s3"), outputs[key]
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule == {
        "ApplyServerSideEncryptionByDefault": {
            "SSEAlgorithm": "aws:kms",
            "KMSMasterKeyID": outputs["DataKeyArn"],
        },
        "BucketKeyEnabled": True,
    }
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert list(block.values()) == [True] * 4
    (ownership,) = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    assert ownership["ObjectOwnership"] == "BucketOwnerEnforced"
    rules = {each["ID"]: each for each in s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]}
    assert {rule["Status"] for rule in rules.values()} == {"Enabled"}
    assert rules["expire-noncurrent-versions"]["NoncurrentVersionExpiration"]["NoncurrentDays"] == 7
    assert rules["abort-stale-uploads"]["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] == 7
    (statement,) = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Resource"] == [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    assert str(statement["Condition"]["Bool"]["aws:SecureTransport"]).lower() == "false"


def test_what_is_written_is_encrypted_with_the_data_key(aws: boto3.Session, outputs: dict[str, str]) -> None:
    s3, bucket = aws.client("s3"), outputs["DataBucketName"]
    s3.put_object(Bucket=bucket, Key="some", Body=b"data")
    found = s3.get_object(Bucket=bucket, Key="some")
    assert (found["Body"].read(), found["SSEKMSKeyId"]) == (b"data", outputs["DataKeyArn"])


@pytest.mark.parametrize("key", ["VolumeKeyArn", "DataKeyArn"])
def test_keys_rotate_and_are_used_by_the_role_under_conditions(
    aws: boto3.Session, outputs: dict[str, str], key: str
) -> None:
    kms = aws.client("kms")
    assert kms.get_key_rotation_status(KeyId=outputs[key])["KeyRotationEnabled"]
    policy = json.loads(kms.get_key_policy(KeyId=outputs[key], PolicyName="default")["Policy"])
    by_role = [
        statement
        for statement in policy["Statement"]
        if statement["Principal"] == {"AWS": outputs["PipelineExecutionRoleArn"]}
    ]
    assert by_role
    administration = policy["Statement"][0]["Action"]
    assert {"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"}.isdisjoint(administration)
    aliases = [alias["AliasName"] for alias in kms.list_aliases(KeyId=outputs[key])["Aliases"]]
    assert aliases == [f"alias/basic-infra-local-{key.removesuffix('KeyArn').lower()}"]


def test_the_role_is_sagemakers_in_this_account(aws: boto3.Session, outputs: dict[str, str]) -> None:
    name = outputs["PipelineExecutionRoleArn"].split("/")[-1]
    trust = aws.client("iam").get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
    (statement,) = trust["Statement"]
    assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_the_role_passes_itself_to_sagemaker_only(aws: boto3.Session, outputs: dict[str, str]) -> None:
    arn = outputs["PipelineExecutionRoleArn"]
    policy = aws.client("iam").get_role_policy(RoleName=arn.split("/")[-1], PolicyName="pipeline-execution")
    statements = {each["Sid"]: each for each in policy["PolicyDocument"]["Statement"]}
    passing = statements["PassItselfToJobs"]
    assert passing["Resource"] == arn
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    assert str(statements["VolumeGrants"]["Condition"]["Bool"]["kms:GrantIsForAWSResource"]).lower() == "true"
    reached = {
        resource
        for statement in statements.values()
        for resource in (
            statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
        )
        if resource.startswith(("arn:aws:s3", "arn:aws:kms"))
    }
    code, data = (f"arn:aws:s3:::{outputs[key]}" for key in ("ArtifactBucketName", "DataBucketName"))
    assert reached == {code, data, f"{code}/*", f"{data}/*", outputs["VolumeKeyArn"], outputs["DataKeyArn"]}
