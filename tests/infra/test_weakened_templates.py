"""Each weakening of weakenings.yaml, deployed: a test of the templates turns red, and is green without it.

Policies have mutants of their own, in tests/security. Here is what protects without being a policy.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
import test_templates as tests
import yaml
from botocore.exceptions import ClientError
from rich.console import Console

from helpers.infra.stacks import StackConfiguration, teardown
from helpers.infra.stacks.deploy import deploy
from helpers.local_aws.cloudformation.change_sets import parse_template

INFRA = Path(__file__).parents[2] / "infra"
Weakening = Mapping[str, Any]
WEAKENINGS = yaml.safe_load(Path(__file__).with_name("weakenings.yaml").read_text(encoding="utf-8"))
CONTROLS = {(each["in"], each["red"], each.get("of")): each for each in WEAKENINGS}
Check = Callable[[Weakening, str], Callable[[], None]]


def template(weakening: Weakening) -> str:
    return (INFRA / f"{weakening['in']}.yaml").read_text(encoding="utf-8")


def weakened(weakening: Weakening) -> str:
    parts = template(weakening).split(weakening["text"])
    assert len(parts) > 1, f"{weakening['in']}.yaml has no {weakening['text']!r}"
    place = len(parts) - 1 if weakening.get("last") else 1
    text: str = weakening["text"]
    return text.join(parts[:place]) + weakening["becomes"] + text.join(parts[place:])


@pytest.fixture
def check(
    aws: boto3.Session,
    outputs: dict[str, str],
    stacks: tuple[StackConfiguration, ...],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Check]:
    """Prepares the test of a weakening for a text of its template, which it deploys if the test asks AWS."""
    made: list[StackConfiguration] = []

    def deployed(name: str, text: str) -> dict[str, str]:
        """Deploy the template once more, as a stack beside the others."""
        stack = next(each for each in stacks if each.name.endswith(f"-{name}"))
        # A trail is known by the bucket that it writes to, and the first one writes there.
        given = {**outputs, "AccessLogBucketName": outputs["ArtifactBucketName"]}
        stack = replace(stack.with_outputs(given), name=f"weakened-local-{name}", template=text)
        stack = replace(stack, parameters={**stack.parameters, "ProjectName": "weakened"})
        made.append(stack)
        found = deploy(aws.client("cloudformation"), stack, Console(quiet=True))
        return {**(given if name == "operations" else outputs), **found}

    def prepared(weakening: Weakening, text: str) -> Callable[[], None]:
        name = weakening["in"]
        test: Callable[..., None] = getattr(tests, weakening["red"])
        if "aws" in inspect.signature(test).parameters:
            seen, more = deployed(name, text), [weakening["of"]] if "of" in weakening else []
            return lambda: test(aws, seen, *more)
        templates = {**tests.TEMPLATES, name: parse_template(text, tests.GIVEN)}
        monkeypatch.setattr(tests, "TEMPLATES", templates)
        monkeypatch.setattr(tests, "RESOURCES", tests.resources_of(templates))
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        monkeypatch.setattr(tests, "FILES", [tmp_path / f"{name}.yaml"])
        return test

    yield prepared
    teardown(aws, made, Console(quiet=True))


@pytest.mark.parametrize(
    "weakening", WEAKENINGS, ids=lambda each: f"{each['in']} {each['becomes'].strip()[:50]}"
)
def test_a_weakened_template_turns_its_test_red(weakening: Weakening, check: Check) -> None:
    red = check(weakening, weakened(weakening))

    with pytest.raises((AssertionError, LookupError, ClientError)):
        red()


@pytest.mark.parametrize("weakening", CONTROLS.values(), ids=lambda each: f"{each['in']} {each['red']}")
def test_the_same_test_is_green_for_the_template_as_it_is(weakening: Weakening, check: Check) -> None:
    check(weakening, template(weakening))()
