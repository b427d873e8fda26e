"""Finds endpoint services and instance types that an environment's availability zones do not offer.

Without this check, a deployment would fail halfway, and a job would wait for capacity.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from helpers.environments import file_of

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client

    from helpers.infra.stacks.configuration import StackConfiguration


def missing_offerings(
    ec2: "EC2Client", stacks: Sequence["StackConfiguration"], instance_types: Collection[str]
) -> list[str]:
    """Return what the zones of the stacks' subnets do not offer: a line for each such zone, with the fix.

    Args:
        ec2: a client of their region.
        stacks: the stacks of an environment; those without a network have no zones.
        instance_types: the instance types of its jobs, such as ml.m5.xlarge. The offerings of EC2 are used,
            because SageMaker does not publish its own by zone.
    """
    return [
        line
        for stack in stacks
        if stack.value("ZoneCount")
        for line in _missing_in(ec2, stack, instance_types)
    ]


def _missing_in(ec2: "EC2Client", stack: "StackConfiguration", instance_types: Collection[str]) -> list[str]:
    region = ec2.meta.region_name
    services = stack.value("InterfaceEndpoints") if stack.value("MakesInterfaceEndpoints") == "true" else ""
    names = [f"com.amazonaws.{region}.{service}" for service in filter(None, services.split(","))]
    offers = {
        **{f"the endpoint service {name}": zones for name, zones in _endpoint_zones(ec2, names).items()},
        **{
            f"the instance type {name}": zones for name, zones in _instance_zones(ec2, instance_types).items()
        },
    }
    candidates = _zones_of_region(ec2)
    complete = [zone for zone in candidates if all(zone in zones for zones in offers.values())]
    lacking = {
        zone: [name for name, zones in offers.items() if zone not in zones]
        for zone in _zones_of(ec2, stack, candidates)
    }
    return [
        f"The zone {zone} does not offer {', '.join(names)}. {_fix(stack, complete)}"
        for zone, names in lacking.items()
        if names
    ]


def _fix(stack: "StackConfiguration", complete: Sequence[str]) -> str:
    file = f"infra/parameters/{file_of(stack.environment)}"
    if stack.value("ExistingSubnetIds"):
        return f"Name subnets in other zones as ExistingSubnetIds in {file}; everything is offered in " + (
            ", ".join(complete) or "no zone"
        )
    needed = int(stack.value("ZoneCount"))
    if len(complete) < needed:
        return (
            f"Everything is offered in {', '.join(complete) or 'no zone'}: change the instance types, or "
            f"reduce InterfaceEndpoints or ZoneCount in {file}"
        )
    return f"Name zones in {file}, as AvailabilityZones: {','.join(complete[:needed])}"


def _zones_of(ec2: "EC2Client", stack: "StackConfiguration", candidates: Sequence[str]) -> list[str]:
    """Return the zones of the subnets, or those in which they will be created."""
    if existing := stack.value("ExistingSubnetIds"):
        subnets = ec2.describe_subnets(SubnetIds=existing.split(","))["Subnets"]
        return sorted({subnet["AvailabilityZone"] for subnet in subnets})
    if named := stack.value("AvailabilityZones"):
        return named.split(",")
    return [*candidates[: int(stack.value("ZoneCount"))]]


def _zones_of_region(ec2: "EC2Client") -> list[str]:
    """Return the zones as Fn::GetAZs does: those with a default subnet, or all if no zone has one.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-getavailabilityzones.html
    """
    described = ec2.describe_availability_zones(Filters=[{"Name": "state", "Values": ["available"]}])
    zones = {
        zone["ZoneName"]
        for zone in described["AvailabilityZones"]
        if zone.get("ZoneType", "availability-zone") == "availability-zone"
    }
    default = ec2.describe_subnets(Filters=[{"Name": "default-for-az", "Values": ["true"]}])["Subnets"]
    return sorted(zones & {subnet["AvailabilityZone"] for subnet in default} or zones)


def _endpoint_zones(ec2: "EC2Client", names: Sequence[str]) -> Mapping[str, Collection[str]]:
    """Return the zones of each endpoint service; empty for a service that the region does not have."""
    if not names:
        return {}
    # List all services: a request for a name that the region does not have fails.
    pages = ec2.get_paginator("describe_vpc_endpoint_services").paginate()
    offered = {
        each["ServiceName"]: each["AvailabilityZones"] for page in pages for each in page["ServiceDetails"]
    }
    return {name: offered.get(name, []) for name in names}


def _instance_zones(ec2: "EC2Client", types: Collection[str]) -> Mapping[str, Collection[str]]:
    """Return the zones of each instance type; empty for a type that the region does not have."""
    zones: dict[str, set[str]] = {name: set() for name in sorted(types)}
    if not zones:
        return {}
    pages = ec2.get_paginator("describe_instance_type_offerings").paginate(
        LocationType="availability-zone",
        Filters=[{"Name": "instance-type", "Values": [name.removeprefix("ml.") for name in zones]}],
    )
    for page in pages:
        for offering in page["InstanceTypeOfferings"]:
            zones[f"ml.{offering['InstanceType']}"].add(offering["Location"])
    return zones
