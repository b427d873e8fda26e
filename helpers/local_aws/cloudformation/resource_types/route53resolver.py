"""AWS::Route53Resolver. VPCs resolve no names here: the resources filter and log nothing."""

import uuid
from typing import ClassVar

from helpers.local_aws.cloudformation.resource_types.base import Properties, Resource, ResourceType


class _Entry(ResourceType):
    """A resource with an ID, and without any effect."""

    emulated = frozenset()
    id_prefix: ClassVar[str] = ""
    """The prefix of the ID, and the resource name in the ARN."""
    arn_kind: ClassVar[str] = ""

    def create(self, resource: Resource) -> None:
        """Set the ID."""
        identifier = f"{self.id_prefix}-{uuid.uuid4().hex[:16]}"
        arn = f"arn:{self.place.partition}:route53resolver:{self.place.region}:{self.place.account}"
        resource.attributes |= {"Id": identifier, "Arn": f"{arn}:{self.arn_kind}/{identifier}"}
        resource.physical_id = identifier

    def update(self, resource: Resource, before: Properties) -> None:
        """Change nothing."""

    def delete(self, resource: Resource) -> None:
        """Delete nothing."""


class FirewallDomainList(_Entry):
    """AWS::Route53Resolver::FirewallDomainList."""

    type_name = "AWS::Route53Resolver::FirewallDomainList"
    id_prefix = "rslvr-fdl"
    arn_kind = "firewall-domain-list"


class FirewallRuleGroup(_Entry):
    """AWS::Route53Resolver::FirewallRuleGroup."""

    type_name = "AWS::Route53Resolver::FirewallRuleGroup"
    id_prefix = "rslvr-frg"
    arn_kind = "firewall-rule-group"


class FirewallRuleGroupAssociation(_Entry):
    """AWS::Route53Resolver::FirewallRuleGroupAssociation."""

    type_name = "AWS::Route53Resolver::FirewallRuleGroupAssociation"
    id_prefix = "rslvr-frgassoc"
    arn_kind = "firewall-rule-group-association"


class ResolverQueryLoggingConfig(_Entry):
    """AWS::Route53Resolver::ResolverQueryLoggingConfig."""

    type_name = "AWS::Route53Resolver::ResolverQueryLoggingConfig"
    id_prefix = "rqlc"
    arn_kind = "resolver-query-log-config"


class ResolverQueryLoggingConfigAssociation(_Entry):
    """AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation."""

    type_name = "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation"
    id_prefix = "rqlca"
    arn_kind = "resolver-query-log-config-association"
