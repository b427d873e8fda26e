"""Each setting of the templates is weakened and deployed: a test fails with it, and passes without it.

The settings are read from the templates, so that none can be missed. Policies have separate mutants, in
tests/security.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import boto3
import pytest
import test_templates as tests
import yaml
from botocore.exceptions import ClientError
from conftest import UNWEAKENED
from template_settings import REMOVED, Setting, place, settings_of, weakened

from helpers.infra.stacks import StackConfiguration, teardown
from helpers.local_aws.cloudformation.templates.validation import parse_template
from tests.quiet_console import QuietConsole
from tests.stack_creation import create_stack

GIVEN = yaml.safe_load(Path(__file__).with_name("weakenings.yaml").read_text(encoding="utf-8"))
SETTINGS = [setting for name in tests.TEXTS for setting in settings_of(name)]
WITHOUT_MEANING: dict[str, str] = GIVEN["without security meaning"]
Check = Callable[["Weakening", str], Callable[[], None]]
RED = (AssertionError, LookupError, ValueError, ClientError, pytest.fail.Exception)


@dataclass(frozen=True)
class Weakening:
    """A weaker value of a setting, and the test that fails for it."""

    setting: Setting
    becomes: Any
    red: str

    @property
    def use(self) -> str:
        """The key or bucket that it affects, for tests of one of them."""
        found = re.search(r"^\w+\.(\w+?)(Bucket|Key)", self.setting.name)
        return found[1] if found else "Data"

    def __str__(self) -> str:
        """Return the ID for pytest."""
        value = "" if self.becomes is REMOVED else f" {self.becomes}"
        return f"{self.setting.name}{value}"[:120]


def weakenings() -> Iterator[Weakening]:
    for entry in GIVEN["weakenings"]:
        matching = [each for each in SETTINGS if fnmatchcase(each.name, entry["at"])]
        for setting in matching or [place(entry["at"])]:
            yield Weakening(setting, entry.get("becomes", REMOVED), entry["red"])


WEAKENINGS = list(weakenings())
# Each test once per template, and per key and bucket.
CONTROLS = {(each.setting.template, each.red, each.use): each for each in WEAKENINGS}


def test_every_setting_is_weakened_or_has_no_meaning_for_security(
    record_property: Callable[[str, object], None],
) -> None:
    weak = {each.setting for each in WEAKENINGS}
    listed = {each: [name for name in WITHOUT_MEANING if is_of(each, name)] for each in SETTINGS}
    listed = {each: names for each, names in listed.items() if names}

    assert [each.name for each in SETTINGS if each not in weak and each not in listed] == []
    assert [each.name for each in listed if each in weak] == [], "one or the other"
    assert WITHOUT_MEANING.keys() - {name for names in listed.values() for name in names} == set()
    record_property(UNWEAKENED, len(listed))


def is_of(setting: Setting, name: str) -> bool:
    return fnmatchcase(setting.kind, name) or fnmatchcase(setting.name, name)


@pytest.fixture
def check(
    aws: boto3.Session,
    outputs: dict[str, str],
    stacks: tuple[StackConfiguration, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Check]:
    """Prepares the test of a weakening for the text of its template, which is deployed if needed."""
    cloudformation = aws.client("cloudformation")
    made: list[StackConfiguration] = []

    def deployed(name: str, text: str) -> dict[str, str]:
        """Deploy the template again as a separate stack."""
        stack = next(each for each in stacks if each.name.endswith(f"-{name}"))
        # A trail is identified by its bucket, and the first one uses that one.
        given = {**outputs, "AccessLogBucketName": outputs["ArtifactBucketName"]}
        stack = replace(stack.with_outputs(given), name=f"weakened-local-{name}", template=text)
        stack = replace(stack, parameters={**stack.parameters, "ProjectName": "weakened"})
        made.append(stack)
        return {**(given if name == "operations" else outputs), **create_stack(cloudformation, stack)}

    def prepared(weakening: Weakening, text: str) -> Callable[[], None]:
        name, test = weakening.setting.template, getattr(tests, weakening.red)
        asked = inspect.signature(test).parameters
        monkeypatch.setitem(tests.TEXTS, name, text)
        if "constraint" in asked:
            return lambda: test(aws, outputs, weakening.setting.name)
        if "aws" in asked:
            seen, more = deployed(name, text), [weakening.use] if "use" in asked else []
            return lambda: test(aws, seen, *more)
        monkeypatch.setitem(tests.TEMPLATES, name, parse_template(text, tests.GIVEN))
        monkeypatch.setattr(tests, "RESOURCES", tests.resources_of(tests.TEMPLATES))
        return test  # type: ignore[no-any-return]

    yield prepared
    for stack in made:
        if "AWS::S3::Bucket" in stack.template:
            teardown(aws, [stack], QuietConsole())  # empties the buckets
        else:
            cloudformation.delete_stack(StackName=stack.name)
        with pytest.raises(ClientError, match="does not exist"):
            cloudformation.describe_stacks(StackName=stack.name)


@pytest.mark.parametrize("weakening", WEAKENINGS, ids=str)
def test_a_weakened_template_turns_its_test_red(weakening: Weakening, check: Check) -> None:
    red = check(weakening, weakened(weakening.setting, weakening.becomes))

    with pytest.raises(RED):
        red()


@pytest.mark.parametrize(
    "weakening", CONTROLS.values(), ids=lambda each: f"{each.setting.template} {each.red}"
)
def test_the_same_test_is_green_for_the_template_as_it_is(weakening: Weakening, check: Check) -> None:
    check(weakening, tests.TEXTS[weakening.setting.template])()
