"""Topics, rules, budgets and trails as they are at this moment; see `live_properties`."""

import json
from collections.abc import Mapping
from typing import Any

from moto.budgets.models import budgets_backends
from moto.cloudtrail.models import cloudtrail_backends
from moto.cloudwatch.models import cloudwatch_backends
from moto.events.models import events_backends
from moto.sns.models import sns_backends

from helpers.local_aws.cloudformation.resources import Place, properties_of


def _topic(resource: Any, place: Place) -> Mapping[str, Any] | None:
    return properties_of(
        sns_backends[place.account][place.region].topics.get(resource.physical_resource_id),
        DisplayName="display_name",
        KmsMasterKeyId="kms_master_key_id",
        TopicName="name",
    )


def _topic_policy(resource: Any, place: Place) -> Mapping[str, Any] | None:
    backend, named = sns_backends[place.account][place.region], resource.attributes["topics"]
    there = [backend.topics[arn] for arn in named if arn in backend.topics]
    if not there:
        return None
    return {
        "PolicyDocument": json.loads(there[0].policy),
        "Topics": [topic.arn for topic in there if topic.policy == there[0].policy],
    }


def _subscription(resource: Any, place: Place) -> Mapping[str, Any] | None:
    return properties_of(
        sns_backends[place.account][place.region].subscriptions.get(resource.physical_resource_id),
        Endpoint="endpoint",
        Protocol="protocol",
        TopicArn="topic.arn",
    )


def _rule(resource: Any, place: Place) -> Mapping[str, Any] | None:
    bus = events_backends[place.account][place.region].event_buses["default"]
    rule = bus.rules.get(resource.physical_resource_id)
    if rule is None:
        return None
    pattern = rule.event_pattern.dump()
    return {
        "Description": rule.description,
        "EventPattern": json.loads(pattern) if pattern else {},
        "State": rule.state,
        "Targets": rule.targets,
    }


def _dashboard(resource: Any, place: Place) -> Mapping[str, Any] | None:
    dashboards = cloudwatch_backends[place.account][place.region].dashboards
    return properties_of(dashboards.get(resource.name), DashboardBody="body")


def _budget(resource: Any, place: Place) -> Mapping[str, Any] | None:
    budget = (
        budgets_backends[place.account][place.partition]
        .budgets[place.account]
        .get(resource.physical_resource_id)
    )
    if budget is None:
        return None
    said = ("BudgetLimit", "BudgetName", "BudgetType", "TimeUnit")
    return {
        "Budget": {key: budget.budget[key] for key in said},
        "NotificationsWithSubscribers": [
            {"Notification": each.details, "Subscribers": each.subscribers} for each in budget.notifications
        ],
    }


def _trail(resource: Any, place: Place) -> Mapping[str, Any] | None:
    return properties_of(
        cloudtrail_backends[place.account][place.region].trails.get(resource.physical_resource_id),
        AdvancedEventSelectors="advanced_event_selectors",
        EnableLogFileValidation="log_validation",
        IsLogging="status.is_logging",
        IsMultiRegionTrail="is_multi_region",
        KMSKeyId="kms_key_id",
        S3BucketName="bucket_name",
        S3KeyPrefix="s3_key_prefix",
    )


READERS = {
    "AWS::Budgets::Budget": _budget,
    "AWS::CloudTrail::Trail": _trail,
    "AWS::CloudWatch::Dashboard": _dashboard,
    "AWS::Events::Rule": _rule,
    "AWS::SNS::Subscription": _subscription,
    "AWS::SNS::Topic": _topic,
    "AWS::SNS::TopicPolicy": _topic_policy,
}
