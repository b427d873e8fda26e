"""Log groups: moto's CloudFormation knows their names and their retention only as they are created."""

from typing import Any

from moto.logs.models import LogGroup

from helpers.local_aws.cloudformation.resources import Mend, Place, Properties


def give_group_its_key(group: Any, properties: Properties, _place: Place) -> None:
    """Moto ignores KmsKeyId, and RetentionInDays at an update."""
    group.kms_key_id = properties.get("KmsKeyId")
    days = properties.get("RetentionInDays")
    group.retention_in_days = int(days) if days else None


def name_all_streams() -> None:
    """`Fn::GetAtt: [Group, Arn]` names the group's streams on AWS (`…:*`), as policies on writing need it."""
    get_attribute = LogGroup.get_cfn_attribute

    def get(group: Any, name: str) -> Any:
        value = get_attribute(group, name)
        return f"{value}:*" if name == "Arn" and not value.endswith(":*") else value

    LogGroup.get_cfn_attribute = get


MENDS = {
    "AWS::Logs::LogGroup": Mend(
        apply=give_group_its_key,
        create_only=frozenset({"LogGroupName"}),
        emulated=frozenset({"KmsKeyId", "LogGroupName", "RetentionInDays", "Tags"}),
    )
}
