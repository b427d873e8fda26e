"""Two values for each property in the templates of infra/, and how the service's API returns them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3

from tests.helpers.local_aws.cloudformation.stacks import EMPTY_POLICY, POLICY, resource, template

Around = Mapping[str, str]
"""IDs and ARNs of the resources that others need, by name; see `SURROUNDINGS`."""

Read = Callable[[str], Mapping[str, Any]]
"""Returns properties of the resource with a physical ID, as the service's API shows them."""


@dataclass(frozen=True)
class Values:
    """The properties of a type at creation and after the update."""

    first: Mapping[str, Any]
    second: Mapping[str, Any]
    read: Read


def _network() -> dict[str, Any]:
    resources: dict[str, Any] = {}
    for vpc in "12":
        resources[f"Vpc{vpc}"] = resource("AWS::EC2::VPC", CidrBlock=f"10.{vpc}.0.0/16")
        of_vpc = {"VpcId": {"Ref": f"Vpc{vpc}"}}
        for number in "12":
            name = f"{vpc}{number}"
            block = f"10.{vpc}.{number}.0/24"
            resources[f"Subnet{name}"] = resource("AWS::EC2::Subnet", CidrBlock=block, **of_vpc)
            resources[f"Table{name}"] = resource("AWS::EC2::RouteTable", **of_vpc)
            resources[f"Group{name}"] = resource("AWS::EC2::SecurityGroup", GroupDescription="x", **of_vpc)
    return resources


def _others() -> dict[str, Any]:
    resources: dict[str, Any] = {}
    for number in "12":
        trust = {"AssumeRolePolicyDocument": EMPTY_POLICY}
        resources |= {
            f"Bucket{number}": resource("AWS::S3::Bucket"),
            f"Key{number}": resource("AWS::KMS::Key"),
            f"Role{number}": resource("AWS::IAM::Role", **trust),
            f"Policy{number}": resource("AWS::IAM::ManagedPolicy", PolicyDocument=POLICY),
            f"Topic{number}": resource("AWS::SNS::Topic"),
            f"Address{number}": resource("AWS::EC2::EIP", Domain="vpc"),
            f"Domain{number}": resource(
                "AWS::SageMaker::Domain",
                DomainName={"Fn::Sub": f"${{AWS::StackName}}-{number}"},
                AuthMode="IAM",
                VpcId={"Ref": "Vpc1"},
                SubnetIds=[{"Ref": "Subnet11"}],
                DefaultUserSettings={"ExecutionRole": "arn:aws:iam::123456789012:role/x"},
            ),
        }
    return resources


_RESOURCES = _network() | _others()
SURROUNDINGS = template(**_RESOURCES) | {
    "Outputs": {name: {"Value": {"Ref": name}} for name in _RESOURCES}
    | {
        f"{name}Arn": {"Value": {"Fn::GetAtt": [name, "Arn"]}}
        for name, each in _RESOURCES.items()
        if each["Type"] in {"AWS::IAM::Role", "AWS::KMS::Key", "AWS::S3::Bucket"}
    }
    | {
        f"{name}Id": {"Value": {"Fn::GetAtt": [name, "AllocationId"]}}
        for name, each in _RESOURCES.items()
        if each["Type"] == "AWS::EC2::EIP"
    }
}


def values(type_name: str, aws: boto3.Session, around: Around, unique: str) -> Values:
    """Return the values of a type; `unique` makes names unique."""
    return VALUES[type_name](aws, around, unique)


def _tags(value: str) -> list[dict[str, str]]:
    return [{"Key": "for", "Value": value}]


def _own(tags: list[dict[str, str]]) -> list[dict[str, str]]:
    return [tag for tag in tags if not tag["Key"].startswith("aws:")]


def _budget(aws: boto3.Session, around: Around, unique: str) -> Values:
    client, account = aws.client("budgets"), "123456789012"

    def budget(amount: str, unit: str) -> dict[str, Any]:
        return {
            "BudgetName": unique,
            "BudgetType": "COST",
            "TimeUnit": unit,
            "BudgetLimit": {"Amount": amount, "Unit": "USD"},
        }

    def notified(address: str) -> list[dict[str, Any]]:
        notification = {"ComparisonOperator": "GREATER_THAN", "NotificationType": "ACTUAL", "Threshold": 80}
        subscribers = [{"SubscriptionType": "EMAIL", "Address": address}]
        return [{"Notification": notification, "Subscribers": subscribers}]

    def read(name: str) -> Mapping[str, Any]:
        found = client.describe_budget(AccountId=account, BudgetName=name)["Budget"]
        of_budget = {"AccountId": account, "BudgetName": name}
        notifications = client.describe_notifications_for_budget(**of_budget)["Notifications"]
        named = ("ComparisonOperator", "NotificationType", "Threshold")
        return {
            "Budget": {key: found[key] for key in budget("1", "MONTHLY")},
            "NotificationsWithSubscribers": [
                {
                    "Notification": {key: each[key] for key in named},
                    "Subscribers": client.describe_subscribers_for_notification(
                        **of_budget, Notification={key: each[key] for key in named}
                    )["Subscribers"],
                }
                for each in notifications
            ],
        }

    first = {"Budget": budget("10", "MONTHLY"), "NotificationsWithSubscribers": notified("a@example.com")}
    # A budget with an explicit name cannot be replaced: the name is in use.
    other_name = {**budget("20", "QUARTERLY"), "BudgetName": f"{unique}-2"}
    second = {"Budget": other_name, "NotificationsWithSubscribers": notified("b@example.com")}
    return Values(first, second, read)


def _nested_stack(aws: boto3.Session, around: Around, unique: str) -> Values:
    cloudformation, s3 = aws.client("cloudformation"), aws.client("s3")
    for number in "12":
        topic = resource("AWS::SNS::Topic", DisplayName={"Ref": "P"})
        content = template(**{f"T{number}": topic}) | {"Parameters": {"P": {"Type": "String"}}}
        body = json.dumps(content).encode()
        s3.put_object(Bucket=around["Bucket1"], Key=f"{unique}/{number}.json", Body=body)

    def url(number: str) -> str:
        return f"https://s3.amazonaws.com/{around['Bucket1']}/{unique}/{number}.json"

    def read(stack_id: str) -> Mapping[str, Any]:
        (found,) = cloudformation.describe_stacks(StackName=stack_id)["Stacks"]
        body = cloudformation.get_template(StackName=stack_id)["TemplateBody"]
        return {
            "Parameters": {each["ParameterKey"]: each["ParameterValue"] for each in found["Parameters"]},
            "TemplateURL": url("1" if "T1" in body["Resources"] else "2"),
        }

    first = {"Parameters": {"P": "a"}, "TemplateURL": url("1")}
    return Values(first, {"Parameters": {"P": "b"}, "TemplateURL": url("2")}, read)


def _trail(aws: boto3.Session, around: Around, unique: str) -> Values:
    client = aws.client("cloudtrail")

    def selectors(category: str) -> list[dict[str, Any]]:
        return [{"Name": category, "FieldSelectors": [{"Field": "eventCategory", "Equals": [category]}]}]

    def read(name: str) -> Mapping[str, Any]:
        found = client.get_trail(Name=name)["Trail"]
        return {
            "AdvancedEventSelectors": client.get_event_selectors(TrailName=name)["AdvancedEventSelectors"],
            "CloudWatchLogsLogGroupArn": found["CloudWatchLogsLogGroupArn"],
            "CloudWatchLogsRoleArn": found["CloudWatchLogsRoleArn"],
            "EnableLogFileValidation": found["LogFileValidationEnabled"],
            "IsLogging": client.get_trail_status(Name=name)["IsLogging"],
            "IsMultiRegionTrail": found["IsMultiRegionTrail"],
            "KMSKeyId": found["KmsKeyId"],
            "S3BucketName": found["S3BucketName"],
            "S3KeyPrefix": found["S3KeyPrefix"],
            "TrailName": found["Name"],
        }

    def properties(number: str, category: str, *, on: bool) -> dict[str, Any]:
        return {
            "AdvancedEventSelectors": selectors(category),
            "CloudWatchLogsLogGroupArn": f"arn:aws:logs:us-east-1:123456789012:log-group:events-{number}:*",
            "CloudWatchLogsRoleArn": f"arn:aws:iam::123456789012:role/trail-{number}",
            "EnableLogFileValidation": on,
            "IsLogging": on,
            "IsMultiRegionTrail": on,
            "KMSKeyId": around[f"Key{number}Arn"],
            "S3BucketName": around[f"Bucket{number}"],
            "S3KeyPrefix": f"p{number}",
            "TrailName": f"{unique}-{number}",
        }

    return Values(properties("1", "Data", on=True), properties("2", "Management", on=False), read)


def _dashboard(aws: boto3.Session, around: Around, unique: str) -> Values:
    client = aws.client("cloudwatch")

    def read(name: str) -> Mapping[str, Any]:
        found = client.get_dashboard(DashboardName=name)
        return {"DashboardBody": found["DashboardBody"], "DashboardName": found["DashboardName"]}

    return Values(
        {"DashboardBody": '{"widgets":[]}', "DashboardName": f"{unique}-1"},
        {"DashboardBody": '{"widgets":[],"start":"-PT1H"}', "DashboardName": f"{unique}-2"},
        read,
    )


def _vpc(aws: boto3.Session, around: Around, unique: str) -> Values:
    ec2 = aws.client("ec2")

    def read(vpc_id: str) -> Mapping[str, Any]:
        (found,) = ec2.describe_vpcs(VpcIds=[vpc_id])["Vpcs"]

        def attribute(name: str) -> bool:
            answer = ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute=name[0].lower() + name[1:])
            return bool(answer[name]["Value"])

        dns = {name: attribute(name) for name in ("EnableDnsHostnames", "EnableDnsSupport")}
        return {"CidrBlock": found["CidrBlock"], "Tags": _own(found["Tags"]), **dns}

    return Values(
        {
            "CidrBlock": "10.1.0.0/16",
            "EnableDnsHostnames": True,
            "EnableDnsSupport": True,
            "Tags": _tags("a"),
        },
        {
            "CidrBlock": "10.2.0.0/16",
            "EnableDnsHostnames": False,
            "EnableDnsSupport": False,
            "Tags": _tags("b"),
        },
        read,
    )


def _subnet(aws: boto3.Session, around: Around, unique: str) -> Values:
    ec2 = aws.client("ec2")

    def read(subnet_id: str) -> Mapping[str, Any]:
        (found,) = ec2.describe_subnets(SubnetIds=[subnet_id])["Subnets"]
        members = ("AvailabilityZone", "CidrBlock", "MapPublicIpOnLaunch", "VpcId")
        return {**{key: found[key] for key in members}, "Tags": _own(found["Tags"])}

    def properties(number: str, zone: str, *, public: bool) -> dict[str, Any]:
        return {
            "AvailabilityZone": f"us-east-1{zone}",
            "CidrBlock": f"10.{number}.9.0/24",
            "MapPublicIpOnLaunch": public,
            "Tags": _tags(number),
            "VpcId": around[f"Vpc{number}"],
        }

    return Values(properties("1", "a", public=True), properties("2", "b", public=False), read)


def _route_table(aws: boto3.Session, around: Around, unique: str) -> Values:
    ec2 = aws.client("ec2")

    def read(table_id: str) -> Mapping[str, Any]:
        (found,) = ec2.describe_route_tables(RouteTableIds=[table_id])["RouteTables"]
        return {"Tags": _own(found["Tags"]), "VpcId": found["VpcId"]}

    return Values(
        {"Tags": _tags("a"), "VpcId": around["Vpc1"]}, {"Tags": _tags("b"), "VpcId": around["Vpc2"]}, read
    )


def _association(aws: boto3.Session, around: Around, unique: str) -> Values:
    ec2 = aws.client("ec2")

    def read(association_id: str) -> Mapping[str, Any]:
        filters = [{"Name": "association.route-table-association-id", "Values": [association_id]}]
        tables = ec2.describe_route_tables(Filters=filters)["RouteTables"]
        (found,) = (
            each
            for table in tables
            for each in table["Associations"]
            if each["RouteTableAssociationId"] == association_id
        )
        return {"RouteTableId": found["RouteTableId"], "SubnetId": found["SubnetId"]}

    return Values(
        {"RouteTableId": around["Table11"], "SubnetId": around["Subnet11"]},
        {"RouteTableId": around["Table12"], "SubnetId": around["Subnet12"]},
        read,
    )


def _shown_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    side = "Destination" if rule["IsEgress"] else "Source"
    other = rule.get("ReferencedGroupInfo", {}).get("GroupId")
    return {
        "Description": rule.get("Description"),
        "FromPort": rule["FromPort"],
        "GroupId": rule["GroupId"],
        "IpProtocol": rule["IpProtocol"],
        "ToPort": rule["ToPort"],
        **({f"{side}SecurityGroupId": other} if other else {"CidrIp": rule.get("CidrIpv4")}),
    }


def _group(aws: boto3.Session, around: Around, unique: str) -> Values:
    ec2 = aws.client("ec2")

    def read(group_id: str) -> Mapping[str, Any]:
        (found,) = ec2.describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
        filters = [{"Name": "group-id", "Values": [group_id]}]
        rules = ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
        shown = [_shown_rule(rule) for rule in rules if rule["IsEgress"]]
        return {
            "GroupDescription": found["Description"],
            "SecurityGroupEgress": [
                {key: rule[key] for key in ("CidrIp", "FromPort", "IpProtocol", "ToPort")} for rule in shown
            ],
            "VpcId": found["VpcId"],
        }

    def properties(number: str, port: int) -> dict[str, Any]:
        rule = {"CidrIp": "10.0.0.0/8", "FromPort": port, "IpProtocol": "tcp", "ToPort": port}
        return {
            "GroupDescription": f"group {number}",
            "SecurityGroupEgress": [rule],
            "VpcId": around[f"Vpc{number}"],
        }

    return Values(properties("1", 80), properties("2", 443), read)


def _group_rule(side: str) -> Callable[[boto3.Session, Around, str], Values]:
    def of_side(aws: boto3.Session, around: Around, unique: str) -> Values:
        ec2 = aws.client("ec2")

        def read(rule_id: str) -> Mapping[str, Any]:
            answer = ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule_id])
            (rule,) = answer["SecurityGroupRules"]
            return _shown_rule(rule)

        def properties(number: str, other: str, port: int, protocol: str) -> dict[str, Any]:
            return {
                "Description": f"rule {number}",
                f"{side}SecurityGroupId": around[f"Group1{other}"],
                "FromPort": port,
                "GroupId": around[f"Group1{number}"],
                "IpProtocol": protocol,
                "ToPort": port + 1,
            }

        return Values(properties("1", "2", 80, "tcp"), properties("2", "1", 443, "udp"), read)

    return of_side


def _endpoint(aws: boto3.Session, around: Around, unique: str) -> Values:
    ec2 = aws.client("ec2")

    def read(endpoint_id: str) -> Mapping[str, Any]:
        (found,) = ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint_id])["VpcEndpoints"]
        members = (
            "PrivateDnsEnabled",
            "RouteTableIds",
            "ServiceName",
            "SubnetIds",
            "VpcEndpointType",
            "VpcId",
        )
        return {
            **{key: found[key] for key in members},
            "PolicyDocument": json.loads(found["PolicyDocument"]),
            "SecurityGroupIds": [each["GroupId"] for each in found["Groups"]],
        }

    first = {
        "PolicyDocument": POLICY,
        "PrivateDnsEnabled": True,
        "RouteTableIds": [around["Table11"]],
        "SecurityGroupIds": [around["Group11"]],
        "ServiceName": "com.amazonaws.us-east-1.kms",
        "SubnetIds": [around["Subnet11"]],
        "VpcEndpointType": "Interface",
        "VpcId": around["Vpc1"],
    }
    second = {
        "PolicyDocument": EMPTY_POLICY,
        "PrivateDnsEnabled": False,
        "RouteTableIds": [around["Table12"]],
        "SecurityGroupIds": [around["Group12"]],
        "ServiceName": "com.amazonaws.us-east-1.s3",
        "SubnetIds": [around["Subnet12"]],
        "VpcEndpointType": "Gateway",
        "VpcId": around["Vpc2"],
    }
    return Values(first, second, read)


def _flow_log(aws: boto3.Session, around: Around, unique: str) -> Values:
    ec2 = aws.client("ec2")

    def read(log_id: str) -> Mapping[str, Any]:
        (found,) = ec2.describe_flow_logs(FlowLogIds=[log_id])["FlowLogs"]
        members = ("DeliverLogsPermissionArn", "LogDestinationType", "LogGroupName", "MaxAggregationInterval")
        return {
            **{key: found.get(key) for key in (*members, "ResourceId", "TrafficType")},
            "ResourceType": "VPC" if found["ResourceId"].startswith("vpc-") else "Subnet",
        }

    def properties(number: str, kind: str, traffic: str, interval: int) -> dict[str, Any]:
        return {
            "DeliverLogsPermissionArn": around[f"Role{number}Arn"],
            "LogDestinationType": "cloud-watch-logs",
            "LogGroupName": f"{unique}-{number}",
            "MaxAggregationInterval": interval,
            "ResourceId": around["Vpc1" if kind == "VPC" else "Subnet11"],
            "ResourceType": kind,
            "TrafficType": traffic,
        }

    return Values(properties("1", "VPC", "ALL", 60), properties("2", "Subnet", "REJECT", 600), read)


def _nat_gateway(aws: boto3.Session, around: Around, unique: str) -> Values:
    ec2 = aws.client("ec2")

    def read(gateway_id: str) -> Mapping[str, Any]:
        (found,) = ec2.describe_nat_gateways(NatGatewayIds=[gateway_id])["NatGateways"]
        return {
            "AllocationId": found["NatGatewayAddresses"][0]["AllocationId"],
            "SubnetId": found["SubnetId"],
            "Tags": _own(found["Tags"]),
        }

    def properties(number: str) -> dict[str, Any]:
        return {
            "AllocationId": around[f"Address{number}Id"],
            "SubnetId": around[f"Subnet1{number}"],
            "Tags": _tags(number),
        }

    return Values(properties("1"), properties("2"), read)


def _rule(aws: boto3.Session, around: Around, unique: str) -> Values:
    events = aws.client("events")

    def read(name: str) -> Mapping[str, Any]:
        found = events.describe_rule(Name=name)
        return {
            "Description": found["Description"],
            "EventPattern": json.loads(found["EventPattern"]),
            "State": found["State"],
            "Targets": events.list_targets_by_rule(Rule=name)["Targets"],
        }

    def properties(number: str, state: str) -> dict[str, Any]:
        return {
            "Description": f"rule {number}",
            "EventPattern": {"source": [f"aws.{number}"]},
            "State": state,
            "Targets": [{"Arn": around[f"Topic{number}"], "Id": f"target-{number}"}],
        }

    return Values(properties("1", "ENABLED"), properties("2", "DISABLED"), read)


def _schedule(aws: boto3.Session, around: Around, unique: str) -> Values:
    scheduler = aws.client("scheduler")

    def read(name: str) -> Mapping[str, Any]:
        found = scheduler.get_schedule(Name=name)
        return {
            "Description": found["Description"],
            "FlexibleTimeWindow": found["FlexibleTimeWindow"],
            "ScheduleExpression": found["ScheduleExpression"],
            "ScheduleExpressionTimezone": found["ScheduleExpressionTimezone"],
            "State": found["State"],
            "Target": {name: found["Target"][name] for name in ("Arn", "RoleArn")},
        }

    def properties(number: str, zone: str, state: str, window: Mapping[str, Any]) -> dict[str, Any]:
        pipeline = f"arn:aws:sagemaker:us-east-1:123456789012:pipeline/p{number}"
        return {
            "Description": f"schedule {number}",
            "FlexibleTimeWindow": window,
            "ScheduleExpression": f"cron(0 {number} * * ? *)",
            "ScheduleExpressionTimezone": zone,
            "State": state,
            "Target": {"Arn": pipeline, "RoleArn": around[f"Role{number}Arn"]},
        }

    return Values(
        properties("1", "UTC", "DISABLED", {"Mode": "OFF"}),
        properties("2", "Europe/Berlin", "ENABLED", {"Mode": "FLEXIBLE", "MaximumWindowInMinutes": 5}),
        read,
    )


def _managed_policy(aws: boto3.Session, around: Around, unique: str) -> Values:
    iam = aws.client("iam")

    def read(arn: str) -> Mapping[str, Any]:
        found = iam.get_policy(PolicyArn=arn)["Policy"]
        version = iam.get_policy_version(PolicyArn=arn, VersionId=found["DefaultVersionId"])["PolicyVersion"]
        return {
            "Description": found["Description"],
            "ManagedPolicyName": found["PolicyName"],
            "PolicyDocument": version["Document"],
            "Roles": [
                each["RoleName"] for each in iam.list_entities_for_policy(PolicyArn=arn)["PolicyRoles"]
            ],
        }

    def properties(number: str, document: Any) -> dict[str, Any]:
        return {
            "Description": f"policy {number}",
            "ManagedPolicyName": f"{unique}-{number}",
            "PolicyDocument": document,
            "Roles": [around[f"Role{number}"]],
        }

    return Values(properties("1", POLICY), properties("2", {**POLICY, "Id": "other"}), read)


def _oidc_provider(aws: boto3.Session, around: Around, unique: str) -> Values:
    iam = aws.client("iam")

    def read(arn: str) -> Mapping[str, Any]:
        found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
        return {"ClientIdList": found["ClientIDList"], "Url": f"https://{found['Url']}"}

    return Values(
        {"ClientIdList": ["a"], "Url": f"https://{unique}.example.com/1"},
        {"ClientIdList": ["b"], "Url": f"https://{unique}.example.com/2"},
        read,
    )


def _role(aws: boto3.Session, around: Around, unique: str) -> Values:
    iam = aws.client("iam")

    def read(name: str) -> Mapping[str, Any]:
        found = iam.get_role(RoleName=name)["Role"]
        members = ("AssumeRolePolicyDocument", "Description", "MaxSessionDuration", "RoleName")
        boundary = found["PermissionsBoundary"]["PermissionsBoundaryArn"]
        return {**{key: found[key] for key in members}, "PermissionsBoundary": boundary}

    def properties(number: str, document: Any, seconds: int) -> dict[str, Any]:
        return {
            "AssumeRolePolicyDocument": document,
            "Description": f"role {number}",
            "MaxSessionDuration": seconds,
            "PermissionsBoundary": around[f"Policy{number}"],
            "RoleName": f"{unique}-{number}",
        }

    return Values(
        properties("1", EMPTY_POLICY, 3600), properties("2", {**EMPTY_POLICY, "Id": "x"}, 7200), read
    )


def _alias(aws: boto3.Session, around: Around, unique: str) -> Values:
    kms = aws.client("kms")

    def read(name: str) -> Mapping[str, Any]:
        (found,) = (each for each in kms.list_aliases()["Aliases"] if each["AliasName"] == name)
        return {"AliasName": found["AliasName"], "TargetKeyId": found["TargetKeyId"]}

    return Values(
        {"AliasName": f"alias/{unique}-1", "TargetKeyId": around["Key1"]},
        {"AliasName": f"alias/{unique}-2", "TargetKeyId": around["Key2"]},
        read,
    )


def _key(aws: boto3.Session, around: Around, unique: str) -> Values:
    kms = aws.client("kms")

    def read(key_id: str) -> Mapping[str, Any]:
        policy = kms.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"]
        return {
            "Description": kms.describe_key(KeyId=key_id)["KeyMetadata"]["Description"],
            "EnableKeyRotation": kms.get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"],
            "KeyPolicy": json.loads(policy),
        }

    return Values(
        {"Description": "key 1", "EnableKeyRotation": True, "KeyPolicy": EMPTY_POLICY},
        {"Description": "key 2", "EnableKeyRotation": False, "KeyPolicy": {**EMPTY_POLICY, "Id": "x"}},
        read,
    )


def _log_group(aws: boto3.Session, around: Around, unique: str) -> Values:
    logs = aws.client("logs")

    def read(name: str) -> Mapping[str, Any]:
        (found,) = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        return {"KmsKeyId": found["kmsKeyId"], "RetentionInDays": found["retentionInDays"]}

    return Values(
        {"KmsKeyId": around["Key1Arn"], "RetentionInDays": 7},
        {"KmsKeyId": around["Key2Arn"], "RetentionInDays": 14},
        read,
    )


def _bucket(aws: boto3.Session, around: Around, unique: str) -> Values:
    s3 = aws.client("s3")
    blocks = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")

    def read(name: str) -> Mapping[str, Any]:
        encryption = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0]
        (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
        logging = s3.get_bucket_logging(Bucket=name)["LoggingEnabled"]
        ownership = s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"]
        return {
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {
                        "BucketKeyEnabled": encryption["BucketKeyEnabled"],
                        "ServerSideEncryptionByDefault": encryption["ApplyServerSideEncryptionByDefault"],
                    }
                ]
            },
            "LifecycleConfiguration": {
                "Rules": [
                    {
                        "Id": rule["ID"],
                        "Status": rule["Status"],
                        "ExpirationInDays": rule["Expiration"]["Days"],
                    }
                ]
            },
            "LoggingConfiguration": {
                "DestinationBucketName": logging["TargetBucket"],
                "LogFilePrefix": logging["TargetPrefix"],
            },
            "OwnershipControls": {"Rules": ownership},
            "PublicAccessBlockConfiguration": s3.get_public_access_block(Bucket=name)[
                "PublicAccessBlockConfiguration"
            ],
            "VersioningConfiguration": {"Status": s3.get_bucket_versioning(Bucket=name)["Status"]},
        }

    def properties(number: str, ownership: str, versioning: str, *, on: bool) -> dict[str, Any]:
        by_default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": around[f"Key{number}Arn"]}
        rule = {"Id": f"rule-{number}", "Status": "Enabled", "ExpirationInDays": int(number)}
        return {
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {"BucketKeyEnabled": on, "ServerSideEncryptionByDefault": by_default}
                ]
            },
            "LifecycleConfiguration": {"Rules": [rule]},
            "LoggingConfiguration": {
                "DestinationBucketName": around[f"Bucket{number}"],
                "LogFilePrefix": f"p{number}/",
            },
            "OwnershipControls": {"Rules": [{"ObjectOwnership": ownership}]},
            "PublicAccessBlockConfiguration": dict.fromkeys(blocks, on),
            "VersioningConfiguration": {"Status": versioning},
        }

    return Values(
        properties("1", "BucketOwnerEnforced", "Enabled", on=True),
        properties("2", "BucketOwnerPreferred", "Suspended", on=False),
        read,
    )


def _bucket_policy(aws: boto3.Session, around: Around, unique: str) -> Values:
    s3 = aws.client("s3")

    def read(name: str) -> Mapping[str, Any]:
        return {"Bucket": name, "PolicyDocument": json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])}

    return Values(
        {"Bucket": around["Bucket1"], "PolicyDocument": EMPTY_POLICY},
        {"Bucket": around["Bucket2"], "PolicyDocument": {**EMPTY_POLICY, "Id": "x"}},
        read,
    )


def _topic(aws: boto3.Session, around: Around, unique: str) -> Values:
    sns = aws.client("sns")

    def read(arn: str) -> Mapping[str, Any]:
        attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
        return {"KmsMasterKeyId": attributes["KmsMasterKeyId"], "TopicName": arn.rsplit(":", 1)[1]}

    return Values(
        {"KmsMasterKeyId": around["Key1"], "TopicName": f"{unique}-1"},
        {"KmsMasterKeyId": around["Key2"], "TopicName": f"{unique}-2"},
        read,
    )


def _topic_policy(aws: boto3.Session, around: Around, unique: str) -> Values:
    sns = aws.client("sns")
    documents = [{**POLICY, "Id": f"{unique}-{number}"} for number in "12"]

    def read(_: str) -> Mapping[str, Any]:
        arns = [around[f"Topic{number}"] for number in "12"]
        found = {
            arn: json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"]) for arn in arns
        }
        topics = [arn for arn, document in found.items() if document in documents]
        return {"PolicyDocument": found[topics[0]], "Topics": topics}

    return Values(
        {"PolicyDocument": documents[0], "Topics": [around["Topic1"]]},
        {"PolicyDocument": documents[1], "Topics": [around["Topic2"]]},
        read,
    )


def _subscription(aws: boto3.Session, around: Around, unique: str) -> Values:
    sns = aws.client("sns")

    def read(arn: str) -> Mapping[str, Any]:
        found = sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        return {key: found[key] for key in ("Endpoint", "Protocol", "TopicArn")}

    return Values(
        {"Endpoint": f"{unique}@example.com", "Protocol": "email", "TopicArn": around["Topic1"]},
        {"Endpoint": f"https://example.com/{unique}", "Protocol": "https", "TopicArn": around["Topic2"]},
        read,
    )


def _domain(aws: boto3.Session, around: Around, unique: str) -> Values:
    sagemaker = aws.client("sagemaker")

    def read(domain_id: str) -> Mapping[str, Any]:
        return sagemaker.describe_domain(DomainId=domain_id)

    def properties(number: str, access: str, mode: str) -> dict[str, Any]:
        return {
            "AppNetworkAccessType": access,
            "AuthMode": mode,
            "DefaultUserSettings": {"ExecutionRole": around[f"Role{number}Arn"]},
            "DomainName": f"{unique}-{number}",
            "DomainSettings": {"SecurityGroupIds": [around[f"Group{number}1"]]},
            "KmsKeyId": around[f"Key{number}"],
            "SubnetIds": [around[f"Subnet{number}1"]],
            "VpcId": around[f"Vpc{number}"],
        }

    return Values(properties("1", "VpcOnly", "IAM"), properties("2", "PublicInternetOnly", "SSO"), read)


def _user_profile(aws: boto3.Session, around: Around, unique: str) -> Values:
    sagemaker = aws.client("sagemaker")

    def read(name: str) -> Mapping[str, Any]:
        domain = around["Domain1" if name.endswith("-1") else "Domain2"]
        return sagemaker.describe_user_profile(DomainId=domain, UserProfileName=name)

    def properties(number: str) -> dict[str, Any]:
        return {
            "DomainId": around[f"Domain{number}"],
            "UserProfileName": f"{unique}-{number}",
            "UserSettings": {"ExecutionRole": around[f"Role{number}Arn"]},
        }

    return Values(properties("1"), properties("2"), read)


def _model_package_group(aws: boto3.Session, around: Around, unique: str) -> Values:
    sagemaker = aws.client("sagemaker")

    def read(arn: str) -> Mapping[str, Any]:
        name = arn.rpartition("/")[2]
        policy = sagemaker.get_model_package_group_policy(ModelPackageGroupName=name)["ResourcePolicy"]
        return {
            **sagemaker.describe_model_package_group(ModelPackageGroupName=arn),
            "ModelPackageGroupPolicy": json.loads(policy),
            "Tags": _own(sagemaker.list_tags(ResourceArn=arn)["Tags"]),
        }

    def properties(number: str) -> dict[str, Any]:
        return {
            "ModelPackageGroupDescription": f"rings {number}",
            "ModelPackageGroupName": f"{unique}-{number}",
            "ModelPackageGroupPolicy": {**POLICY, "Id": number},
            "Tags": _tags(number),
        }

    return Values(properties("1"), properties("2"), read)


VALUES: Mapping[str, Callable[[boto3.Session, Around, str], Values]] = {
    "AWS::Budgets::Budget": _budget,
    "AWS::CloudFormation::Stack": _nested_stack,
    "AWS::CloudTrail::Trail": _trail,
    "AWS::CloudWatch::Dashboard": _dashboard,
    "AWS::EC2::FlowLog": _flow_log,
    "AWS::EC2::NatGateway": _nat_gateway,
    "AWS::EC2::RouteTable": _route_table,
    "AWS::EC2::SecurityGroup": _group,
    "AWS::EC2::SecurityGroupEgress": _group_rule("Destination"),
    "AWS::EC2::SecurityGroupIngress": _group_rule("Source"),
    "AWS::EC2::Subnet": _subnet,
    "AWS::EC2::SubnetRouteTableAssociation": _association,
    "AWS::EC2::VPC": _vpc,
    "AWS::EC2::VPCEndpoint": _endpoint,
    "AWS::Events::Rule": _rule,
    "AWS::IAM::ManagedPolicy": _managed_policy,
    "AWS::IAM::OIDCProvider": _oidc_provider,
    "AWS::IAM::Role": _role,
    "AWS::KMS::Alias": _alias,
    "AWS::KMS::Key": _key,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::S3::Bucket": _bucket,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::Scheduler::Schedule": _schedule,
    "AWS::SageMaker::Domain": _domain,
    "AWS::SageMaker::ModelPackageGroup": _model_package_group,
    "AWS::SageMaker::UserProfile": _user_profile,
    "AWS::SNS::Subscription": _subscription,
    "AWS::SNS::Topic": _topic,
    "AWS::SNS::TopicPolicy": _topic_policy,
}
