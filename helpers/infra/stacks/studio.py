"""Empties a Studio domain, and deletes the resources that SageMaker leaves behind.

SageMaker deletes only empty domains. It keeps the file system with the home directories and two security
groups, which belong to no stack. They prevent the deletion of the subnets and the VPC.
https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1085
"""

import re
from collections.abc import Collection
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from helpers.infra.stacks.status import stack_resources
from helpers.infra.stacks.waiting import Polling, poll

if TYPE_CHECKING:
    import boto3
    from rich.console import Console
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_ec2 import EC2Client
    from types_boto3_efs import EFSClient
    from types_boto3_sagemaker import SageMakerClient
    from types_boto3_sagemaker.type_defs import AppDetailsTypeDef

_NFS_GROUP = re.compile(r"security-group-for-(?:inbound|outbound)-nfs-(?P<domain>d-[a-z0-9]+)")
_OWNER_TAG = "ManagedByAmazonSageMakerResource"
_GONE = frozenset({"ResourceNotFound", "ResourceNotFoundException"})
_GROUP_LIMIT = 600.0
"""Seconds to wait for a security group, which SageMaker still uses for about a minute after the deletion."""


def vpc_of(session: "boto3.Session", domain_id: str) -> str | None:
    """Return the ID of the VPC of a domain, or None if the domain does not exist."""
    try:
        return session.client("sagemaker").describe_domain(DomainId=domain_id)["VpcId"]
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE:
            return None
        raise


def deleted_domains(cloudformation: "CloudFormationClient", names: Collection[str]) -> set[str]:
    """Return the IDs of domains of deleted stacks, which CloudFormation lists for 90 days."""
    pages = cloudformation.get_paginator("list_stacks").paginate(StackStatusFilter=["DELETE_COMPLETE"])
    stacks = [each for page in pages for each in page["StackSummaries"] if each["StackName"] in names]
    return {
        resource.get("PhysicalResourceId", "")
        for stack in stacks
        for resource in stack_resources(cloudformation, stack.get("StackId", ""))
        if resource["ResourceType"] == "AWS::SageMaker::Domain"
    }


def empty_domain(session: "boto3.Session", domain_id: str, console: "Console", polling: Polling) -> None:
    """Delete the applications, spaces and user profiles of a domain.

    If a profile belongs to a stack, CloudFormation treats it as deleted.
    """
    sagemaker = session.client("sagemaker")
    apps = _apps(sagemaker, domain_id)
    for app in apps:
        if app.get("Status") != "Deleting":
            owner = {"SpaceName": app["SpaceName"]} if app.get("SpaceName") else {}
            user = {"UserProfileName": app["UserProfileName"]} if app.get("UserProfileName") else {}
            sagemaker.delete_app(
                DomainId=domain_id, AppType=app["AppType"], AppName=app["AppName"], **owner, **user
            )
    poll(lambda: None if _apps(sagemaker, domain_id) else True, f"the applications of {domain_id}", polling)
    spaces = _spaces(sagemaker, domain_id)
    for space in spaces:
        sagemaker.delete_space(DomainId=domain_id, SpaceName=space)
    poll(lambda: None if _spaces(sagemaker, domain_id) else True, f"the spaces of {domain_id}", polling)
    profiles = _profiles(sagemaker, domain_id)
    for profile in profiles:
        sagemaker.delete_user_profile(DomainId=domain_id, UserProfileName=profile)
    poll(lambda: None if _profiles(sagemaker, domain_id) else True, f"the profiles of {domain_id}", polling)
    console.print(
        f"Emptied {domain_id}: {len(apps)} applications, {len(spaces)} spaces, {len(profiles)} profiles.",
        highlight=False,
    )


def _apps(sagemaker: "SageMakerClient", domain_id: str) -> list["AppDetailsTypeDef"]:
    """Return the applications that prevent the deletion of profiles; failed ones do as well."""
    pages = sagemaker.get_paginator("list_apps").paginate(DomainIdEquals=domain_id)
    # Deleted applications are still listed for a day.
    return [app for page in pages for app in page["Apps"] if app.get("Status") != "Deleted"]


def _spaces(sagemaker: "SageMakerClient", domain_id: str) -> list[str]:
    pages = sagemaker.get_paginator("list_spaces").paginate(DomainIdEquals=domain_id)
    return [space.get("SpaceName", "") for page in pages for space in page["Spaces"]]


def _profiles(sagemaker: "SageMakerClient", domain_id: str) -> list[str]:
    pages = sagemaker.get_paginator("list_user_profiles").paginate(DomainIdEquals=domain_id)
    return [profile.get("UserProfileName", "") for page in pages for profile in page["UserProfiles"]]


def delete_homes(
    session: "boto3.Session",
    vpc_id: str,
    console: "Console",
    polling: Polling,
    domains: Collection[str] | None = None,
) -> None:
    """Delete the file systems and the security groups that deleted domains left behind in a VPC.

    File systems of existing domains are kept. The function is idempotent.

    Args:
        session: a session of the region of the VPC.
        vpc_id: the ID of the VPC.
        console: the console for progress messages.
        polling: how often and how long to poll mount targets and security groups.
        domains: IDs of domains; by default those of all domains that ever existed in the VPC, for a VPC that
            is deleted as well.
    """
    ec2 = session.client("ec2")
    groups = _nfs_groups(ec2, vpc_id)
    for domain in sorted({*groups.values()} if domains is None else domains):
        if vpc_of(session, domain) is not None:
            continue
        _delete_file_system(session, domain, console, polling)
        _delete_groups(ec2, [group for group, owner in groups.items() if owner == domain], console, polling)


def _nfs_groups(ec2: "EC2Client", vpc_id: str) -> dict[str, str]:
    """Return the security groups of Studio file systems in a VPC, with their domains."""
    pages = ec2.get_paginator("describe_security_groups").paginate(
        Filters=[{"Name": "vpc-id", "Values": [vpc_id]}]
    )
    found = [
        (group["GroupId"], _NFS_GROUP.fullmatch(group["GroupName"]))
        for page in pages
        for group in page["SecurityGroups"]
    ]
    return {group: match["domain"] for group, match in found if match}


def _delete_file_system(
    session: "boto3.Session", domain_id: str, console: "Console", polling: Polling
) -> None:
    efs = session.client("efs")
    systems = [
        system["FileSystemId"]
        for page in efs.get_paginator("describe_file_systems").paginate()
        for system in page["FileSystems"]
        for tag in system["Tags"]
        if tag["Key"] == _OWNER_TAG and tag["Value"].endswith(f":domain/{domain_id}")
    ]
    for system in systems:
        for target in efs.describe_mount_targets(FileSystemId=system)["MountTargets"]:
            efs.delete_mount_target(MountTargetId=target["MountTargetId"])
        poll(partial(_is_unmounted, efs, system), f"the mount targets of {system}", polling)
        efs.delete_file_system(FileSystemId=system)
        console.print(f"Deleted {system}, the homes of {domain_id}.", highlight=False)


def _is_unmounted(efs: "EFSClient", file_system_id: str) -> bool | None:
    return None if efs.describe_mount_targets(FileSystemId=file_system_id)["MountTargets"] else True


def _delete_groups(ec2: "EC2Client", groups: list[str], console: "Console", polling: Polling) -> None:
    # The two groups refer to each other, and a group that is referred to cannot be deleted.
    there = ec2.describe_security_groups(Filters=[{"Name": "group-id", "Values": groups}]) if groups else None
    for group in there["SecurityGroups"] if there else []:
        if group.get("IpPermissions"):
            ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=group["IpPermissions"])
        if group.get("IpPermissionsEgress"):
            ec2.revoke_security_group_egress(
                GroupId=group["GroupId"], IpPermissions=group["IpPermissionsEgress"]
            )
    limited = replace(polling, limit=min(polling.limit, _GROUP_LIMIT))
    for group_id in groups:
        poll(partial(_is_deleted, ec2, group_id), f"the deletion of {group_id}", limited)
        console.print(f"Deleted {group_id}, a security group of Studio's file systems.", highlight=False)


def _is_deleted(ec2: "EC2Client", group_id: str) -> bool | None:
    """Delete a security group; return None while SageMaker still uses it."""
    try:
        ec2.delete_security_group(GroupId=group_id)
    except ClientError as error:
        match error.response["Error"]["Code"]:
            case "DependencyViolation":
                return None
            case "InvalidGroup.NotFound":
                return True
        raise
    return True
