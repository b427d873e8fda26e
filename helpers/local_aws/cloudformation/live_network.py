"""The network as it is at this moment, in the words of a template; see `live_properties`."""

import json
from collections.abc import Mapping
from typing import Any

from moto.cloudformation.models import cloudformation_backends
from moto.ec2.models import ec2_backends

from helpers.local_aws.cloudformation.resources import Place, properties_of
from helpers.local_aws.cloudformation.stack_resources import definitions_of

_RULE_TYPES = frozenset({"AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress"})


def _backend(place: Place) -> Any:
    return ec2_backends[place.account][place.region]


def _vpc(resource: Any, place: Place) -> Mapping[str, Any] | None:
    return properties_of(
        _backend(place).vpcs.get(resource.physical_resource_id),
        CidrBlock="cidr_block",
        EnableDnsHostnames="enable_dns_hostnames",
        EnableDnsSupport="enable_dns_support",
    )


def _subnet(resource: Any, place: Place) -> Mapping[str, Any] | None:
    zones = _backend(place).subnets.values()
    return properties_of(
        next((found for zone in zones if (found := zone.get(resource.physical_resource_id))), None),
        AvailabilityZone="availability_zone",
        CidrBlock="cidr_block",
        MapPublicIpOnLaunch="map_public_ip_on_launch",
        VpcId="vpc_id",
    )


def _route_table(resource: Any, place: Place) -> Mapping[str, Any] | None:
    return properties_of(_backend(place).route_tables.get(resource.physical_resource_id), VpcId="vpc_id")


def _association(resource: Any, place: Place) -> Mapping[str, Any] | None:
    for table in _backend(place).route_tables.values():
        for each in table.associations:
            if each["RouteTableAssociationId"] == resource.association_id:
                return {"RouteTableId": table.id, "SubnetId": each["SubnetId"]}
    return None


def _flow_log(resource: Any, place: Place) -> Mapping[str, Any] | None:
    return properties_of(
        _backend(place).flow_logs.get(resource.physical_resource_id),
        DeliverLogsPermissionArn="deliver_logs_permission_arn",
        LogDestinationType="log_destination_type",
        LogGroupName="log_group_name",
        MaxAggregationInterval="max_aggregation_interval",
        ResourceId="resource_id",
        TrafficType="traffic_type",
    )


def _group(resource: Any, place: Place) -> Mapping[str, Any] | None:
    group = _find_group(resource.physical_resource_id, place)
    if group is None:
        return None
    apart = {rule.id for rule in _rules_of_their_own(place)}
    return {
        "SecurityGroupEgress": [_rule(rule) for rule in group.egress_rules if rule.id not in apart],
        "SecurityGroupIngress": [_rule(rule) for rule in group.ingress_rules if rule.id not in apart],
    }


def _find_group(group_id: str, place: Place) -> Any:
    groups = _backend(place).groups.values()
    return next((found for of_vpc in groups for found in of_vpc.values() if found.id == group_id), None)


def _rules_of_their_own(place: Place) -> list[Any]:
    """Return the rules that templates have as resources, which a group's own properties do not name."""
    return [
        rule
        for stack in cloudformation_backends[place.account][place.region].stacks.values()
        for name, definition in definitions_of(stack.resource_map).items()
        if definition["Type"] in _RULE_TYPES
        for rule in getattr(stack.resource_map._parsed_resources.get(name), "rules", [])
    ]


def _rule(rule: Any) -> dict[str, Any]:
    side = "Destination" if rule.is_egress else "Source"
    said = {
        "IpProtocol": rule.ip_protocol,
        "FromPort": rule.from_port,
        "ToPort": rule.to_port,
        "CidrIp": rule.cidr_ipv4,
        "CidrIpv6": rule.cidr_ipv6,
        f"{side}SecurityGroupId": rule.source_group.get("GroupId"),
        f"{side}PrefixListId": rule.prefix_list_id,
    }
    return {key: value for key, value in said.items() if value is not None}


def _group_rule(resource: Any, place: Place) -> Mapping[str, Any] | None:
    group = _find_group(resource.group.id, place)
    rules = [*group.ingress_rules, *group.egress_rules] if group else []
    there = any(
        rule == each and rule.is_egress == each.is_egress for rule in resource.rules for each in rules
    )
    return {} if there else None


def _endpoint(resource: Any, place: Place) -> Mapping[str, Any] | None:
    endpoint = _backend(place).vpc_end_points.get(resource.physical_resource_id)
    if endpoint is None or endpoint.state.startswith("delet"):
        return None
    return {
        "PolicyDocument": json.loads(endpoint.policy_document),
        "PrivateDnsEnabled": endpoint.private_dns_enabled,
        "RouteTableIds": endpoint.route_table_ids,
        "SecurityGroupIds": endpoint.security_group_ids,
        "ServiceName": endpoint.service_name,
        "SubnetIds": endpoint.subnet_ids,
        "VpcId": endpoint.vpc_id,
    }


READERS = {
    "AWS::EC2::FlowLog": _flow_log,
    "AWS::EC2::RouteTable": _route_table,
    "AWS::EC2::SecurityGroup": _group,
    "AWS::EC2::SecurityGroupEgress": _group_rule,
    "AWS::EC2::SecurityGroupIngress": _group_rule,
    "AWS::EC2::Subnet": _subnet,
    "AWS::EC2::SubnetRouteTableAssociation": _association,
    "AWS::EC2::VPC": _vpc,
    "AWS::EC2::VPCEndpoint": _endpoint,
}
