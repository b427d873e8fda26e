"""The mends of all types, by type."""

from helpers.local_aws.cloudformation import (
    alarms,
    ec2,
    keys_and_roles,
    logs,
    nested_stacks,
    s3,
    ssm,
    studio,
)
from helpers.local_aws.cloudformation.resources import Mend

_AS_MOTO_HAS_THEM = {
    "AWS::CloudWatch::Dashboard": Mend(emulated=frozenset({"DashboardBody", "DashboardName"})),
    "AWS::EC2::FlowLog": Mend(
        emulated=frozenset(
            {"DeliverLogsPermissionArn", "LogDestination", "LogDestinationType", "LogFormat", "LogGroupName"}
            | {"MaxAggregationInterval", "ResourceId", "ResourceType", "Tags", "TrafficType"}
        )
    ),
    "AWS::Events::Rule": Mend(
        emulated=frozenset({"Description", "EventPattern", "Name", "ScheduleExpression", "State", "Targets"})
    ),
    "AWS::SNS::Topic": Mend(emulated=frozenset({"KmsMasterKeyId", "Subscription", "TopicName"})),
}

MENDS: dict[str, Mend] = _AS_MOTO_HAS_THEM | {
    type_: mend
    for module in (alarms, ec2, keys_and_roles, logs, nested_stacks, s3, ssm, studio)
    for type_, mend in module.MENDS.items()
}


def mend_of(resource_type: str) -> Mend:
    """Return the mend of a type; one that mends nothing where there is none."""
    return MENDS.get(resource_type, Mend())
