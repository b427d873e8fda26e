"""The requests of requests.yaml in the form of the simulator."""

import itertools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from policies import Policies

SOURCE = Path(__file__).with_name("requests.yaml")
# The older spelling of a KMS condition key swaps names with the newer one, see simulate.mjs.
OLD_SPELLING = {
    new: old
    for pair in (("VolumeKmsKey", "VolumeKmsKeyArn"), ("OutputKmsKey", "OutputKmsKeyArn"))
    for new, old in (
        (f"sagemaker:{pair[0]}", f"sagemaker:{pair[1]}"),
        (f"sagemaker:{pair[1]}", f"sagemaker:{pair[0]}"),
    )
}
# Keys that the simulator does not support, under names that it supports.
UNKNOWN_KEYS = {
    "sagemaker:DomainId": "aws:PrincipalTag/DomainId",  # part: Studio
    "sagemaker:UserProfileName": "aws:PrincipalTag/UserProfileName",  # part: Studio
    "kms:EncryptionContext:aws:logs:arn": "aws:PrincipalTag/logs",
    "kms:EncryptionContext:aws:sns:topicArn": "aws:PrincipalTag/topic",
}


def load(policies: Policies, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the requests, each with its expected decision.

    Args:
        policies: policies of the environment.
        names: the values of `${…}`: outputs of the stacks, Account, Region, ImageAccount and Prefix.
    """
    table = _filled_in(yaml.safe_load(SOURCE.read_text(encoding="utf-8")), names)
    return [_request(one, table, policies, names) for entry in table["requests"] for one in _each_of(entry)]


def _each_of(entry: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the requests of an entry with several callers, actions or resources."""
    several = [
        entry[part] if isinstance(entry[part], list) else [entry[part]] for part in ("by", "does", "to")
    ]
    for by, does, to in itertools.product(*several):
        yield {**entry, "by": by, "does": does, "to": to}


def _request(
    entry: Mapping[str, Any], table: Mapping[str, Any], policies: Policies, names: Mapping[str, str]
) -> dict[str, Any]:
    by, action, resource = entry["by"], entry["does"], table["resources"][entry["to"]]
    if isinstance(resource, dict):
        resource = resource[action]
    role = f"arn:aws:iam::{names['Account']}:role/{names['Prefix']}-{by}"
    principal = role if by in policies.of_role else by
    context = dict(table["contexts"][entry["in"]])
    if principal.startswith("arn:"):
        context |= {"aws:PrincipalArn": principal, "aws:PrincipalAccount": principal.split(":")[4]}
    context |= entry.get("but", {})
    if entry.get("old"):
        context = {OLD_SPELLING.get(key, key): value for key, value in context.items()}
    return {
        "title": " ".join([by, action, entry["to"], *(str(entry[k]) for k in ("but", "old") if k in entry)]),
        "gives": entry["gives"],
        "principal": principal,
        "action": action,
        "resource": resource,
        "account": names["Account"],
        "context": {key: value for key, value in context.items() if value is not None},
        "identity": policies.of_role.get(by, ["everything"] if by.startswith("arn:") else []),
        "boundary": [policies.boundary[by]] if by in policies.boundary else [],
        "endpoint": [policies.of_endpoint[entry["through"]]] if "through" in entry else [],
        "resourcePolicy": _resource_policy(action, resource, policies),
        "rename": {**(OLD_SPELLING if entry.get("old") else {}), **UNKNOWN_KEYS},
    }


def _resource_policy(action: str, resource: str, policies: Policies) -> str | None:
    """Return the name of the policy of a resource, or of its container, if it applies."""
    if resource.endswith("/someone-elses"):
        return "open"
    if action.startswith("iam:"):  # a role's trust policy applies only when the role is assumed
        return None
    owner = resource.split("/", maxsplit=1)[0] if resource.startswith("arn:aws:s3") else resource
    if ":model-package/" in resource:
        owner = resource.replace(":model-package/", ":model-package-group/").rpartition("/")[0]
    return policies.of_resource.get(owner)


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
