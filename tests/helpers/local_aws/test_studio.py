"""Studio domains with boto3: their resources, what prevents their deletion, and what remains."""

import uuid
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

SETTINGS = {"ExecutionRole": "arn:aws:iam::123456789012:role/studio"}


@pytest.fixture
def network(aws: boto3.Session) -> dict[str, Any]:
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.0.0/24")["Subnet"]["SubnetId"]
    return {"VpcId": vpc, "SubnetIds": [subnet]}


@pytest.fixture
def domain(aws: boto3.Session, network: dict[str, Any]) -> str:
    created = aws.client("sagemaker").create_domain(
        DomainName=f"d-{uuid.uuid4().hex[:8]}", AuthMode="IAM", DefaultUserSettings=SETTINGS, **network
    )
    return created["DomainId"]


def test_a_domain_has_a_file_system_in_its_subnets_and_two_groups_that_name_each_other(
    aws: boto3.Session, domain: str, network: dict[str, Any]
) -> None:
    described = aws.client("sagemaker").describe_domain(DomainId=domain)
    targets = aws.client("efs").describe_mount_targets(FileSystemId=described["HomeEfsFileSystemId"])
    in_vpc = [{"Name": "vpc-id", "Values": [network["VpcId"]]}]
    groups = aws.client("ec2").describe_security_groups(Filters=in_vpc)["SecurityGroups"]
    by_name = {group["GroupName"]: group for group in groups}
    inbound = by_name[f"security-group-for-inbound-nfs-{domain}"]
    outbound = by_name[f"security-group-for-outbound-nfs-{domain}"]

    assert described["Status"] == "InService"
    assert [target["SubnetId"] for target in targets["MountTargets"]] == network["SubnetIds"]
    (rule,) = inbound["IpPermissions"]
    assert (rule["FromPort"], rule["UserIdGroupPairs"][0]["GroupId"]) == (2049, outbound["GroupId"])
    assert any(
        pair["GroupId"] == inbound["GroupId"]
        for rule in outbound["IpPermissionsEgress"]
        for pair in rule["UserIdGroupPairs"]
    )


def test_what_is_in_a_domain_keeps_it_until_it_is_deleted(aws: boto3.Session, domain: str) -> None:
    sagemaker = aws.client("sagemaker")
    profile = {"DomainId": domain, "UserProfileName": "u"}
    app = {**profile, "AppType": "JupyterServer", "AppName": "default"}
    sagemaker.create_user_profile(**profile, UserSettings=SETTINGS)
    sagemaker.create_app(**app)

    with pytest.raises(ClientError, match="ResourceInUse"):
        sagemaker.delete_domain(DomainId=domain)
    with pytest.raises(ClientError, match="has applications or spaces"):
        sagemaker.delete_user_profile(**profile)

    sagemaker.delete_app(**app)
    (listed,) = sagemaker.list_apps(DomainIdEquals=domain)["Apps"]
    assert listed["Status"] == "Deleted"
    sagemaker.delete_user_profile(**profile)
    sagemaker.delete_domain(DomainId=domain)
    with pytest.raises(ClientError, match="ResourceNotFound"):
        sagemaker.describe_domain(DomainId=domain)


@pytest.mark.parametrize(("policy", "left"), [("Retain", 1), ("Delete", 0)])
def test_the_file_system_outlives_its_domain_unless_it_is_named(
    aws: boto3.Session, domain: str, policy: str, left: int
) -> None:
    sagemaker, efs = aws.client("sagemaker"), aws.client("efs")
    files = sagemaker.describe_domain(DomainId=domain)["HomeEfsFileSystemId"]

    sagemaker.delete_domain(DomainId=domain, RetentionPolicy={"HomeEfsFileSystem": policy})

    found = [each["FileSystemId"] for each in efs.describe_file_systems()["FileSystems"]]
    assert found.count(files) == left


def test_a_domain_without_its_network_leaves_nothing_behind(
    aws: boto3.Session, network: dict[str, Any]
) -> None:
    before = {each["FileSystemId"] for each in aws.client("efs").describe_file_systems()["FileSystems"]}
    wrong = [{**network, "SubnetIds": ["subnet-0"]}, {**network, "VpcId": "vpc-0"}]
    for each in wrong:
        with pytest.raises(ClientError, match=r"ValidationException.*does not exist"):
            aws.client("sagemaker").create_domain(
                DomainName="none", AuthMode="IAM", DefaultUserSettings=SETTINGS, **each
            )
    after = {each["FileSystemId"] for each in aws.client("efs").describe_file_systems()["FileSystems"]}
    groups = aws.client("ec2").describe_security_groups(
        Filters=[{"Name": "vpc-id", "Values": [network["VpcId"]]}]
    )["SecurityGroups"]
    assert after == before
    assert [group["GroupName"] for group in groups] == ["default"]
