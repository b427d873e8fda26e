"""Condition keys: requests carry those that grants ask for, and the simulator knows those of the table."""

import itertools
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import pytest
from authorization import as_list, authorization
from policies import EVERYTHING, Document, Policies, simulate
from request_table import OLD_SPELLING, UNKNOWN_KEYS

# What AWS does not list, and why that stands in a policy all the same.
CLAIM = "a claim of GitHub's token, which AWS lists for no action"
UNLISTED = {
    ("sts:AssumeRoleWithWebIdentity", "token.actions.githubusercontent.com:aud"): CLAIM,
    ("sts:AssumeRoleWithWebIdentity", "token.actions.githubusercontent.com:sub"): CLAIM,
    ("kms:DescribeKey", "kms:EncryptionContext:aws:logs:arn"): "so the guide of CloudWatch Logs has it",
}


def is_carried(pattern: str, key: str) -> dict[str, bool]:
    """Tell for each action that a policy's text stands for whether requests for it carry a key."""
    service, name = pattern.split(":")
    found = {
        f"{service}:{action['name']}": any(re.fullmatch(each, key) for each in keys_of(service, action))
        for lowered, action in authorization("actions", service).items()
        if fnmatchcase(lowered, name.lower())
    }
    assert found, f"there is no action {pattern}"
    return found


def keys_of(service: str, action: Document) -> Iterator[str]:
    """Yield patterns of the keys of an action, and of the resources that it is about."""
    yield r"aws:(?!RequestTag/|ResourceTag/|TagKeys).+"  # of every request
    types = authorization("resourceTypes", service)
    keys = [*action["conditionKeys"]]
    for resource in action["resourceTypes"]:
        keys += resource["conditionKeys"] + types.get(resource["name"], {}).get("conditionKeys", [])
    for key in keys:
        yield re.sub(r"\\\$\\\{\w+\\\}|<\w+>", ".+", re.escape(key))  # aws:ResourceTag/${TagKey}


def asked_for(grant: Document) -> Iterator[tuple[str, str]]:
    """Yield each action of a grant with each key that must be there for it to apply."""
    for operator, keys in grant.get("Condition", {}).items():
        if not re.search("^ForAllValues:|Not|IfExists|Null", operator):
            yield from itertools.product(as_list(grant["Action"]), keys)


def test_every_grant_asks_for_keys_that_its_actions_carry(policies: Policies) -> None:
    """One that asks for another would never apply."""
    grants = [
        statement
        for document in policies.documents.values()
        for statement in document["Statement"]
        if statement["Effect"] == "Allow"
    ]
    never = {
        (action, key)
        for grant in grants
        for pattern, key in asked_for(grant)
        for action, carried in is_carried(pattern, key).items()
        if not carried
    }

    assert never == UNLISTED.keys()


@pytest.mark.parametrize("key", [*UNKNOWN_KEYS, "sagemaker:VolumeKmsKey", "sagemaker:OutputKmsKey"])
def test_a_key_has_another_name_only_while_the_simulator_does_not_know_it(
    policies: Policies, requests: list[dict[str, Any]], key: str
) -> None:
    request = next(request for request in requests if key in request["context"])
    renamed = {name: other for name, other in request["rename"].items() if key not in (name, other)}

    with pytest.raises(AssertionError, match=f"(?i)'ignored': .*{key}"):
        simulate({**policies.documents, **EVERYTHING}, [{**request, "rename": renamed}])


def test_the_names_that_keys_are_lent_are_nobodys(policies: Policies, requests: list[dict[str, Any]]) -> None:
    written = str([policies.documents, [request["context"] for request in requests]])

    assert {name for name in UNKNOWN_KEYS.values() if name in written} == set()
    assert len(set(UNKNOWN_KEYS.values())) == len(UNKNOWN_KEYS)
    assert {OLD_SPELLING[other] for other in OLD_SPELLING.values()} == OLD_SPELLING.keys()
