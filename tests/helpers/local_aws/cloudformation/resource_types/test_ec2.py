"""AWS::EC2."""

from typing import Any

from tests.helpers.local_aws.cloudformation.stacks import Stack, resource, template


def test_rules_of_a_security_group_change_in_place(stack: Stack) -> None:
    def content(port: int) -> dict[str, Any]:
        rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": "10.0.0.0/8"}
        group = {"Fn::GetAtt": ["Group", "GroupId"]}
        return template(
            Vpc=resource("AWS::EC2::VPC", CidrBlock="10.7.0.0/16"),
            Group=resource(
                "AWS::EC2::SecurityGroup",
                GroupDescription="x",
                VpcId={"Ref": "Vpc"},
                SecurityGroupEgress=[rule],
                SecurityGroupIngress=[rule],
            ),
            Open=resource("AWS::EC2::SecurityGroup", GroupDescription="y", VpcId={"Ref": "Vpc"}),
            Own=resource(
                "AWS::EC2::SecurityGroupEgress",
                GroupId=group,
                IpProtocol="-1",
                DestinationSecurityGroupId=group,
            ),
        ) | {"Outputs": {"Group": {"Value": group}, "Open": {"Value": {"Ref": "Open"}}}}

    def ports(group_id: str, direction: str) -> list[int | None]:
        groups = stack.aws.client("ec2").describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
        return [rule.get("FromPort") for rule in groups[0][direction]]

    stack.deploy(content(80))
    group = stack.outputs()["Group"]
    assert ports(group, "IpPermissionsEgress") == [80, None]
    assert ports(stack.outputs()["Open"], "IpPermissionsEgress") == [None], (
        "AWS opens a group without egress rules"
    )
    assert stack.update(content(81)) == "UPDATE_COMPLETE"
    assert stack.outputs()["Group"] == group
    assert sorted(ports(group, "IpPermissionsEgress"), key=str) == [81, None]
    assert ports(group, "IpPermissions") == [81]
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_network_interface_keeps_its_subnet_and_a_group_its_vpc(stack: Stack) -> None:
    subnet = resource("AWS::EC2::Subnet", VpcId={"Ref": "Vpc"}, CidrBlock="10.4.0.0/24")
    vpc = resource("AWS::EC2::VPC", CidrBlock="10.4.0.0/16")
    outputs = {"Outputs": {"Subnet": {"Value": {"Ref": "Subnet"}}, "Vpc": {"Value": {"Ref": "Vpc"}}}}
    stack.deploy(template(Vpc=vpc, Subnet=subnet) | outputs)
    ec2, found = stack.aws.client("ec2"), stack.outputs()
    group = ec2.create_security_group(GroupName="g", Description="g", VpcId=found["Vpc"])["GroupId"]
    interface = ec2.create_network_interface(SubnetId=found["Subnet"], Groups=[group])["NetworkInterface"]

    assert stack.delete() == "DELETE_FAILED"
    assert "has dependencies" in stack.events("Subnet")[-1][1]
    ec2.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])
    assert stack.delete() == "DELETE_FAILED"
    assert "has dependencies" in stack.events("Vpc")[-1][1]
    ec2.delete_security_group(GroupId=group)
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_rule_finds_its_group_by_name(stack: Stack) -> None:
    vpc = stack.aws.client("ec2").describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
    group = resource(
        "AWS::EC2::SecurityGroup", GroupDescription="x", GroupName=stack.name, VpcId=vpc[0]["VpcId"]
    )
    rule = resource(
        "AWS::EC2::SecurityGroupIngress",
        GroupName=stack.name,
        IpProtocol="tcp",
        FromPort=1,
        ToPort=2,
        CidrIp="10.0.0.0/8",
    )
    content = template(Group=group, Rule={**rule, "DependsOn": "Group"})
    assert stack.deploy(content) == "CREATE_COMPLETE"
    groups = stack.aws.client("ec2").describe_security_groups(GroupNames=[stack.name])["SecurityGroups"]
    assert groups[0]["IpPermissions"][0]["FromPort"] == 1
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_flow_log_takes_its_interval_from_a_parameter_and_is_replaced(stack: Stack) -> None:
    def content(traffic: str) -> dict[str, Any]:
        log = resource(
            "AWS::EC2::FlowLog",
            ResourceType="VPC",
            ResourceId={"Ref": "Vpc"},
            TrafficType=traffic,
            MaxAggregationInterval={"Ref": "Interval"},
            LogGroupName="flow",
            DeliverLogsPermissionArn="arn:aws:iam::123456789012:role/flow",
        )
        return template(Vpc=resource("AWS::EC2::VPC", CidrBlock="10.6.0.0/16"), Log=log) | {
            "Parameters": {"Interval": {"Type": "Number", "Default": 60}},
            "Outputs": {"Log": {"Value": {"Ref": "Log"}}},
        }

    assert stack.deploy(content("ALL")) == "CREATE_COMPLETE"
    before = stack.outputs()["Log"]
    (change,) = stack.change_set("UPDATE", content("REJECT"))["Changes"]
    assert change["ResourceChange"]["Replacement"] == "True"
    assert stack.update(content("REJECT")) == "UPDATE_COMPLETE"
    logs = stack.aws.client("ec2").describe_flow_logs(FlowLogIds=[stack.outputs()["Log"]])["FlowLogs"]
    assert (logs[0]["TrafficType"], logs[0]["MaxAggregationInterval"]) == ("REJECT", 60)
    assert before != stack.outputs()["Log"]
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_gateway_needs_no_route_table_and_gets_one_later(stack: Stack) -> None:
    def content(**tables: Any) -> dict[str, Any]:
        service = {"Fn::Sub": "com.amazonaws.${AWS::Region}.s3"}
        vpc = {"Ref": "Vpc"}
        return template(
            Vpc=resource("AWS::EC2::VPC", CidrBlock="10.6.0.0/16"),
            Table=resource("AWS::EC2::RouteTable", VpcId=vpc),
            Endpoint=resource("AWS::EC2::VPCEndpoint", VpcId=vpc, ServiceName=service, **tables),
        ) | {"Outputs": {"Table": {"Value": {"Ref": "Table"}}, "Endpoint": {"Value": {"Ref": "Endpoint"}}}}

    assert stack.deploy(content()) == "CREATE_COMPLETE"
    assert stack.update(content(RouteTableIds=[{"Ref": "Table"}])) == "UPDATE_COMPLETE"
    tables = stack.aws.client("ec2").describe_route_tables(RouteTableIds=[stack.outputs()["Table"]])
    gateways = [route.get("GatewayId") for route in tables["RouteTables"][0]["Routes"]]
    assert stack.outputs()["Endpoint"] in gateways
    assert stack.update(content()) == "UPDATE_COMPLETE"
    assert stack.delete() == "DELETE_COMPLETE"


def test_a_nat_gateway_goes_with_its_network_interface_and_frees_its_address(stack: Stack) -> None:
    content = template(
        Vpc=resource("AWS::EC2::VPC", CidrBlock="10.3.0.0/16"),
        Subnet=resource("AWS::EC2::Subnet", VpcId={"Ref": "Vpc"}, CidrBlock="10.3.0.0/24"),
        Address={**resource("AWS::EC2::EIP", Domain="vpc"), "DeletionPolicy": "Retain"},
        Gateway=resource(
            "AWS::EC2::NatGateway",
            SubnetId={"Ref": "Subnet"},
            AllocationId={"Fn::GetAtt": ["Address", "AllocationId"]},
        ),
    ) | {
        "Outputs": {
            "Address": {"Value": {"Fn::GetAtt": ["Address", "AllocationId"]}},
            "Interface": {"Value": {"Fn::GetAtt": ["Gateway", "EniId"]}},
        }
    }
    assert stack.deploy(content) == "CREATE_COMPLETE"
    ec2, found = stack.aws.client("ec2"), stack.outputs()

    def interface() -> str:
        (address,) = ec2.describe_addresses(AllocationIds=[found["Address"]])["Addresses"]
        return str(address.get("NetworkInterfaceId", ""))

    assert interface() == found["Interface"]
    assert stack.delete() == "DELETE_COMPLETE"
    assert interface() == ""
    ec2.release_address(AllocationId=found["Address"])


def test_a_rule_that_opens_nothing_fails_and_its_group_can_still_be_read(stack: Stack) -> None:
    group = {"Fn::GetAtt": ["Group", "GroupId"]}
    content = template(
        Vpc=resource("AWS::EC2::VPC", CidrBlock="10.3.0.0/16"),
        Group=resource("AWS::EC2::SecurityGroup", GroupDescription="x", VpcId={"Ref": "Vpc"}),
    )
    rule = resource("AWS::EC2::SecurityGroupIngress", GroupId=group, IpProtocol="tcp", FromPort=1, ToPort=2)
    stack.deploy(content)
    wrong = {"Resources": {**content["Resources"], "Rule": rule}}

    assert stack.update(wrong) == "UPDATE_ROLLBACK_COMPLETE"
    assert stack.events("Rule")[1] == (
        "CREATE_FAILED",
        "The rule names no addresses, no prefix list and no other security group",
    )
    stack.client.detect_stack_drift(StackName=stack.name)
    drifts = stack.client.describe_stack_resource_drifts(StackName=stack.name)["StackResourceDrifts"]
    statuses = {each["LogicalResourceId"]: each["StackResourceDriftStatus"] for each in drifts}
    assert statuses["Group"] == "IN_SYNC"
    assert stack.delete() == "DELETE_COMPLETE"
