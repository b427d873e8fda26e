"""Tearing down a domain of Studio and the network under it, which its file system would hold in place."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from rich.console import Console

from helpers.infra.stacks import StackConfiguration, load_stacks, teardown
from helpers.infra.stacks.deploy import deploy_all
from helpers.infra.stacks.status import find_stack

PROJECT = "studio-test"


@pytest.fixture
def stacks(aws: boto3.Session) -> Iterator[list[StackConfiguration]]:
    """All stacks up to Studio's, deployed."""
    found = [
        replace(
            stack,
            name=stack.name.replace("pyspark-processing", PROJECT),
            parameters={**stack.parameters, "ProjectName": PROJECT},
        )
        for stack in load_stacks("local")
        if not stack.name.endswith("github-oidc")
    ]
    quiet = Console(quiet=True)
    deploy_all(aws.client("cloudformation"), found, quiet)
    yield found
    teardown(aws, found, quiet)


@pytest.fixture
def domain(aws: boto3.Session, stacks: list[StackConfiguration]) -> dict[str, Any]:
    (found,) = (
        each
        for each in aws.client("sagemaker").list_domains()["Domains"]
        if each["DomainName"] == f"{PROJECT}-local"
    )
    return dict(aws.client("sagemaker").describe_domain(DomainId=found["DomainId"]))


def nothing_left(aws: boto3.Session, stacks: list[StackConfiguration], domain: dict[str, Any]) -> bool:
    vpcs = [vpc["VpcId"] for vpc in aws.client("ec2").describe_vpcs()["Vpcs"]]
    systems = [each["FileSystemId"] for each in aws.client("efs").describe_file_systems()["FileSystems"]]
    deployed = [stack for stack in stacks if find_stack(aws.client("cloudformation"), stack.name)]
    return domain["VpcId"] not in vpcs and domain["HomeEfsFileSystemId"] not in systems and not deployed


def test_applications_spaces_profiles_and_homes_go_with_the_stacks(
    aws: boto3.Session, stacks: list[StackConfiguration], domain: dict[str, Any]
) -> None:
    sagemaker, console = aws.client("sagemaker"), Console(record=True, width=200)
    mine = {"DomainId": domain["DomainId"]}
    sagemaker.create_user_profile(**mine, UserProfileName="by-hand")
    sagemaker.create_space(
        **mine,
        SpaceName="s",
        OwnershipSettings={"OwnerUserProfileName": "by-hand"},
        SpaceSharingSettings={"SharingType": "Private"},
    )
    sagemaker.create_app(**mine, SpaceName="s", AppType="JupyterLab", AppName="default")
    sagemaker.create_app(**mine, UserProfileName="by-hand", AppType="JupyterServer", AppName="default")

    teardown(aws, stacks, console)

    assert nothing_left(aws, stacks, domain)
    said = console.export_text()
    assert f"Emptied {domain['DomainId']}: 2 applications, 1 spaces, 2 profiles." in said
    assert f"Deleted {domain['HomeEfsFileSystemId']}, the homes of {domain['DomainId']}." in said


def test_homes_that_an_interrupted_teardown_has_left_go_with_the_network(
    aws: boto3.Session, stacks: list[StackConfiguration], domain: dict[str, Any]
) -> None:
    sagemaker = aws.client("sagemaker")
    sagemaker.delete_user_profile(DomainId=domain["DomainId"], UserProfileName="data-scientist")
    aws.client("cloudformation").delete_stack(StackName=stacks[-1].name)  # as far as it came

    teardown(aws, stacks, Console(quiet=True))

    assert nothing_left(aws, stacks, domain)


def test_homes_stay_in_prod_and_are_named(
    aws: boto3.Session, stacks: list[StackConfiguration], domain: dict[str, Any]
) -> None:
    console = Console(record=True, width=250)

    teardown(aws, [replace(stacks[-1], environment="prod")], console)

    systems = [each["FileSystemId"] for each in aws.client("efs").describe_file_systems()["FileSystems"]]
    assert domain["HomeEfsFileSystemId"] in systems
    assert f"Remains: the file system of the homes of {domain['DomainId']}" in console.export_text()


def test_the_homes_of_a_domain_that_is_still_there_are_left_alone(
    aws: boto3.Session, stacks: list[StackConfiguration], domain: dict[str, Any]
) -> None:
    sagemaker = aws.client("sagemaker")
    other = sagemaker.create_domain(
        DomainName="somebody-elses",
        AuthMode="IAM",
        DefaultUserSettings={"ExecutionRole": "arn:aws:iam::123456789012:role/studio"},
        SubnetIds=domain["SubnetIds"],
        VpcId=domain["VpcId"],
    )["DomainId"]
    files = sagemaker.describe_domain(DomainId=other)["HomeEfsFileSystemId"]

    teardown(aws, stacks[-1:], Console(quiet=True))

    assert aws.client("efs").describe_mount_targets(FileSystemId=files)["MountTargets"]
    sagemaker.delete_domain(DomainId=other)
