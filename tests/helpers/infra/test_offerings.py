"""Missing offerings of an availability zone are reported before a deployment fails."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from helpers.infra.stacks import StackConfiguration
from helpers.infra.stacks.offerings import missing_offerings

REGION = "us-east-1"
"""Its fifth zone has few instance types, in the embedded AWS as on AWS."""
NETWORK = """
Parameters:
  MakesInterfaceEndpoints: {Type: String, Default: "true"}
  InterfaceEndpoints: {Type: CommaDelimitedList, Default: "kms,sts"}
  ExistingSubnetIds: {Type: String, Default: ""}
  AvailabilityZones: {Type: String, Default: ""}
  ZoneCount: {Type: String, Default: "2"}
Resources: {}
"""


def network(**parameters: str) -> StackConfiguration:
    return StackConfiguration("dev", "a-dev-network", NETWORK, parameters, {})  # type: ignore[arg-type]


@pytest.fixture
def ec2(aws: boto3.Session) -> Any:
    return boto3.Session(region_name=REGION).client("ec2")


@pytest.fixture
def without_kms_in_a(ec2: Any) -> Iterator[Any]:
    """The endpoint service of KMS is missing in the first zone."""

    def leave_out(parsed: dict[str, Any], **_: Any) -> None:
        for service in parsed["ServiceDetails"]:
            if service["ServiceName"].endswith(".kms"):
                service["AvailabilityZones"] = [f"{REGION}{zone}" for zone in "bcdf"]

    ec2.meta.events.register("after-call.ec2.DescribeVpcEndpointServices", leave_out)
    return ec2


@pytest.mark.parametrize(
    "given", [{}, {"AvailabilityZones": f"{REGION}a,{REGION}f"}, {"ZoneCount": "4"}], ids=str
)
def test_zones_that_offer_all_are_not_mentioned(ec2: Any, given: dict[str, str]) -> None:
    assert missing_offerings(ec2, [network(**given)], ["ml.m5.xlarge"]) == []


def test_a_zone_without_an_instance_type_is_named_with_zones_that_have_it(ec2: Any) -> None:
    stack = network(AvailabilityZones=f"{REGION}a,{REGION}e")

    assert missing_offerings(ec2, [stack], ["ml.m5.xlarge"]) == [
        f"The zone {REGION}e does not offer the instance type ml.m5.xlarge. "
        f"Name zones in infra/parameters/dev.json, as AvailabilityZones: {REGION}a,{REGION}b"
    ]


def test_a_zone_without_an_endpoint_service_is_named(without_kms_in_a: Any) -> None:
    assert missing_offerings(without_kms_in_a, [network()], ["ml.m5.xlarge"]) == [
        f"The zone {REGION}a does not offer the endpoint service com.amazonaws.{REGION}.kms. "
        f"Name zones in infra/parameters/dev.json, as AvailabilityZones: {REGION}b,{REGION}c"
    ]


@pytest.mark.parametrize(
    "given", [{"InterfaceEndpoints": "sts"}, {"MakesInterfaceEndpoints": "false"}], ids=str
)
def test_only_endpoints_that_are_made_must_be_offered(without_kms_in_a: Any, given: dict[str, str]) -> None:
    assert missing_offerings(without_kms_in_a, [network(**given)], []) == []


def test_a_service_that_the_region_does_not_have_is_missing_in_each_zone(ec2: Any) -> None:
    lines = missing_offerings(ec2, [network(InterfaceEndpoints="kms,nothing")], [])

    assert [line.split(". ")[0] for line in lines] == [
        f"The zone {REGION}{zone} does not offer the endpoint service com.amazonaws.{REGION}.nothing"
        for zone in "ab"
    ]
    assert lines[0].endswith(
        "Everything is offered in no zone: change the instance types, or reduce "
        "InterfaceEndpoints or ZoneCount in infra/parameters/dev.json"
    )


def test_existing_subnets_lie_where_they_are(ec2: Any) -> None:
    vpc = ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
    of_vpc = {"Name": "vpc-id", "Values": [vpc]}
    subnets = {
        each["AvailabilityZone"]: each["SubnetId"]
        for each in ec2.describe_subnets(Filters=[of_vpc])["Subnets"]
    }
    stack = network(ExistingSubnetIds=f"{subnets[REGION + 'b']},{subnets[REGION + 'e']}")

    (line,) = missing_offerings(ec2, [stack], ["ml.m5.xlarge"])

    assert line.startswith(f"The zone {REGION}e does not offer the instance type ml.m5.xlarge. ")
    assert "Name subnets in other zones as ExistingSubnetIds in infra/parameters/dev.json" in line


def test_stacks_without_a_network_ask_for_nothing(aws: boto3.Session) -> None:
    nowhere = aws.client("ec2", endpoint_url="http://127.0.0.1:9")
    stack = StackConfiguration("dev", "x", "Resources: {}", {}, {})  # type: ignore[arg-type]

    assert missing_offerings(nowhere, [stack], ["ml.m5.xlarge"]) == []
