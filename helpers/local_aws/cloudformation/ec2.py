"""The network: what moto's CloudFormation leaves without effect, or never deletes."""

import json
from typing import Any, ClassVar

from moto.core.common_models import CloudFormationModel
from moto.ec2.exceptions import DependencyViolationError
from moto.ec2.models import ec2_backends

from helpers.local_aws.cloudformation.resources import Mend, Place, Properties, ResourceModel


def _backend(place: Place) -> Any:
    return ec2_backends[place.account][place.region]


def _open(group_id: str, rule: Properties, place: Place, *, egress: bool) -> list[Any]:
    """Add a rule to a security group through moto's own API and return it as moto keeps it."""
    backend = _backend(place)
    described = {"Description": rule["Description"]} if "Description" in rule else {}
    other = rule.get("DestinationSecurityGroupId" if egress else "SourceSecurityGroupId")
    prefix_list = rule.get("DestinationPrefixListId" if egress else "SourcePrefixListId")
    ranges = [{key: rule[key], **described} for key in ("CidrIp", "CidrIpv6") if key in rule]
    authorize = (
        backend.authorize_security_group_egress if egress else backend.authorize_security_group_ingress
    )
    rules, _ = authorize(
        group_id,
        str(rule["IpProtocol"]),
        rule.get("FromPort"),
        rule.get("ToPort"),
        ranges,
        source_groups=[{"GroupId": other, **described}] if other else [],
        prefix_list_ids=[{"PrefixListId": prefix_list, **described}] if prefix_list else [],
    )
    return list(rules)


def _close(group: Any, rules: list[Any]) -> None:
    closed = {rule.id for rule in rules}
    group.ingress_rules = [rule for rule in group.ingress_rules if rule.id not in closed]
    group.egress_rules = [rule for rule in group.egress_rules if rule.id not in closed]


def give_group_its_egress(group: Any, properties: Properties, place: Place) -> None:
    """Moto ignores SecurityGroupEgress, so that each group keeps the rule that allows everything.

    An update replaces the rules of the group in place; moto would make another group with another id.
    """
    embedded = getattr(group, "embedded_rules", None)
    if embedded is None:
        # Moto has opened the ingress of a new group by itself, and given it the rule that allows everything.
        embedded = [
            *group.ingress_rules,
            *(group.egress_rules if "SecurityGroupEgress" in properties else []),
        ]
    _close(group, embedded)
    group.embedded_rules = [
        rule
        for egress, key in ((True, "SecurityGroupEgress"), (False, "SecurityGroupIngress"))
        for definition in properties.get(key, [])
        for rule in _open(group.id, definition, place, egress=egress)
    ]


def delete_group(group: Any, _properties: Properties, place: Place) -> None:
    """Delete the group by its id; moto looks for a group whose name is the id."""
    _backend(place).delete_security_group(group_id=group.id)


class _GroupRule(ResourceModel):
    """A rule of a security group as a resource of its own; moto knows ingress only, and never deletes it."""

    egress: ClassVar[bool]

    def __init__(self, group: Any, rules: list[Any]):
        super().__init__(str(rules[0].id))
        self.group, self.rules = group, rules

    @classmethod
    def create(cls, _name: str, properties: Properties, place: Place) -> "_GroupRule":
        """Add the rule to its group."""
        group = _backend(place).get_security_group_from_id(properties["GroupId"])
        return cls(group, _open(group.id, properties, place, egress=cls.egress))


# Moto's classes are not typed, so a subclass of them has an Any for its base.
class SecurityGroupEgress(_GroupRule, CloudFormationModel):  # type: ignore[misc]
    """AWS::EC2::SecurityGroupEgress."""

    resource_type = "AWS::EC2::SecurityGroupEgress"
    egress = True


class SecurityGroupIngress(_GroupRule, CloudFormationModel):  # type: ignore[misc] # as above
    """AWS::EC2::SecurityGroupIngress, in place of moto's."""

    resource_type = "AWS::EC2::SecurityGroupIngress"
    egress = False


def close_rule(rule: Any, _properties: Properties, _place: Place) -> None:
    """Take the rule out of its group."""
    _close(rule.group, rule.rules)


def give_vpc_its_dns(vpc: Any, properties: Properties, _place: Place) -> None:
    """Moto ignores both properties; private names of endpoints rest on them."""
    vpc.enable_dns_support = _true(properties.get("EnableDnsSupport", True))
    vpc.enable_dns_hostnames = _true(properties.get("EnableDnsHostnames", False))


def give_subnet_its_addresses(subnet: Any, properties: Properties, _place: Place) -> None:
    """Moto ignores MapPublicIpOnLaunch."""
    subnet.map_public_ip_on_launch = _true(properties.get("MapPublicIpOnLaunch", False))


def delete_subnet(subnet: Any, _properties: Properties, place: Place) -> None:
    """Moto deletes a subnet under the network interfaces that are in it."""
    backend = _backend(place)
    if any(interface.subnet.id == subnet.id for interface in backend.enis.values()):
        raise DependencyViolationError(f"The subnet '{subnet.id}' has dependencies and cannot be deleted.")
    backend.delete_subnet(subnet.id)


def delete_vpc(vpc: Any, _properties: Properties, place: Place) -> None:
    """Moto deletes a VPC with the security groups in it; AWS with the default group only."""
    backend = _backend(place)
    groups = backend.describe_security_groups(filters={"vpc-id": [vpc.id]})
    if any(group.name != "default" for group in groups):
        raise DependencyViolationError(f"The vpc '{vpc.id}' has dependencies and cannot be deleted.")
    backend.delete_vpc(vpc.id)


def _true(value: Any) -> bool:
    # Moto's reader of short-form YAML yields strings.
    return str(value).lower() == "true"


def associate_subnet(association: Any, _properties: Properties, place: Place) -> None:
    """Moto makes an object that no route table knows of."""
    association.association_id = _backend(place).associate_route_table(
        association.route_table_id, subnet_id=association.subnet_id
    )


def disassociate_subnet(association: Any, _properties: Properties, place: Place) -> None:
    """Moto never does, so that the route table and with it the VPC cannot be deleted."""
    _backend(place).disassociate_route_table(association.association_id)


def delete_route_table(table: Any, _properties: Properties, place: Place) -> None:
    """Moto never does, so that the VPC cannot be deleted."""
    _backend(place).delete_route_table(table.id)


def give_endpoint_its_policy(endpoint: Any, properties: Properties, _place: Place) -> None:
    """Moto keeps the policy as an object where its API answers with text, and knows no update."""
    document = properties.get("PolicyDocument")
    endpoint.policy_document = json.dumps(document) if document else None
    endpoint.security_group_ids = list(properties.get("SecurityGroupIds", []))
    endpoint.private_dns_enabled = _true(properties.get("PrivateDnsEnabled", False))


def delete_endpoint(endpoint: Any, _properties: Properties, place: Place) -> None:
    """Moto never does."""
    backend = _backend(place)
    backend.delete_vpc_endpoints([endpoint.id])
    backend.vpc_end_points.pop(endpoint.id, None)


_OF_A_RULE = frozenset(
    {"CidrIp", "CidrIpv6", "Description", "DestinationPrefixListId", "DestinationSecurityGroupId", "FromPort"}
    | {"GroupId", "IpProtocol", "SourcePrefixListId", "SourceSecurityGroupId", "ToPort"}
)
_RULE = Mend(delete=close_rule, create_only=_OF_A_RULE, emulated=_OF_A_RULE)

MENDS = {
    "AWS::EC2::VPC": Mend(
        apply=give_vpc_its_dns,
        delete=delete_vpc,
        create_only=frozenset({"CidrBlock"}),
        emulated=frozenset(
            {"CidrBlock", "EnableDnsHostnames", "EnableDnsSupport", "InstanceTenancy", "Tags"}
        ),
    ),
    "AWS::EC2::Subnet": Mend(
        apply=give_subnet_its_addresses,
        delete=delete_subnet,
        create_only=frozenset({"AvailabilityZone", "CidrBlock", "VpcId"}),
        emulated=frozenset({"AvailabilityZone", "CidrBlock", "MapPublicIpOnLaunch", "Tags", "VpcId"}),
    ),
    "AWS::EC2::RouteTable": Mend(
        delete=delete_route_table, create_only=frozenset({"VpcId"}), emulated=frozenset({"Tags", "VpcId"})
    ),
    "AWS::EC2::SubnetRouteTableAssociation": Mend(
        apply=associate_subnet,
        delete=disassociate_subnet,
        create_only=frozenset({"RouteTableId", "SubnetId"}),
        emulated=frozenset({"RouteTableId", "SubnetId"}),
    ),
    "AWS::EC2::SecurityGroup": Mend(
        apply=give_group_its_egress,
        delete=delete_group,
        create_only=frozenset({"GroupDescription", "GroupName", "VpcId"}),
        emulated=frozenset(
            {"GroupDescription", "GroupName", "SecurityGroupEgress", "SecurityGroupIngress", "Tags", "VpcId"}
        ),
    ),
    "AWS::EC2::SecurityGroupEgress": _RULE,
    "AWS::EC2::SecurityGroupIngress": _RULE,
    "AWS::EC2::VPCEndpoint": Mend(
        apply=give_endpoint_its_policy,
        delete=delete_endpoint,
        create_only=frozenset({"ServiceName", "VpcEndpointType", "VpcId"}),
        emulated=frozenset(
            {"PolicyDocument", "PrivateDnsEnabled", "RouteTableIds", "SecurityGroupIds"}
            | {"ServiceName", "SubnetIds", "Tags", "VpcEndpointType", "VpcId"}
        ),
    ),
}
