"""The requests of requests.yaml as the simulator takes them."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from policies import KEYS, ROLES, Policies

SOURCE = Path(__file__).with_name("requests.yaml")
# The older spelling of a key's condition key changes names with the newer one, see simulate.mjs.
OLD_SPELLING = {
    new: old
    for pair in (("VolumeKmsKey", "VolumeKmsKeyArn"), ("OutputKmsKey", "OutputKmsKeyArn"))
    for new, old in (
        (f"sagemaker:{pair[0]}", f"sagemaker:{pair[1]}"),
        (f"sagemaker:{pair[1]}", f"sagemaker:{pair[0]}"),
    )
}
# Keys that the simulator does not know, under names that it does.
UNKNOWN_KEYS = {
    "sagemaker:DomainId": "aws:PrincipalTag/DomainId",
    "sagemaker:UserProfileName": "aws:PrincipalTag/UserProfileName",
    "kms:EncryptionContext:aws:logs:arn": "aws:PrincipalTag/logs",
    "kms:EncryptionContext:aws:sns:topicArn": "aws:PrincipalTag/topic",
}


def load(policies: Policies, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the requests, each with the verdict that is expected of it.

    Args:
        policies: of the environment.
        names: what `${…}` stands for: the outputs of the stacks, Account, Region and Prefix.
    """
    table = _filled_in(yaml.safe_load(SOURCE.read_text(encoding="utf-8")), names)
    return [_request(entry, table, policies, names) for entry in table["requests"]]


def _request(
    entry: Mapping[str, Any], table: Mapping[str, Any], policies: Policies, names: Mapping[str, str]
) -> dict[str, Any]:
    by, resource = entry["by"], table["resources"][entry["to"]]
    account = names["Account"]
    context = dict(table["contexts"][entry["in"]])
    if by in ROLES:
        principal = f"arn:aws:iam::{account}:role/{names['Prefix']}-{by}"
        context |= {"aws:PrincipalArn": principal, "aws:PrincipalAccount": account}
        identity, boundary = (
            list(policies.of_role[by]),
            [policies.boundary[by]] if by in policies.boundary else [],
        )
    else:
        principal, identity, boundary = by, [], []
        if by.startswith("arn:"):
            context |= {"aws:PrincipalArn": by, "aws:PrincipalAccount": account}
            identity = ["everything"]
    context |= entry.get("but", {})
    rename = {**(OLD_SPELLING if entry.get("old") else {}), **UNKNOWN_KEYS}
    if entry.get("old"):
        context = {OLD_SPELLING.get(key, key): value for key, value in context.items()}
    return {
        "title": " ".join(
            [by, entry["does"], entry["to"], *(str(entry[k]) for k in ("but", "old") if k in entry)]
        ),
        "gives": entry["gives"],
        "principal": principal,
        "action": entry["does"],
        "resource": resource,
        "account": account,
        "context": {key: value for key, value in context.items() if value is not None},
        "identity": identity,
        "boundary": boundary,
        "endpoint": [f"endpoint/{entry['through']}"] if "through" in entry else [],
        "resourcePolicy": _resource_policy(entry["does"], resource, names),
        "rename": rename,
    }


def _resource_policy(action: str, resource: str, names: Mapping[str, str]) -> str | None:
    """Return the name of the policy of a bucket, key or role of ours."""
    owners = {
        **{
            f"arn:aws:s3:::{names[f'{use}BucketName']}": f"bucket/{use}"
            for use in ("Data", "Artifact", "AccessLog")
        },
        **{names[f"{use}KeyArn"]: f"key/{use}" for use in KEYS},
    }
    if resource.endswith("/somebody-elses"):
        return "open"
    if action in ("sts:AssumeRole", "sts:SetSourceIdentity"):
        return f"trust/{resource.rsplit('/', 1)[-1].removeprefix(names['Prefix'] + '-')}"
    return owners.get(resource.split("/", maxsplit=1)[0] if resource.startswith("arn:aws:s3") else resource)


def _filled_in(part: Any, names: Mapping[str, str]) -> Any:
    match part:
        case dict():
            return {key: _filled_in(value, names) for key, value in part.items()}
        case list():
            return [_filled_in(value, names) for value in part]
        case str():
            return re.sub(r"\$\{(\w+)\}", lambda found: names[found[1]], part)
        case _:
            return part
