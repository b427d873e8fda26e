"""What tells people how things are: topics' policies and subscriptions, budgets, trails."""

import json
from typing import Any

from moto.budgets.models import budgets_backends
from moto.cloudtrail.models import cloudtrail_backends
from moto.core.common_models import CloudFormationModel
from moto.sns.models import sns_backends

from helpers.local_aws.cloudformation.resources import Mend, Place, Properties, ResourceModel


# Moto's classes are not typed, so a subclass of them has an Any for its base.
class TopicPolicy(ResourceModel, CloudFormationModel):  # type: ignore[misc]
    """AWS::SNS::TopicPolicy."""

    resource_type = "AWS::SNS::TopicPolicy"

    @classmethod
    def create(cls, name: str, _properties: Properties, _place: Place) -> "TopicPolicy":
        """Return the resource; its mend gives the document to the topics."""
        return cls(name, Id=name, topics={})


def give_topics_their_policy(policy: Any, properties: Properties, place: Place) -> None:
    """Put the document on each topic, and what was there before back on those no longer named."""
    backend, topics = sns_backends[place.account][place.region], policy.attributes["topics"]
    for arn in topics.keys() - {*properties["Topics"]}:
        backend.set_topic_attribute(arn, "policy", topics.pop(arn))
    for arn in properties["Topics"]:
        topics.setdefault(arn, backend.get_topic(arn).policy)
        backend.set_topic_attribute(arn, "policy", json.dumps(properties["PolicyDocument"]))


def take_policy_off_topics(policy: Any, _properties: Properties, place: Place) -> None:
    """Give the topics back the policy that they had."""
    for arn, before in policy.attributes["topics"].items():
        sns_backends[place.account][place.region].set_topic_attribute(arn, "policy", before)


class Subscription(ResourceModel, CloudFormationModel):  # type: ignore[misc] # as above
    """AWS::SNS::Subscription. Nothing is sent to it from here."""

    resource_type = "AWS::SNS::Subscription"

    @classmethod
    def create(cls, _name: str, properties: Properties, place: Place) -> "Subscription":
        """Subscribe the address to the topic."""
        made = sns_backends[place.account][place.region].subscribe(
            properties["TopicArn"], properties["Endpoint"], properties["Protocol"]
        )
        return cls(made.arn, Arn=made.arn)


def unsubscribe(subscription: Any, _properties: Properties, place: Place) -> None:
    """End the subscription."""
    sns_backends[place.account][place.region].unsubscribe(subscription.physical_resource_id)


class Budget(ResourceModel, CloudFormationModel):  # type: ignore[misc] # as above
    """AWS::Budgets::Budget. Nothing costs anything here, so it never raises an alarm."""

    resource_type = "AWS::Budgets::Budget"

    @classmethod
    def create(cls, name: str, properties: Properties, place: Place) -> "Budget":
        """Create the budget, with its notifications."""
        budget = {"BudgetName": name, **_budget(properties)}
        budgets_backends[place.account]["aws"].create_budget(
            place.account, budget, list(properties.get("NotificationsWithSubscribers", []))
        )
        return cls(budget["BudgetName"])


def _budget(properties: Properties) -> dict[str, Any]:
    limit = properties["Budget"].get("BudgetLimit", {})
    return {**properties["Budget"], "BudgetLimit": {**limit, "Amount": str(limit.get("Amount"))}}


def give_budget_its_limit(budget: Any, properties: Properties, place: Place) -> None:
    """Bring what the budget is about up to date."""
    found = budgets_backends[place.account]["aws"].budgets[place.account][budget.physical_resource_id]
    found.budget.update(_budget(properties))


def delete_budget(budget: Any, _properties: Properties, place: Place) -> None:
    """Delete the budget."""
    budgets_backends[place.account]["aws"].delete_budget(place.account, budget.physical_resource_id)


class Trail(ResourceModel, CloudFormationModel):  # type: ignore[misc] # as above
    """AWS::CloudTrail::Trail. It records nothing here; moto checks the bucket and keeps the description."""

    resource_type = "AWS::CloudTrail::Trail"

    @classmethod
    def create(cls, name: str, properties: Properties, place: Place) -> "Trail":
        """Create the trail; its mend starts it."""
        trail = cloudtrail_backends[place.account][place.region].create_trail(
            name=properties.get("TrailName", name), **_settings(properties)
        )
        return cls(trail.trail_name, Arn=trail.arn)


def _settings(properties: Properties) -> dict[str, Any]:
    return {
        "bucket_name": properties["S3BucketName"],
        "s3_key_prefix": properties.get("S3KeyPrefix"),
        "sns_topic_name": properties.get("SnsTopicName"),
        "is_global": _true(properties.get("IncludeGlobalServiceEvents", True)),
        "is_multi_region": _true(properties.get("IsMultiRegionTrail", False)),
        "log_validation": _true(properties.get("EnableLogFileValidation", False)),
        "is_org_trail": _true(properties.get("IsOrganizationTrail", False)),
        "cw_log_group_arn": properties.get("CloudWatchLogsLogGroupArn"),
        "cw_role_arn": properties.get("CloudWatchLogsRoleArn"),
        "kms_key_id": properties.get("KMSKeyId"),
        "tags_list": [],
    }


def _true(value: Any) -> bool:
    # Moto's reader of short-form YAML yields strings.
    return str(value).lower() == "true"


def give_trail_its_events(trail: Any, properties: Properties, place: Place) -> None:
    """Say which events it is for, and start or stop it."""
    backend, name = cloudtrail_backends[place.account][place.region], trail.physical_resource_id
    backend.put_event_selectors(
        name, list(properties.get("EventSelectors", [])), list(properties.get("AdvancedEventSelectors", []))
    )
    (backend.start_logging if _true(properties["IsLogging"]) else backend.stop_logging)(name)


def delete_trail(trail: Any, _properties: Properties, place: Place) -> None:
    """Delete the trail."""
    cloudtrail_backends[place.account][place.region].delete_trail(trail.physical_resource_id)


MENDS = {
    "AWS::SNS::TopicPolicy": Mend(
        apply=give_topics_their_policy,
        delete=take_policy_off_topics,
        emulated=frozenset({"PolicyDocument", "Topics"}),
    ),
    "AWS::SNS::Subscription": Mend(
        delete=unsubscribe,
        create_only=frozenset({"Endpoint", "Protocol", "TopicArn"}),
        emulated=frozenset({"Endpoint", "Protocol", "TopicArn"}),
    ),
    "AWS::Budgets::Budget": Mend(
        apply=give_budget_its_limit,
        delete=delete_budget,
        create_only=frozenset({"NotificationsWithSubscribers"}),
        emulated=frozenset({"Budget", "NotificationsWithSubscribers"}),
    ),
    "AWS::CloudTrail::Trail": Mend(
        apply=give_trail_its_events,
        delete=delete_trail,
        create_only=frozenset({"TrailName"}),
        emulated=frozenset(
            {"AdvancedEventSelectors", "EnableLogFileValidation", "EventSelectors", "IsLogging"}
            | {"IsMultiRegionTrail", "KMSKeyId", "S3BucketName", "S3KeyPrefix", "TrailName"}
        ),
    ),
}
