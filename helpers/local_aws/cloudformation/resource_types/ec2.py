"""AWS::EC2: the network."""

import json
from collections.abc import Mapping
from operator import attrgetter
from typing import Any, ClassVar

from moto.cloudformation.models import cloudformation_backends
from moto.ec2.exceptions import DependencyViolationError, FlowLogAlreadyExists
from moto.ec2.models import ec2_backends
from moto.ec2.models.flow_logs import FlowLogs
from moto.ec2.models.vpcs import VPCEndPoint
from moto.ec2.utils import random_flow_log_id, random_private_ip

from helpers.local_aws.cloudformation.resource_types.base import Properties, Resource, ResourceType, as_text


class _Ec2(ResourceType):
    @property
    def _backend(self) -> Any:
        return ec2_backends[self.place.account][self.place.region]

    def _tag(self, resource: Resource, before: Properties) -> None:
        gone = {tag["Key"]: tag["Value"] for tag in before.get("Tags", [])}
        self._backend.delete_tags([resource.physical_id], gone)
        self._backend.create_tags([resource.physical_id], {**resource.tags, **resource.system_tags})


class Vpc(_Ec2):
    """AWS::EC2::VPC."""

    type_name = "AWS::EC2::VPC"
    emulated = frozenset({"CidrBlock", "EnableDnsHostnames", "EnableDnsSupport", "InstanceTenancy", "Tags"})

    def create(self, resource: Resource) -> None:
        """Create the VPC."""
        vpc = self._backend.create_vpc(
            resource.properties["CidrBlock"], resource.properties.get("InstanceTenancy", "default")
        )
        resource.physical_id = vpc.id
        self.update(resource, {})

    def read(self, resource: Resource) -> Properties | None:
        """Return the CIDR block and the DNS settings."""
        vpc = self._backend.vpcs.get(resource.physical_id)
        if vpc is None:
            return None
        return {
            "CidrBlock": vpc.cidr_block,
            "EnableDnsHostnames": vpc.enable_dns_hostnames,
            "EnableDnsSupport": vpc.enable_dns_support,
            "InstanceTenancy": vpc.instance_tenancy,
        }

    def update(self, resource: Resource, before: Properties) -> None:
        """Change DNS settings, tenancy and tags."""
        vpc = self._backend.get_vpc(resource.physical_id)
        vpc.enable_dns_support = resource.properties.get("EnableDnsSupport", True)
        vpc.enable_dns_hostnames = resource.properties.get("EnableDnsHostnames", False)
        vpc.instance_tenancy = resource.properties.get("InstanceTenancy", "default")
        self._tag(resource, before)

    def delete(self, resource: Resource) -> None:
        """Delete the VPC, which may contain no security group but the default one."""
        if resource.physical_id not in self._backend.vpcs:
            return
        groups = self._backend.describe_security_groups(filters={"vpc-id": [resource.physical_id]})
        if any(group.name != "default" for group in groups):
            text = f"The vpc '{resource.physical_id}' has dependencies and cannot be deleted."
            raise DependencyViolationError(text)
        self._backend.delete_vpc(resource.physical_id)

    def attribute(self, resource: Resource, name: str) -> Any:
        """Return an attribute of the VPC."""
        vpc = self._backend.get_vpc(resource.physical_id)
        return {
            "CidrBlock": vpc.cidr_block,
            "CidrBlockAssociations": [
                each["association_id"] for each in vpc.get_cidr_block_association_set()
            ],
            "DefaultSecurityGroup": self._backend.get_security_group_from_name("default", vpc_id=vpc.id).id,
            "VpcId": vpc.id,
        }[name]

    def may_stay(self, before: Properties, after: Properties) -> bool:
        """Return whether the tenancy changes from dedicated to default; the reverse replaces the VPC."""
        return bool(after.get("InstanceTenancy", "default") == "default")


class Subnet(_Ec2):
    """AWS::EC2::Subnet."""

    type_name = "AWS::EC2::Subnet"
    emulated = frozenset({"AvailabilityZone", "CidrBlock", "MapPublicIpOnLaunch", "Tags", "VpcId"})

    def create(self, resource: Resource) -> None:
        """Create the subnet, by default in the first availability zone."""
        zone = resource.properties.get("AvailabilityZone", f"{self.place.region}a")
        subnet = self._backend.create_subnet(
            resource.properties["VpcId"], resource.properties["CidrBlock"], availability_zone=zone
        )
        resource.physical_id = subnet.id
        self.update(resource, {})

    def read(self, resource: Resource) -> Properties | None:
        """Return the location and the address settings of the subnet."""
        subnet = self._find(resource)
        if subnet is None:
            return None
        return {
            "AvailabilityZone": subnet.availability_zone,
            "CidrBlock": subnet.cidr_block,
            "MapPublicIpOnLaunch": subnet.map_public_ip_on_launch,
            "VpcId": subnet.vpc_id,
        }

    def update(self, resource: Resource, before: Properties) -> None:
        """Change public addresses and tags."""
        subnet = self._backend.get_subnet(resource.physical_id)
        subnet.map_public_ip_on_launch = resource.properties.get("MapPublicIpOnLaunch", False)
        self._tag(resource, before)

    def delete(self, resource: Resource) -> None:
        """Delete the subnet, which may contain no network interface."""
        if self._find(resource) is None:
            return
        if any(interface.subnet.id == resource.physical_id for interface in self._backend.enis.values()):
            text = f"The subnet '{resource.physical_id}' has dependencies and cannot be deleted."
            raise DependencyViolationError(text)
        self._backend.delete_subnet(resource.physical_id)

    def attribute(self, resource: Resource, name: str) -> Any:
        """Return an attribute of the subnet."""
        subnet = self._backend.get_subnet(resource.physical_id)
        return {
            "AvailabilityZone": subnet.availability_zone,
            "AvailabilityZoneId": subnet.availability_zone_id,
            "CidrBlock": subnet.cidr_block,
            "SubnetId": subnet.id,
            "VpcId": subnet.vpc_id,
        }[name]

    def _find(self, resource: Resource) -> Any:
        zones = self._backend.subnets.values()
        return next((found for zone in zones if (found := zone.get(resource.physical_id))), None)


class RouteTable(_Ec2):
    """AWS::EC2::RouteTable."""

    type_name = "AWS::EC2::RouteTable"
    emulated = frozenset({"Tags", "VpcId"})

    def create(self, resource: Resource) -> None:
        """Create the route table."""
        table = self._backend.create_route_table(resource.properties["VpcId"])
        resource.physical_id = resource.attributes["RouteTableId"] = table.id
        self.update(resource, {})

    def read(self, resource: Resource) -> Properties | None:
        """Return the VPC of the route table."""
        table = self._backend.route_tables.get(resource.physical_id)
        return None if table is None else {"VpcId": table.vpc_id}

    def update(self, resource: Resource, before: Properties) -> None:
        """Change the tags."""
        self._tag(resource, before)

    def delete(self, resource: Resource) -> None:
        """Delete the route table."""
        if resource.physical_id in self._backend.route_tables:
            self._backend.delete_route_table(resource.physical_id)


class SubnetRouteTableAssociation(_Ec2):
    """AWS::EC2::SubnetRouteTableAssociation."""

    type_name = "AWS::EC2::SubnetRouteTableAssociation"
    emulated = frozenset({"RouteTableId", "SubnetId"})

    def create(self, resource: Resource) -> None:
        """Associate the subnet with the route table."""
        resource.physical_id = resource.attributes["Id"] = self._backend.associate_route_table(
            resource.properties["RouteTableId"], subnet_id=resource.properties["SubnetId"]
        )

    def read(self, resource: Resource) -> Properties | None:
        """Return the associated subnet and route table."""
        for table in self._backend.route_tables.values():
            for each in table.associations:
                if each["RouteTableAssociationId"] == resource.physical_id:
                    return {"RouteTableId": table.id, "SubnetId": each["SubnetId"]}
        return None

    def delete(self, resource: Resource) -> None:
        """Disassociate the subnet from the route table."""
        if self.read(resource) is not None:
            self._backend.disassociate_route_table(resource.physical_id)


class SecurityGroup(_Ec2):
    """AWS::EC2::SecurityGroup. Without egress rules in the template, a group allows all egress."""

    type_name = "AWS::EC2::SecurityGroup"
    emulated = frozenset(
        {"GroupDescription", "GroupName", "SecurityGroupEgress", "SecurityGroupIngress", "Tags", "VpcId"}
    )

    def create(self, resource: Resource) -> None:
        """Create the group with its rules."""
        properties = resource.properties
        group = self._backend.create_security_group(
            properties.get("GroupName", resource.generated_name),
            properties["GroupDescription"],
            vpc_id=properties.get("VpcId"),
        )
        resource.physical_id = group.id
        if "SecurityGroupEgress" in properties:
            group.egress_rules = []
        self.update(resource, {})

    def read(self, resource: Resource) -> Properties | None:
        """Return the rules that are not resources of their own."""
        group = self._backend.get_security_group_from_id(resource.physical_id)
        if group is None:
            return None
        apart = self._rules_of_their_own()
        return {
            "SecurityGroupEgress": [_rule(rule) for rule in group.egress_rules if rule.id not in apart],
            "SecurityGroupIngress": [_rule(rule) for rule in group.ingress_rules if rule.id not in apart],
        }

    def update(self, resource: Resource, before: Properties) -> None:
        """Replace the rules of the template; keep rules that were added otherwise."""
        group = self._backend.get_security_group_from_id(resource.physical_id)
        _close(group, resource.state.get("rules", []))
        resource.state["rules"] = opened = []
        for egress, key in ((True, "SecurityGroupEgress"), (False, "SecurityGroupIngress")):
            for declared in resource.properties.get(key, []):
                opened += [rule.id for rule in _open(self._backend, group, declared, egress=egress)]
        self._tag(resource, before)

    def _rules_of_their_own(self) -> set[str]:
        """Return the IDs of rules that are resources; they are not properties of their groups."""
        stacks = cloudformation_backends[self.place.account][self.place.region].stacks.values()
        types = {SecurityGroupEgress.type_name, SecurityGroupIngress.type_name}
        return {
            rule.id
            for stack in stacks
            for resource in stack.resources.values()
            if resource.type_name in types
            for rule in resource.state.get("rules", [])
        }

    def delete(self, resource: Resource) -> None:
        """Delete the group."""
        if self._backend.get_security_group_from_id(resource.physical_id) is not None:
            self._backend.delete_security_group(group_id=resource.physical_id)

    def attribute(self, resource: Resource, name: str) -> Any:
        """Return an attribute of the group."""
        group = self._backend.get_security_group_from_id(resource.physical_id)
        return {"GroupId": group.id, "Id": group.id, "VpcId": group.vpc_id}[name]


def _open(backend: Any, group: Any, rule: Properties, *, egress: bool) -> list[Any]:
    described = {"Description": rule["Description"]} if "Description" in rule else {}
    side = "Destination" if egress else "Source"
    others = [
        {parameter: rule[key], **described}
        for key, parameter in (
            (f"{side}SecurityGroupId", "GroupId"),
            (f"{side}SecurityGroupName", "GroupName"),
        )
        if key in rule
    ]
    prefix_list = rule.get(f"{side}PrefixListId")
    ranges = [{key: rule[key], **described} for key in ("CidrIp", "CidrIpv6") if key in rule]
    authorize = (
        backend.authorize_security_group_egress if egress else backend.authorize_security_group_ingress
    )
    rules, _ = authorize(
        group.id,
        str(rule["IpProtocol"]),
        rule.get("FromPort"),
        rule.get("ToPort"),
        ranges,
        source_groups=others,
        prefix_list_ids=[{"PrefixListId": prefix_list, **described}] if prefix_list else [],
    )
    for opened in rules:
        _describe(opened, rule.get("Description"))
    return list(rules)


def _describe(rule: Any, description: str | None) -> None:
    """Store the description of a rule where moto reads it, also if its source is not a CIDR block."""
    if description:
        rule.ip_range["Description"] = description
    else:
        rule.ip_range.pop("Description", None)


def _close(group: Any, rule_ids: list[str]) -> None:
    group.ingress_rules = [rule for rule in group.ingress_rules if rule.id not in rule_ids]
    group.egress_rules = [rule for rule in group.egress_rules if rule.id not in rule_ids]


def _rule(rule: Any) -> Mapping[str, Any]:
    side = "Destination" if rule.is_egress else "Source"
    declared = {
        "IpProtocol": rule.ip_protocol,
        "FromPort": rule.from_port,
        "ToPort": rule.to_port,
        "CidrIp": rule.cidr_ipv4,
        "CidrIpv6": rule.cidr_ipv6,
        f"{side}SecurityGroupId": rule.source_group.get("GroupId"),
        f"{side}PrefixListId": rule.prefix_list_id,
    }
    return {key: value for key, value in declared.items() if value is not None}


class _GroupRule(_Ec2):
    """A rule of a security group as a separate resource."""

    egress: ClassVar[bool]

    def create(self, resource: Resource) -> None:
        """Add the rule to its group."""
        properties = resource.properties
        named = properties.get("GroupId") or properties.get("GroupName")
        group = self._backend.get_security_group_by_name_or_id(named)
        if group is None:
            raise ValueError(f"The security group '{named}' does not exist")
        rules = _open(self._backend, group, properties, egress=self.egress)
        if not rules:
            raise ValueError("The rule names no addresses, no prefix list and no other security group")
        resource.state.update(group=group.id, rules=rules)
        resource.physical_id = resource.attributes["Id"] = str(rules[0].id)

    def read(self, resource: Resource) -> Properties | None:
        """Return no properties if the rule exists, even if it was recreated, and None otherwise."""
        group = self._backend.get_security_group_from_id(resource.state["group"])
        rules = [*group.ingress_rules, *group.egress_rules] if group else []
        there = any(
            rule == each and rule.is_egress == each.is_egress
            for rule in resource.state["rules"]
            for each in rules
        )
        return {} if there else None

    def update(self, resource: Resource, before: Properties) -> None:
        """Change the description."""
        for rule in resource.state["rules"]:
            _describe(rule, resource.properties.get("Description"))

    def delete(self, resource: Resource) -> None:
        """Remove the rule from its group."""
        ids = [rule.id for rule in resource.state["rules"]]
        if group := self._backend.get_security_group_from_id(resource.state["group"]):
            _close(group, ids)


_OF_A_RULE = frozenset({"CidrIp", "CidrIpv6", "Description", "FromPort", "GroupId", "IpProtocol", "ToPort"})


class SecurityGroupEgress(_GroupRule):
    """AWS::EC2::SecurityGroupEgress."""

    type_name = "AWS::EC2::SecurityGroupEgress"
    egress = True
    emulated = _OF_A_RULE | {"DestinationPrefixListId", "DestinationSecurityGroupId"}


class SecurityGroupIngress(_GroupRule):
    """AWS::EC2::SecurityGroupIngress."""

    type_name = "AWS::EC2::SecurityGroupIngress"
    egress = False
    emulated = _OF_A_RULE | {
        *("GroupName", "SourcePrefixListId", "SourceSecurityGroupId", "SourceSecurityGroupName")
    }


class NatGateway(_Ec2):
    """AWS::EC2::NatGateway. moto keeps the network interface of a gateway, which would block its subnet."""

    type_name = "AWS::EC2::NatGateway"
    emulated = frozenset({"AllocationId", "ConnectivityType", "SubnetId", "Tags"})

    def create(self, resource: Resource) -> None:
        """Create the gateway with a network interface, which the elastic IP address is associated with."""
        properties = resource.properties
        gateway = self._backend.create_nat_gateway(
            properties["SubnetId"],
            properties.get("AllocationId", ""),
            connectivity_type=properties.get("ConnectivityType", "public"),
        )
        resource.physical_id = resource.attributes["NatGatewayId"] = gateway.id
        resource.attributes["EniId"] = gateway.address_set[0]["networkInterfaceId"]
        self.update(resource, {})

    def read(self, resource: Resource) -> Properties | None:
        """Return the subnet of the gateway, and its address."""
        gateway = self._backend.nat_gateways.get(resource.physical_id)
        if gateway is None or gateway.state == "deleted":
            return None
        return {
            "AllocationId": gateway.address_set[0].get("allocationId"),
            "ConnectivityType": gateway.connectivity_type,
            "SubnetId": gateway.subnet_id,
        }

    def update(self, resource: Resource, before: Properties) -> None:
        """Change the tags; all other properties are create-only."""
        self._tag(resource, before)

    def delete(self, resource: Resource) -> None:
        """Delete the gateway and its network interface, which releases the elastic IP address."""
        backend = self._backend
        gateway = backend.nat_gateways.get(resource.physical_id)
        if gateway is None:
            return
        backend.delete_nat_gateway(gateway.id)
        for interface_id in (address["networkInterfaceId"] for address in gateway.address_set):
            for taken in [each for each in backend.addresses if each.network_interface_id == interface_id]:
                backend.disassociate_address(association_id=taken.association_id)
            backend.enis.pop(interface_id, None)


class VpcEndpoint(_Ec2):
    """AWS::EC2::VPCEndpoint."""

    type_name = "AWS::EC2::VPCEndpoint"
    emulated = frozenset(
        {"PolicyDocument", "PrivateDnsEnabled", "RouteTableIds", "SecurityGroupIds", "ServiceName"}
        | {"SubnetIds", "Tags", "VpcEndpointType", "VpcId"}
    )

    def create(self, resource: Resource) -> None:
        """Create the endpoint."""
        properties = resource.properties
        endpoint = self._backend.create_vpc_endpoint(
            vpc_id=properties["VpcId"],
            service_name=properties["ServiceName"],
            endpoint_type=properties.get("VpcEndpointType", "Gateway"),
            policy_document=None,
            route_table_ids=list(properties.get("RouteTableIds", [])),
            subnet_ids=list(properties.get("SubnetIds", [])),
        )
        resource.physical_id = endpoint.id
        self.update(resource, {**properties, "Tags": []})

    def read(self, resource: Resource) -> Properties | None:
        """Return the current endpoint."""
        endpoint = self._backend.vpc_end_points.get(resource.physical_id)
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

    def update(self, resource: Resource, before: Properties) -> None:
        """Change the policy, security groups, private DNS, subnets and route tables."""
        properties = resource.properties
        endpoint = self._backend.vpc_end_points[resource.physical_id]
        endpoint.policy_document = as_text(properties.get("PolicyDocument", VPCEndPoint.DEFAULT_POLICY))
        endpoint.security_group_ids = list(properties.get("SecurityGroupIds", []))
        endpoint.private_dns_enabled = properties.get("PrivateDnsEnabled", False)
        self._reach(endpoint, properties, before)
        self._tag(resource, before)

    def delete(self, resource: Resource) -> None:
        """Delete the endpoint with its routes and network interfaces."""
        self._backend.delete_vpc_endpoints([resource.physical_id])
        self._backend.vpc_end_points.pop(resource.physical_id, None)

    def attribute(self, resource: Resource, name: str) -> Any:
        """Return an attribute of the endpoint."""
        endpoint = self._backend.vpc_end_points[resource.physical_id]
        return {
            "CreationTimestamp": str(endpoint.creation_timestamp),
            "DnsEntries": [f"{each['hosted_zone_id']}:{each['dns_name']}" for each in endpoint.dns_entries],
            "Id": endpoint.id,
            "NetworkInterfaceIds": endpoint.network_interface_ids,
        }[name]

    def _reach(self, endpoint: Any, properties: Properties, before: Properties) -> None:
        backend = self._backend
        for subnet in _added(properties, before, "SubnetIds"):
            interface = backend.create_network_interface(subnet, random_private_ip())
            endpoint.network_interface_ids.append(interface.id)
        gone = _added(before, properties, "SubnetIds")
        for interface_id in list(endpoint.network_interface_ids):
            if backend.enis[interface_id].subnet.id in gone:
                endpoint.network_interface_ids.remove(interface_id)
                del backend.enis[interface_id]
        if prefix_list := endpoint.destination_prefix_list_id:
            for table in _added(properties, before, "RouteTableIds"):
                backend.create_route(
                    table, None, gateway_id=endpoint.id, destination_prefix_list_id=prefix_list
                )
            for table in _added(before, properties, "RouteTableIds"):
                backend.delete_route(table, prefix_list)
        endpoint.subnet_ids = list(properties.get("SubnetIds", []))
        endpoint.route_table_ids = list(properties.get("RouteTableIds", []))


def _added(after: Properties, before: Properties, name: str) -> list[str]:
    return [each for each in after.get(name, []) if each not in before.get(name, [])]


_LOG_FORMAT = " ".join(
    f"${{{name}}}"
    for name in (
        *("version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol"),
        *("packets", "bytes", "start", "end", "action", "log-status"),
    )
)


def _same_flow_log(one: FlowLogs, other: FlowLogs) -> bool:
    of_a_log = attrgetter(
        *("resource_id", "log_group_name", "log_destination", "traffic_type", "log_format"),
        "max_aggregation_interval",
    )
    return bool(of_a_log(one) == of_a_log(other))


class FlowLog(_Ec2):
    """AWS::EC2::FlowLog. There is no network traffic here, so nothing is logged."""

    type_name = "AWS::EC2::FlowLog"
    emulated = frozenset(
        {"DeliverLogsPermissionArn", "LogDestination", "LogDestinationType", "LogFormat", "LogGroupName"}
        | {"MaxAggregationInterval", "ResourceId", "ResourceType", "Tags", "TrafficType"}
    )

    def create(self, resource: Resource) -> None:
        """Create the flow log."""
        properties, backend = resource.properties, self._backend
        settings = {
            "deliver_logs_permission_arn": properties.get("DeliverLogsPermissionArn"),
            "log_destination": properties.get("LogDestination"),
            "log_destination_type": properties.get("LogDestinationType", "cloud-watch-logs"),
            "log_group_name": properties.get("LogGroupName"),
            "max_aggregation_interval": properties.get("MaxAggregationInterval", 600),
        }
        backend._validate_request(**settings)
        watched = properties["ResourceId"]
        {"VPC": backend.get_vpc, "Subnet": backend.get_subnet}.get(
            properties["ResourceType"], backend.get_network_interface
        )(watched)
        made = FlowLogs(
            backend,
            random_flow_log_id(),
            watched,
            properties.get("TrafficType"),
            log_format=properties.get("LogFormat", _LOG_FORMAT),
            deliver_logs_status="SUCCESS",
            deliver_logs_error_message=None,
            **settings,
        )
        # moto rejects a second flow log that differs only in its format, as a replacement does.
        if any(_same_flow_log(made, other) for other in backend.flow_logs.values()):
            raise FlowLogAlreadyExists
        backend.flow_logs[made.id] = made
        resource.physical_id = resource.attributes["Id"] = made.id
        self.update(resource, {})

    def read(self, resource: Resource) -> Properties | None:
        """Return the current flow log."""
        found = self._backend.flow_logs.get(resource.physical_id)
        if found is None:
            return None
        return {
            "DeliverLogsPermissionArn": found.deliver_logs_permission_arn,
            "LogDestinationType": found.log_destination_type,
            "LogGroupName": found.log_group_name,
            "MaxAggregationInterval": found.max_aggregation_interval,
            "ResourceId": found.resource_id,
            "TrafficType": found.traffic_type,
        }

    def update(self, resource: Resource, before: Properties) -> None:
        """Change the tags; all other properties are create-only."""
        self._tag(resource, before)

    def delete(self, resource: Resource) -> None:
        """Delete the flow log."""
        if resource.physical_id in self._backend.flow_logs:
            self._backend.delete_flow_logs([resource.physical_id])
