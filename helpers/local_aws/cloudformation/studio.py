"""Domains of Studio and user profiles, made as the API makes them."""

from typing import Any

from moto.core.common_models import CloudFormationModel

from helpers.local_aws.api.response import ApiError
from helpers.local_aws.cloudformation.resources import Mend, Place, Properties, ResourceModel
from helpers.local_aws.studio import studio_of


# Moto's classes are not typed, so a subclass of them has an Any for its base.
class Domain(ResourceModel, CloudFormationModel):  # type: ignore[misc]
    """AWS::SageMaker::Domain."""

    resource_type = "AWS::SageMaker::Domain"

    @classmethod
    def create(cls, _name: str, properties: Properties, place: Place) -> "Domain":
        """Create the domain, and what SageMaker makes for it."""
        studio = studio_of(place.region)
        made = studio.create_domain(properties)
        return cls(made["DomainId"], **studio.describe_domain(made))


def give_domain_its_settings(domain: Any, properties: Properties, place: Place) -> None:
    """Bring the settings of the domain up to date."""
    studio_of(place.region).update_domain({**properties, "DomainId": domain.physical_resource_id})


def delete_domain(domain: Any, _properties: Properties, place: Place) -> None:
    """Delete the domain; as on AWS its file system and its security groups stay, and one gone is deleted."""
    try:
        studio_of(place.region).delete_domain({"DomainId": domain.physical_resource_id})
    except ApiError as error:
        if error.code != "ResourceNotFound":
            raise


class UserProfile(ResourceModel, CloudFormationModel):  # type: ignore[misc] # as above
    """AWS::SageMaker::UserProfile."""

    resource_type = "AWS::SageMaker::UserProfile"

    @classmethod
    def create(cls, _name: str, properties: Properties, place: Place) -> "UserProfile":
        """Create the profile in its domain."""
        operations = studio_of(place.region).operations()
        made = operations["CreateUserProfile"](properties) or {}
        return cls(properties["UserProfileName"], DomainId=properties["DomainId"], **made)


def delete_user_profile(profile: Any, _properties: Properties, place: Place) -> None:
    """Delete the profile; one that is gone is deleted."""
    request = {"DomainId": profile.attributes["DomainId"], "UserProfileName": profile.physical_resource_id}
    try:
        studio_of(place.region).operations()["DeleteUserProfile"](request)
    except ApiError as error:
        if error.code != "ResourceNotFound":
            raise


MENDS = {
    "AWS::SageMaker::Domain": Mend(
        apply=give_domain_its_settings,
        delete=delete_domain,
        create_only=frozenset({"AuthMode", "DomainName", "KmsKeyId"}),
        emulated=frozenset(
            {"AppNetworkAccessType", "AuthMode", "DefaultUserSettings", "DomainName", "DomainSettings"}
            | {"KmsKeyId", "SubnetIds", "Tags", "VpcId"}
        ),
    ),
    "AWS::SageMaker::UserProfile": Mend(
        delete=delete_user_profile,
        create_only=frozenset({"DomainId", "UserProfileName"}),
        emulated=frozenset({"DomainId", "Tags", "UserProfileName", "UserSettings"}),
    ),
}
