"""Teardown of a Studio domain and its network, which the domain's file system would block."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from rich.console import Console

from helpers.errors import UserError
from helpers.infra.stacks import StackConfiguration, teardown
from helpers.infra.stacks.deploy import deploy_all
from helpers.infra.stacks.regional_values import with_regional_values
from helpers.infra.stacks.status import find_stack, stack_resources
from helpers.infra.stacks.studio import delete_homes, empty_domain
from helpers.infra.stacks.waiting import Polling
from tests.infra_folder import every_stack
from tests.quiet_console import QuietConsole

PROJECT = "studio-test"


@pytest.fixture
def stacks(aws: boto3.Session) -> Iterator[tuple[StackConfiguration, ...]]:
    """All stacks up to Studio's, deployed."""
    found = with_regional_values(aws.client("ec2"), every_stack(PROJECT)[:-1])
    quiet = QuietConsole()
    deploy_all(aws.client("cloudformation"), found, quiet)
    yield found
    teardown(aws, found, quiet)


@pytest.fixture
def domain(aws: boto3.Session, stacks: tuple[StackConfiguration, ...]) -> dict[str, Any]:
    (found,) = (
        each
        for each in aws.client("sagemaker").list_domains()["Domains"]
        if each["DomainName"] == f"{PROJECT}-local"
    )
    return dict(aws.client("sagemaker").describe_domain(DomainId=found["DomainId"]))


def nothing_left(aws: boto3.Session, stacks: tuple[StackConfiguration, ...], domain: dict[str, Any]) -> bool:
    vpcs = [vpc["VpcId"] for vpc in aws.client("ec2").describe_vpcs()["Vpcs"]]
    systems = [each["FileSystemId"] for each in aws.client("efs").describe_file_systems()["FileSystems"]]
    deployed = [stack for stack in stacks if find_stack(aws.client("cloudformation"), stack.name)]
    return domain["VpcId"] not in vpcs and domain["HomeEfsFileSystemId"] not in systems and not deployed


def test_applications_spaces_profiles_and_homes_go_with_the_stacks(
    aws: boto3.Session, stacks: tuple[StackConfiguration, ...], domain: dict[str, Any]
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
    output = console.export_text()
    assert f"Emptied {domain['DomainId']}: 2 applications, 1 spaces, 2 profiles." in output
    assert f"Deleted {domain['HomeEfsFileSystemId']}, the homes of {domain['DomainId']}." in output


def test_homes_that_an_interrupted_teardown_has_left_go_with_the_network(
    aws: boto3.Session, stacks: tuple[StackConfiguration, ...], domain: dict[str, Any]
) -> None:
    sagemaker = aws.client("sagemaker")
    sagemaker.delete_user_profile(DomainId=domain["DomainId"], UserProfileName="data-scientist")
    aws.client("cloudformation").delete_stack(StackName=stacks[-1].name)  # whatever exists

    teardown(aws, stacks, QuietConsole())

    assert nothing_left(aws, stacks, domain)


def test_homes_of_a_protected_environment_stay_and_are_named(
    aws: boto3.Session, stacks: tuple[StackConfiguration, ...], domain: dict[str, Any]
) -> None:
    console = Console(record=True, width=250)

    teardown(aws, [replace(stacks[-1], protected=True)], console)

    systems = [each["FileSystemId"] for each in aws.client("efs").describe_file_systems()["FileSystems"]]
    assert domain["HomeEfsFileSystemId"] in systems
    assert f"Remains: the file system of the homes of {domain['DomainId']}" in console.export_text()


def test_the_homes_of_a_domain_that_is_still_there_are_left_alone(
    aws: boto3.Session, stacks: tuple[StackConfiguration, ...], domain: dict[str, Any]
) -> None:
    sagemaker = aws.client("sagemaker")
    other = sagemaker.create_domain(
        DomainName="someone-elses",
        AuthMode="IAM",
        DefaultUserSettings={"ExecutionRole": "arn:aws:iam::123456789012:role/studio"},
        SubnetIds=domain["SubnetIds"],
        VpcId=domain["VpcId"],
    )["DomainId"]
    files = sagemaker.describe_domain(DomainId=other)["HomeEfsFileSystemId"]

    teardown(aws, stacks[-1:], QuietConsole())

    assert aws.client("efs").describe_mount_targets(FileSystemId=files)["MountTargets"]
    sagemaker.delete_domain(DomainId=other)


# --- a VPC that was brought: others may have domains in it --------------------------------------------------

NETWORK = """
Parameters: {ExistingVpcId: {Type: String}}
Resources: {Log: {Type: AWS::Logs::LogGroup}}
Outputs: {VpcId: {Value: !Ref ExistingVpcId}}
"""
STUDIO = """
Parameters: {VpcId: {Type: String}, SubnetId: {Type: String}}
Resources:
  Domain:
    Type: AWS::SageMaker::Domain
    Properties:
      DomainName: brought
      AuthMode: IAM
      DefaultUserSettings: {ExecutionRole: "arn:aws:iam::123456789012:role/studio"}
      VpcId: !Ref VpcId
      SubnetIds: [!Ref SubnetId]
Outputs: {DomainId: {Value: !Ref Domain}}
"""


def file_systems(aws: boto3.Session) -> set[str]:
    return {each["FileSystemId"] for each in aws.client("efs").describe_file_systems()["FileSystems"]}


def nfs_groups(aws: boto3.Session, vpc: str) -> list[str]:
    groups = aws.client("ec2").describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    return [each["GroupName"] for each in groups["SecurityGroups"] if "nfs" in each["GroupName"]]


@pytest.fixture
def brought(aws: boto3.Session) -> Iterator[tuple[str, list[StackConfiguration]]]:
    """A VPC that was created elsewhere, with two deployed stacks in it."""
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.88.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.88.0.0/24")["Subnet"]["SubnetId"]
    found = [
        StackConfiguration("local", "brought-local-network", NETWORK, {"ExistingVpcId": vpc}, {}),
        StackConfiguration("local", "brought-local-studio", STUDIO, {"VpcId": vpc, "SubnetId": subnet}, {}),
    ]
    deploy_all(aws.client("cloudformation"), found, QuietConsole())
    yield vpc, found
    teardown(aws, found, QuietConsole())


def test_homes_that_an_interruption_left_in_a_brought_vpc_go_and_those_of_others_stay(
    aws: boto3.Session, brought: tuple[str, list[StackConfiguration]]
) -> None:
    (vpc, stacks), sagemaker = brought, aws.client("sagemaker")
    mine = stack_resources(aws.client("cloudformation"), stacks[-1].name)[0]["PhysicalResourceId"]
    mine_at = sagemaker.describe_domain(DomainId=mine)["HomeEfsFileSystemId"]
    other = sagemaker.create_domain(
        DomainName="of-others",
        AuthMode="IAM",
        DefaultUserSettings={"ExecutionRole": "arn:aws:iam::123456789012:role/studio"},
        SubnetIds=[stacks[-1].parameters["SubnetId"]],
        VpcId=vpc,
    )["DomainId"]
    other_at = sagemaker.describe_domain(DomainId=other)["HomeEfsFileSystemId"]
    sagemaker.delete_domain(DomainId=other)  # keeps their file systems
    aws.client("cloudformation").delete_stack(StackName=stacks[-1].name)  # whatever the teardown left
    assert {mine_at, other_at} <= file_systems(aws)

    teardown(aws, stacks, QuietConsole())

    assert mine_at not in file_systems(aws)
    assert other_at in file_systems(aws)
    assert {name.rsplit("nfs-")[1] for name in nfs_groups(aws, vpc)} == {other}


def test_a_domain_that_was_deleted_by_hand_is_gone_and_its_homes_go_too(
    aws: boto3.Session, brought: tuple[str, list[StackConfiguration]]
) -> None:
    (vpc, stacks), sagemaker = brought, aws.client("sagemaker")
    domain = stack_resources(aws.client("cloudformation"), stacks[-1].name)[0]["PhysicalResourceId"]
    files = sagemaker.describe_domain(DomainId=domain)["HomeEfsFileSystemId"]
    sagemaker.delete_domain(DomainId=domain)

    teardown(aws, stacks, QuietConsole())

    assert [each for each in stacks if find_stack(aws.client("cloudformation"), each.name)] == []
    assert files not in file_systems(aws)
    assert nfs_groups(aws, vpc) == []


# --- what only AWS answers ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stubbed:
    """A session whose clients return prepared responses."""

    stubs: dict[str, Stubber]

    def client(self, name: str) -> Any:
        return self.stubs[name].client


@pytest.fixture
def stubbed() -> Iterator[Stubbed]:
    with ExitStack() as stack:
        yield Stubbed(
            {
                name: stack.enter_context(Stubber(boto3.client(name, region_name="eu-west-1")))
                for name in ("ec2", "efs", "sagemaker")
            }
        )


QUICK = Polling(interval=0, limit=5)
DOMAIN = "d-abc"


def with_two_groups(stubbed: Stubbed) -> Stubber:
    """Prepare a deleted domain that left its two security groups; return the stub for EC2."""
    ec2 = stubbed.stubs["ec2"]
    groups = [
        {"GroupId": f"sg-{way}", "GroupName": f"security-group-for-{way}-nfs-{DOMAIN}"}
        for way in ("inbound", "outbound")
    ]
    ec2.add_response("describe_security_groups", {"SecurityGroups": groups})
    stubbed.stubs["sagemaker"].add_client_error("describe_domain", "ResourceNotFound")
    stubbed.stubs["efs"].add_response("describe_file_systems", {"FileSystems": []})
    ec2.add_response("describe_security_groups", {"SecurityGroups": groups})
    return ec2


def test_a_group_that_sagemaker_still_holds_is_waited_for_and_one_that_is_gone_is_deleted(
    stubbed: Stubbed,
) -> None:
    ec2 = with_two_groups(stubbed)
    ec2.add_client_error("delete_security_group", "DependencyViolation")
    ec2.add_client_error("delete_security_group", "DependencyViolation")
    ec2.add_response("delete_security_group", {}, {"GroupId": "sg-inbound"})
    ec2.add_client_error("delete_security_group", "InvalidGroup.NotFound")
    console = Console(record=True, width=200)

    delete_homes(cast("boto3.Session", stubbed), "vpc-1", console, QUICK)

    ec2.assert_no_pending_responses()
    assert "Deleted sg-outbound" in console.export_text()


def test_a_group_that_stays_in_use_is_reported(stubbed: Stubbed) -> None:
    ec2 = with_two_groups(stubbed)
    ec2.add_client_error("delete_security_group", "DependencyViolation")
    with pytest.raises(UserError, match="The deletion of sg-inbound did not end"):
        delete_homes(cast("boto3.Session", stubbed), "vpc-1", QuietConsole(), Polling(interval=0, limit=0))


def test_a_group_that_may_not_be_deleted_is_an_error(stubbed: Stubbed) -> None:
    with_two_groups(stubbed).add_client_error("delete_security_group", "UnauthorizedOperation")
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        delete_homes(cast("boto3.Session", stubbed), "vpc-1", QuietConsole(), QUICK)


def test_applications_that_failed_are_deleted_before_their_profile(stubbed: Stubbed) -> None:
    sagemaker = stubbed.stubs["sagemaker"]
    app = {"DomainId": DOMAIN, "UserProfileName": "u", "AppType": "JupyterServer", "AppName": "default"}
    sagemaker.add_response("list_apps", {"Apps": [{**app, "Status": "Failed"}]})
    sagemaker.add_response("delete_app", {}, app)
    sagemaker.add_response("list_apps", {"Apps": [{**app, "Status": "Deleting"}]})
    sagemaker.add_response("list_apps", {"Apps": [{**app, "Status": "Deleted"}]})
    sagemaker.add_response("list_spaces", {"Spaces": []})
    sagemaker.add_response("list_spaces", {"Spaces": []})
    sagemaker.add_response("list_user_profiles", {"UserProfiles": [{"UserProfileName": "u"}]})
    sagemaker.add_response("delete_user_profile", {}, {"DomainId": DOMAIN, "UserProfileName": "u"})
    sagemaker.add_response("list_user_profiles", {"UserProfiles": []})

    empty_domain(cast("boto3.Session", stubbed), DOMAIN, QuietConsole(), QUICK)

    sagemaker.assert_no_pending_responses()
