"""Associations of Systems Manager, for the one document that templates of a closed network use."""

from typing import Any

from moto.core.common_models import CloudFormationModel
from moto.ec2.models import ec2_backends

from helpers.local_aws.cloudformation.resources import Mend, Place, Properties, ResourceModel

CLOSES_GROUP = "AWSConfigRemediation-RemoveVPCDefaultSecurityGroupRules"


# Moto's classes are not typed, so a subclass of them has an Any for its base.
class Association(ResourceModel, CloudFormationModel):  # type: ignore[misc]
    """AWS::SSM::Association. It runs when it is made or changed; its schedule is not kept."""

    resource_type = "AWS::SSM::Association"

    @classmethod
    def create(cls, name: str, properties: Properties, _place: Place) -> "Association":
        """Return the resource; its mend runs it."""
        if properties["Name"] != CLOSES_GROUP:
            raise NotImplementedError(f"not emulated: the document {properties['Name']}")
        return cls(name, AssociationId=name)


def close_default_group(_association: Any, properties: Properties, place: Place) -> None:
    """Take all rules from the groups, as the runbook does from the default group of a VPC."""
    for group_id in properties["Parameters"]["GroupId"]:
        group = ec2_backends[place.account][place.region].get_security_group_from_id(group_id)
        group.ingress_rules, group.egress_rules = [], []


MENDS = {
    "AWS::SSM::Association": Mend(
        apply=close_default_group, emulated=frozenset({"Name", "Parameters.GroupId"})
    )
}
