"""Condition keys that requests of an action have, and those that the simulator supports."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from authorization import authorization
from policies import EVERYTHING, Document, Policies, simulate
from request_table import OLD_SPELLING, UNKNOWN_KEYS


def keys_of(service: str, action: Document) -> Iterator[str]:
    """Yield patterns for the keys of an action, and of its resources."""
    yield r"aws:(?!RequestTag/|ResourceTag/|TagKeys).+"  # all requests
    types = authorization("resourceTypes", service)
    keys = [*action["conditionKeys"]]
    for resource in action["resourceTypes"]:
        keys += resource["conditionKeys"] + types.get(resource["name"], {}).get("conditionKeys", [])
    for key in keys:
        yield re.sub(r"\\\$\\\{\w+\\\}|<\w+>", ".+", re.escape(key))  # aws:ResourceTag/${TagKey}


@pytest.mark.parametrize("key", [*UNKNOWN_KEYS, "sagemaker:VolumeKmsKey", "sagemaker:OutputKmsKey"])
def test_a_key_has_another_name_only_while_the_simulator_does_not_know_it(
    policies: Policies, requests: list[dict[str, Any]], key: str
) -> None:
    request = next(request for request in requests if key in request["context"])
    renamed = {name: other for name, other in request["rename"].items() if key not in (name, other)}

    with pytest.raises(AssertionError, match=f"(?i)'ignored': .*{key}"):
        simulate({**policies.documents, **EVERYTHING}, [{**request, "rename": renamed}])


def test_lent_key_names_belong_to_no_account(policies: Policies, requests: list[dict[str, Any]]) -> None:
    written = str([policies.documents, [request["context"] for request in requests]])

    assert {name for name in UNKNOWN_KEYS.values() if name in written} == set()
    assert len(set(UNKNOWN_KEYS.values())) == len(UNKNOWN_KEYS)
    assert {OLD_SPELLING[other] for other in OLD_SPELLING.values()} == OLD_SPELLING.keys()
