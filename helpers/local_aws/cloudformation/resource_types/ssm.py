"""AWS::SSM: associations of the one document that templates of isolated networks use."""

import uuid

from moto.ec2.models import ec2_backends

from helpers.local_aws.cloudformation.resource_types.base import Properties, Resource, ResourceType

CLOSES_GROUP = "AWSConfigRemediation-RemoveVPCDefaultSecurityGroupRules"


class Association(ResourceType):
    """AWS::SSM::Association. Runs when it is created or changed; its schedule is ignored."""

    type_name = "AWS::SSM::Association"
    emulated = frozenset({"Name", "Parameters.GroupId"})

    def create(self, resource: Resource) -> None:
        """Run the document."""
        resource.physical_id = resource.attributes["AssociationId"] = str(uuid.uuid4())
        self.update(resource, {})

    def update(self, resource: Resource, before: Properties) -> None:
        """Remove all rules from the security groups, as the runbook does with the default group of a VPC."""
        if resource.properties["Name"] != CLOSES_GROUP:
            raise NotImplementedError(f"not emulated: the document {resource.properties['Name']}")
        for group_id in resource.properties["Parameters"]["GroupId"]:
            backend = ec2_backends[self.place.account][self.place.region]
            group = backend.get_security_group_from_id(group_id)
            group.ingress_rules, group.egress_rules = [], []

    def delete(self, resource: Resource) -> None:
        """Keep the security groups unchanged."""
