"""KMS keys, IAM roles, identity providers: updates that moto does not make, deletions made differently."""

import json
from typing import Any

from moto.core.common_models import CloudFormationModel
from moto.iam.models import iam_backends
from moto.kms.models import kms_backends

from helpers.local_aws.cloudformation.resources import Mend, Place, Properties, ResourceModel, as_tags


def _text(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


def give_key_its_policy(key: Any, properties: Properties, place: Place) -> None:
    """Moto keeps the policy as an object where its API answers with text, and knows no update."""
    key.policy = _text(properties["KeyPolicy"])
    key.description = properties.get("Description", "")
    key.key_rotation_status = str(properties.get("EnableKeyRotation", False)).lower() == "true"
    kms_backends[place.account][place.region].tag_resource(key.id, as_tags(properties))


def schedule_deletion_of_key(key: Any, properties: Properties, place: Place) -> None:
    """Moto deletes the key at once; on AWS it can be brought back for a while."""
    kms_backends[place.account][place.region].schedule_key_deletion(
        key.id, int(properties.get("PendingWindowInDays", 30))
    )


def give_role_its_policies(role: Any, properties: Properties, place: Place) -> None:
    """Moto ignores ManagedPolicyArns, and at an update all but the description."""
    backend = iam_backends[place.account][place.partition]
    role.assume_role_policy_document = _text(properties["AssumeRolePolicyDocument"])
    role.description = properties.get("Description", "")
    role.max_session_duration = int(properties.get("MaxSessionDuration", 3600))
    role.permissions_boundary_arn = properties.get("PermissionsBoundary", "")
    backend.tag_role(role.name, list(properties.get("Tags", [])))
    embedded = {
        policy["PolicyName"]: _text(policy["PolicyDocument"]) for policy in properties.get("Policies", [])
    }
    for name in getattr(role, "embedded_policies", set()) - embedded.keys():
        role.delete_policy(name)
    for name, document in embedded.items():
        role.put_policy(name, document)
    role.embedded_policies = set(embedded)
    wanted = set(properties.get("ManagedPolicyArns", []))
    attached: set[str] = getattr(role, "embedded_arns", set())
    for arn in attached - wanted:
        backend.detach_role_policy(arn, role.name)
    for arn in wanted - attached:
        backend.attach_role_policy(arn, role.name)
    role.embedded_arns = wanted


def delete_role(role: Any, properties: Properties, place: Place) -> None:
    """Moto stumbles over managed policies that are attached to the role."""
    for arn in list(role.managed_policies):
        iam_backends[place.account][place.partition].detach_role_policy(arn, role.name)
    type(role).delete_from_cloudformation_json(
        role.name, {"Properties": properties}, place.account, place.region
    )


def delete_managed_policy(policy: Any, _properties: Properties, place: Place) -> None:
    """Moto has no deletion of managed policies by CloudFormation."""
    backend = iam_backends[place.account][place.partition]
    for role in backend.get_roles():
        if policy.arn in role.managed_policies:
            backend.detach_role_policy(policy.arn, role.name)
    backend.delete_policy(policy.arn)


# Moto's classes are not typed, so a subclass of them has an Any for its base.
class OidcProvider(ResourceModel, CloudFormationModel):  # type: ignore[misc]
    """AWS::IAM::OIDCProvider."""

    resource_type = "AWS::IAM::OIDCProvider"

    @classmethod
    def create(cls, _name: str, properties: Properties, place: Place) -> "OidcProvider":
        """Add the provider to the account, which has one for each address."""
        provider = iam_backends[place.account][place.partition].create_open_id_connect_provider(
            url=properties["Url"],
            thumbprint_list=list(properties.get("ThumbprintList", [])),
            client_id_list=list(properties.get("ClientIdList", [])),
            tags=[],
        )
        return cls(provider.arn, Arn=provider.arn)


def give_provider_its_audiences(provider: Any, properties: Properties, place: Place) -> None:
    """Bring audiences, thumbprints and tags up to date."""
    backend = iam_backends[place.account][place.partition]
    found = backend.get_open_id_connect_provider(provider.physical_resource_id)
    found.client_id_list = list(properties.get("ClientIdList", []))
    found.thumbprint_list = list(properties.get("ThumbprintList", []))
    found.tags = {}
    backend.tag_open_id_connect_provider(found.arn, list(properties.get("Tags", [])))


def delete_provider(provider: Any, _properties: Properties, place: Place) -> None:
    """Take the provider out of the account."""
    iam_backends[place.account][place.partition].delete_open_id_connect_provider(
        provider.physical_resource_id
    )


MENDS = {
    "AWS::KMS::Key": Mend(
        apply=give_key_its_policy,
        delete=schedule_deletion_of_key,
        create_only=frozenset({"KeySpec", "KeyUsage", "MultiRegion"}),
        emulated=frozenset(
            {"Description", "EnableKeyRotation", "Enabled", "KeyPolicy", "PendingWindowInDays", "Tags"}
        ),
    ),
    "AWS::KMS::Alias": Mend(
        create_only=frozenset({"AliasName"}), emulated=frozenset({"AliasName", "TargetKeyId"})
    ),
    "AWS::IAM::Role": Mend(
        apply=give_role_its_policies,
        delete=delete_role,
        create_only=frozenset({"Path", "RoleName"}),
        emulated=frozenset(
            {"AssumeRolePolicyDocument", "Description", "ManagedPolicyArns", "MaxSessionDuration"}
            | {"Path", "PermissionsBoundary", "Policies", "RoleName", "Tags"}
        ),
    ),
    "AWS::IAM::OIDCProvider": Mend(
        apply=give_provider_its_audiences,
        delete=delete_provider,
        create_only=frozenset({"Url"}),
        emulated=frozenset({"ClientIdList", "Tags", "ThumbprintList", "Url"}),
    ),
    "AWS::IAM::ManagedPolicy": Mend(
        delete=delete_managed_policy,
        create_only=frozenset({"Description", "ManagedPolicyName", "Path"}),
        emulated=frozenset(
            {"Description", "Groups", "ManagedPolicyName", "Path", "PolicyDocument", "Roles", "Users"}
        ),
    ),
}
