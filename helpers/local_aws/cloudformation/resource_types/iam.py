"""AWS::IAM."""

import json
from collections.abc import Iterable
from typing import Any

from moto.iam.exceptions import DeleteConflictException
from moto.iam.models import iam_backends

from helpers.local_aws.cloudformation.resource_types.base import Properties, Resource, ResourceType, as_text

_VERSIONS_AT_MOST = 5


class _Iam(ResourceType):
    @property
    def _backend(self) -> Any:
        return iam_backends[self.place.account][self.place.partition]


class Role(_Iam):
    """AWS::IAM::Role."""

    type_name = "AWS::IAM::Role"
    emulated = frozenset(
        {"AssumeRolePolicyDocument", "Description", "ManagedPolicyArns", "MaxSessionDuration", "Path"}
        | {"PermissionsBoundary", "Policies", "RoleName", "Tags"}
    )

    def create(self, resource: Resource) -> None:
        """Create the role with its policies."""
        properties = resource.properties
        role = self._backend.create_role(
            role_name=properties.get("RoleName", resource.generated_name),
            assume_role_policy_document=as_text(properties["AssumeRolePolicyDocument"]),
            path=properties.get("Path", "/"),
            permissions_boundary=properties.get("PermissionsBoundary", ""),
            description=properties.get("Description", ""),
            tags=list(properties.get("Tags", [])),
            max_session_duration=properties.get("MaxSessionDuration", 3600),
        )
        resource.physical_id = role.name
        self._configure(role, resource, {})

    def read(self, resource: Resource) -> Properties | None:
        """Return the current role with its policies."""
        role = self._find(resource)
        if role is None:
            return None
        return {
            "AssumeRolePolicyDocument": json.loads(role.assume_role_policy_document),
            "Description": role.description,
            "ManagedPolicyArns": list(role.managed_policies),
            "MaxSessionDuration": role.max_session_duration,
            "PermissionsBoundary": role.permissions_boundary_arn,
            "Policies": [
                {"PolicyName": name, "PolicyDocument": json.loads(document)}
                for name, document in role.policies.items()
            ],
        }

    def update(self, resource: Resource, before: Properties) -> None:
        """Change the role; keep policies that were attached otherwise."""
        role = self._backend.get_role(resource.physical_id)
        properties = resource.properties
        role.assume_role_policy_document = as_text(properties["AssumeRolePolicyDocument"])
        role.description = properties.get("Description", "")
        role.max_session_duration = properties.get("MaxSessionDuration", 3600)
        role.permissions_boundary_arn = properties.get("PermissionsBoundary", "")
        gone = {tag["Key"] for tag in before.get("Tags", [])} - resource.tags.keys()
        self._backend.untag_role(role.name, sorted(gone))
        self._backend.tag_role(role.name, list(properties.get("Tags", [])))
        self._configure(role, resource, before)

    def delete(self, resource: Resource) -> None:
        """Delete the role with all its policies."""
        role = self._find(resource)
        if role is None:
            return
        for arn in list(role.managed_policies):
            self._backend.detach_role_policy(arn, role.name)
        for name in list(role.policies):
            role.delete_policy(name)
        self._backend.delete_role(role.name)

    def attribute(self, resource: Resource, name: str) -> Any:
        """Return Arn or RoleId."""
        role = self._backend.get_role(resource.physical_id)
        return {"Arn": role.arn, "RoleId": role.id}[name]

    def _find(self, resource: Resource) -> Any:
        roles = self._backend.roles.values()
        return next((role for role in roles if role.name == resource.physical_id), None)

    def _configure(self, role: Any, resource: Resource, before: Properties) -> None:
        documents = _inline(resource.properties)
        for name in _inline(before).keys() - documents.keys():
            role.policies.pop(name, None)
        for name, document in documents.items():
            role.put_policy(name, document)
        attached, wanted = (
            set(properties.get("ManagedPolicyArns", [])) for properties in (before, resource.properties)
        )
        for arn in attached - wanted:
            if arn in role.managed_policies:
                self._backend.detach_role_policy(arn, role.name)
        for arn in wanted - attached:
            self._backend.attach_role_policy(arn, role.name)


def _inline(properties: Properties) -> dict[str, str]:
    return {each["PolicyName"]: as_text(each["PolicyDocument"]) for each in properties.get("Policies", [])}


class ManagedPolicy(_Iam):
    """AWS::IAM::ManagedPolicy."""

    type_name = "AWS::IAM::ManagedPolicy"
    emulated = frozenset(
        {"Description", "Groups", "ManagedPolicyName", "Path", "PolicyDocument", "Roles", "Users"}
    )

    def create(self, resource: Resource) -> None:
        """Create the policy and attach it."""
        properties = resource.properties
        policy = self._backend.create_policy(
            description=properties.get("Description", ""),
            path=properties.get("Path", "/"),
            policy_document=as_text(properties["PolicyDocument"]),
            policy_name=properties.get("ManagedPolicyName", resource.generated_name),
            tags=[],
        )
        resource.physical_id = policy.arn
        resource.attributes = {"PolicyArn": policy.arn, "PolicyId": policy.id}
        self._attach(resource, {})

    def read(self, resource: Resource) -> Properties | None:
        """Return the document of the default version, and the identities that it is attached to."""
        policy = self._backend.managed_policies.get(resource.physical_id)
        if policy is None:
            return None
        in_force = next(each for each in policy.versions if each.version_id == policy.default_version_id)
        document = in_force.document
        return {
            "PolicyDocument": json.loads(document) if isinstance(document, str) else document,
            **{
                kind: [each.name for each in owners if policy.arn in each.managed_policies]
                for kind, owners in self._owners().items()
            },
        }

    def update(self, resource: Resource, before: Properties) -> None:
        """Create a new default version; the service keeps four earlier ones."""
        document = as_text(resource.properties["PolicyDocument"])
        if document != as_text(before.get("PolicyDocument", "")):
            policy = self._backend.get_policy(resource.physical_id)
            old = [each for each in policy.versions if each.version_id != policy.default_version_id]
            if len(policy.versions) >= _VERSIONS_AT_MOST:
                policy.versions.remove(old[0])
            self._backend.create_policy_version(policy.arn, document, set_as_default=True)
        self._attach(resource, before)

    def delete(self, resource: Resource) -> None:
        """Detach the policy from all identities and delete it."""
        policy = self._backend.managed_policies.get(resource.physical_id)
        if policy is None:
            return
        bounded = [*self._backend.roles.values(), *self._backend.users.values()]
        if any(getattr(each, "permissions_boundary_arn", None) == policy.arn for each in bounded):
            raise DeleteConflictException("Cannot delete a policy that is used as a permissions boundary.")
        for kind, owners in self._owners().items():
            for owner in owners:
                if policy.arn in owner.managed_policies:
                    self._call("detach", kind, policy.arn, owner.name)
        self._backend.delete_policy(policy.arn)

    def _owners(self) -> dict[str, list[Any]]:
        backend = self._backend
        return {
            "Groups": list(backend.groups.values()),
            "Roles": list(backend.roles.values()),
            "Users": list(backend.users.values()),
        }

    def _attach(self, resource: Resource, before: Properties) -> None:
        for kind in self._owners():
            attached, wanted = (set(properties.get(kind, [])) for properties in (before, resource.properties))
            for name in attached - wanted:
                self._call("detach", kind, resource.physical_id, name)
            for name in wanted - attached:
                self._call("attach", kind, resource.physical_id, name)

    def _call(self, verb: str, kind: str, arn: str, name: str) -> None:
        getattr(self._backend, f"{verb}_{kind.removesuffix('s').lower()}_policy")(arn, name)


class OidcProvider(_Iam):
    """AWS::IAM::OIDCProvider. An account can have one per URL."""

    type_name = "AWS::IAM::OIDCProvider"
    emulated = frozenset({"ClientIdList", "Tags", "ThumbprintList", "Url"})

    def create(self, resource: Resource) -> None:
        """Add the provider to the account."""
        properties = resource.properties
        provider = self._backend.create_open_id_connect_provider(
            url=properties["Url"],
            thumbprint_list=list(properties.get("ThumbprintList", [])),
            client_id_list=list(properties.get("ClientIdList", [])),
            tags=list(properties.get("Tags", [])),
        )
        resource.physical_id = provider.arn
        resource.attributes = {"Arn": provider.arn}

    def read(self, resource: Resource) -> Properties | None:
        """Return the audiences and thumbprints."""
        provider = self._backend.open_id_providers.get(resource.physical_id)
        if provider is None:
            return None
        return {"ClientIdList": provider.client_id_list, "ThumbprintList": provider.thumbprint_list}

    def update(self, resource: Resource, before: Properties) -> None:
        """Change audiences, thumbprints and tags."""
        provider = self._backend.get_open_id_connect_provider(resource.physical_id)
        provider.client_id_list = list(resource.properties.get("ClientIdList", []))
        provider.thumbprint_list = list(resource.properties.get("ThumbprintList", []))
        self._backend.untag_open_id_connect_provider(provider.arn, list(_keys(before)))
        self._backend.tag_open_id_connect_provider(provider.arn, list(resource.properties.get("Tags", [])))

    def delete(self, resource: Resource) -> None:
        """Remove the provider from the account."""
        self._backend.delete_open_id_connect_provider(resource.physical_id)


def _keys(properties: Properties) -> Iterable[str]:
    return (tag["Key"] for tag in properties.get("Tags", []))
