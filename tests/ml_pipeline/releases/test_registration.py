from dataclasses import replace
from uuid import uuid4

import boto3
import pytest

from ml_pipeline.definitions import Registration
from ml_pipeline.releases.registration import difference, registered, upsert

DEFINITION = """{"Version": "2020-12-01",
"Parameters": [{"Name": "ForceRun", "Type": "String", "DefaultValue": "no"}],
"Steps": [{"Name": "no", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}]}"""


@pytest.fixture
def wanted(role: str) -> Registration:
    """A pipeline with a short execution."""
    return Registration(DEFINITION, "It fails.", role, {"Owner": "me"})


def test_a_new_pipeline_is_all_difference(wanted: Registration) -> None:
    lines = difference(None, wanted)

    assert '+description: "It fails."' in lines
    assert not [line for line in lines if line.startswith("-") and line != "--- registered"]


def test_spelling_and_foreign_tags_are_not_a_difference(wanted: Registration) -> None:
    old = replace(wanted, definition=DEFINITION.replace("\n", "  "), tags={"Owner": "me", "aws:x": "theirs"})

    assert difference(old, wanted) == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"role_arn": "other"}, "-role: other"),
        ({"description": "other"}, '-description: "other"'),
        ({"tags": {"Owner": "other"}}, "-tag Owner: other"),
        ({"tags": {}}, "+tag Owner: me"),
        ({"definition": DEFINITION.replace('"no"}}', '"other"}}')}, '-        "ErrorMessage": "other"'),
    ],
)
def test_each_change_is_shown(change: dict[str, object], line: str, wanted: Registration) -> None:
    assert line in difference(replace(wanted, **change), wanted)  # type: ignore[arg-type]  # by name


def test_upsert_creates_then_leaves_alone_then_updates(stack: boto3.Session, wanted: Registration) -> None:
    sagemaker, name = stack.client("sagemaker"), f"upserted-{uuid4().hex}"
    changed = replace(wanted, description="Now.", tags={"Owner": "you", "More": "1"})

    assert registered(sagemaker, name) is None
    done = [upsert(sagemaker, name, version) for version in (wanted, wanted, changed, changed)]

    assert done == ["created", "unchanged", "updated", "unchanged"]
    assert registered(sagemaker, name) == changed
