"""Weakened copies of templates and policies, which checkers must detect."""

import copy
from collections.abc import Callable, Mapping
from typing import Any

from checkers.tools import CDK_NAG, CHECKOV, CONTROL_TOWER, Finding

WEAKENED = "weakened-"
"""Prefix of weakened templates and policies."""


def _is_not_encrypted(resources: Any) -> None:
    del resources["FlowLogGroup"]["Properties"]["KmsKeyId"]


def _keys_do_not_rotate(resources: Any) -> None:
    resources["DataKey"]["Properties"]["EnableKeyRotation"] = False


def _grants_for_everyone(resources: Any) -> None:
    policy = resources["VolumeKey"]["Properties"]["KeyPolicy"]
    policy["Statement"] = [each for each in policy["Statement"] if each["Effect"] == "Allow"]


def _unencrypted_requests(resources: Any) -> None:
    policy = resources["DataBucketPolicy"]["Properties"]["PolicyDocument"]
    policy["Statement"] = [each for each in policy["Statement"] if each["Sid"] != "TlsOnly"]


def _the_trail_goes_to_no_log_group(resources: Any) -> None:
    del resources["DataEventsTrail"]["Properties"]["CloudWatchLogsLogGroupArn"]


TEMPLATES: Mapping[str, tuple[Callable[[Any], None], ...]] = {
    "keys": (_keys_do_not_rotate, _grants_for_everyone),
    "network": (_is_not_encrypted,),
    "operations": (_the_trail_goes_to_no_log_group,),
    "storage": (_unencrypted_requests,),
}
NO_ROTATION, NO_DENIAL = f"{WEAKENED}keys.DataKey", f"{WEAKENED}keys.VolumeKey"
PLAIN_TEXT, NO_LOGS = f"{WEAKENED}storage.DataBucket", f"{WEAKENED}operations.DataEventsTrail"
POLICIES = {
    f"{WEAKENED}objects": {"Action": "s3:GetObject", "Resource": "*"},
    f"{WEAKENED}roles": {
        "Action": ["iam:PassRole", "iam:CreateRole", "iam:AttachRolePolicy"],
        "Resource": "*",
    },
    f"{WEAKENED}service": {"Action": "sqs:*", "Resource": "*"},
    f"{WEAKENED}action": {"Action": "s3:GetObjects", "Resource": "arn:aws:s3:::b/*"},
    f"{WEAKENED}resource": {"Action": "s3:GetObject", "Resource": ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]},
    f"{WEAKENED}list": {"Action": "s3:ListAllMyBuckets", "Resource": "arn:aws:s3:::b"},
    f"{WEAKENED}key": {
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::b/*",
        "Condition": {"StringEquals": {"s3:prefix": "input/"}},
    },
}
EXPECTED = (
    Finding(CONTROL_TOWER, "CT.KMS.PR.1", NO_ROTATION),
    Finding(CDK_NAG, "AwsSolutions-KMS5", NO_ROTATION),
    Finding(CHECKOV, "CKV_AWS_7", NO_ROTATION),
    Finding(CONTROL_TOWER, "CT.KMS.PR.3", NO_DENIAL),
    Finding(CONTROL_TOWER, "CT.CLOUDWATCH.PR.3", f"{WEAKENED}network.FlowLogGroup"),
    Finding(CHECKOV, "CKV_AWS_158", f"{WEAKENED}network.FlowLogGroup"),
    Finding(CONTROL_TOWER, "CT.CLOUDTRAIL.PR.3", NO_LOGS),
    Finding(CONTROL_TOWER, "CT.S3.PR.8", f"{PLAIN_TEXT}Policy"),
    Finding(CDK_NAG, "AwsSolutions-S10", PLAIN_TEXT),
    Finding("cloudsplaining", "DataExfiltration", f"{WEAKENED}objects", "s3:GetObject"),
    Finding("cloudsplaining", "ResourceExposure", f"{WEAKENED}roles", "iam:AttachRolePolicy"),
    Finding("cloudsplaining", "ServiceWildcard", f"{WEAKENED}service", "sqs"),
    Finding("policy_sentry", "UnknownAction", f"{WEAKENED}action.Weak", "s3:GetObjects"),
    Finding("policy_sentry", "UnsupportedResource", f"{WEAKENED}resource.Weak", "arn:aws:s3:::b"),
    Finding("policy_sentry", "UnsupportedAction", f"{WEAKENED}list.Weak", "s3:ListAllMyBuckets"),
    Finding("policy_sentry", "UnsupportedConditionKey", f"{WEAKENED}key.Weak", "s3:GetObject s3:prefix"),
)
"""The findings that are required."""


def weakened_templates(templates: Mapping[str, Any]) -> dict[str, Any]:
    """Return weakened copies of rendered templates."""
    weakened = {f"{WEAKENED}{name}": copy.deepcopy(templates[name]) for name in TEMPLATES}
    for name, changes in TEMPLATES.items():
        for change in changes:
            change(weakened[f"{WEAKENED}{name}"]["Resources"])
    return weakened


def weakened_policies() -> dict[str, Any]:
    """Return policies with one statement each, named Weak."""
    return {
        name: {"Version": "2012-10-17", "Statement": [{"Sid": "Weak", "Effect": "Allow", **statement}]}
        for name, statement in POLICIES.items()
    }
