import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import boto3
import pytest

from helpers.errors import UserError
from ml_pipeline.definitions import Registration
from ml_pipeline.executions.executions import Execution
from ml_pipeline.params import DEFAULT_PIPELINE
from ml_pipeline.releases.history import (
    Entry,
    Origin,
    as_document,
    definition_hash,
    entries,
    history_folder,
    last_executions,
    marks,
    record,
    versions,
)
from ml_pipeline.releases.registration import difference, registered, upsert

DEFINITION = """{"Version": "2020-12-01",
"Parameters": [{"Name": "ForceRun", "Type": "String", "DefaultValue": "no"}],
"Steps": [{"Name": "no", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}]}"""
FIRST = Origin("1" * 40, "a" * 16)
START = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
def wanted(role: str) -> Registration:
    return Registration(DEFINITION, "It fails.", role, {"Owner": "me"})


@pytest.fixture
def bucket(stack: boto3.Session) -> str:
    name = f"history-{uuid4().hex}"
    stack.client("s3").create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": stack.region_name}
    )
    return name


@pytest.fixture
def pipeline(stack: boto3.Session, wanted: Registration) -> Iterator[str]:
    name = f"recorded-{uuid4().hex}"
    upsert(stack.client("sagemaker"), name, wanted)
    yield name
    stack.client("sagemaker").delete_pipeline(PipelineName=name, ClientRequestToken=uuid4().hex)


def test_an_upsert_is_recorded_with_all_that_registering_it_again_needs(
    stack: boto3.Session, bucket: str, pipeline: str, wanted: Registration
) -> None:
    made = record(stack, pipeline, bucket, wanted, FIRST, changed=True)

    assert made is not None
    assert list(entries(stack.client("s3"), bucket)) == [made]
    assert made.registration == wanted
    assert made.version == 1
    assert made.who == stack.client("sts").get_caller_identity()["Arn"]
    assert (made.commit, made.code_hash) == (FIRST.commit, FIRST.code_hash)
    assert timedelta(0) <= datetime.now(UTC) - made.time < timedelta(minutes=1)


def test_the_pipeline_is_tagged_with_its_version_and_a_plan_ignores_the_tag(
    stack: boto3.Session, bucket: str, pipeline: str, wanted: Registration
) -> None:
    made = record(stack, pipeline, bucket, wanted, FIRST, changed=True)

    assert made is not None
    old = registered(stack.client("sagemaker"), pipeline)
    assert old is not None
    assert marks(made).items() <= old.tags.items()
    assert old.tags["gitops:commit"] == FIRST.commit
    assert difference(old, wanted) == []
    assert upsert(stack.client("sagemaker"), pipeline, wanted) == "unchanged"


def test_an_upsert_that_died_before_it_marked_the_pipeline_is_completed_by_the_next(
    stack: boto3.Session, bucket: str, pipeline: str, wanted: Registration
) -> None:
    made, sagemaker = record(stack, pipeline, bucket, wanted, FIRST, changed=True), stack.client("sagemaker")
    assert made is not None
    arn = sagemaker.describe_pipeline(PipelineName=pipeline)["PipelineArn"]
    sagemaker.delete_tags(ResourceArn=arn, TagKeys=[*marks(made)])

    assert record(stack, pipeline, bucket, wanted, FIRST, changed=False) is None

    old = registered(sagemaker, pipeline)
    assert old is not None
    assert marks(made).items() <= old.tags.items()


def test_only_what_is_new_is_recorded(
    stack: boto3.Session, bucket: str, pipeline: str, wanted: Registration
) -> None:
    def recorded(registration: Registration, origin: Origin, *, changed: bool) -> int | None:
        made = record(stack, pipeline, bucket, registration, origin, changed=changed)
        return made.version if made else None

    assert recorded(wanted, FIRST, changed=False) == 1, "upserted before there was a history"
    assert recorded(wanted, FIRST, changed=False) is None
    assert recorded(wanted, Origin("2" * 40, "a" * 16), changed=False) == 2, "another commit"
    assert recorded(replace(wanted, description="New."), Origin("2" * 40, "a" * 16), changed=True) == 3
    interrupted = replace(wanted, definition=DEFINITION.replace('"no"}', '"never"}'))
    assert recorded(interrupted, Origin("2" * 40, "a" * 16), changed=False) == 4, "registered, not recorded"


def test_no_two_upserts_get_the_same_version(
    stack: boto3.Session, bucket: str, pipeline: str, wanted: Registration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have read that there is no version yet."""
    made = record(stack, pipeline, bucket, wanted, FIRST, changed=True)
    monkeypatch.setattr("ml_pipeline.releases.history.entries", lambda *_: iter(()))

    other = record(stack, pipeline, bucket, wanted, Origin("2" * 40, "b" * 16), changed=True)

    assert other is not None
    assert other.version == 2
    monkeypatch.undo()
    assert list(entries(stack.client("s3"), bucket)) == [other, made]


def test_each_pipeline_has_versions_of_its_own(
    stack: boto3.Session, bucket: str, pipeline: str, wanted: Registration
) -> None:
    s3, folders = (
        stack.client("s3"),
        [history_folder(name) for name in (DEFAULT_PIPELINE, "rides", "rides-2")],
    )

    for folder in folders:
        for commit in ("1", "2"):
            record(
                stack, pipeline, bucket, wanted, Origin(commit * 40, "a" * 16), changed=True, folder=folder
            )

    assert folders == ["history/", "history/rides/", "history/rides-2/"]
    assert [versions(s3, bucket, folder) for folder in folders] == [[2, 1]] * 3
    assert [[each.version for each in entries(s3, bucket, folder)] for folder in folders] == [[2, 1]] * 3


def test_versions_are_numbers_and_an_invalid_record_is_reported(stack: boto3.Session, bucket: str) -> None:
    s3 = stack.client("s3")
    for key in ("history/2.json", "history/10.json", "history/notes.txt", "history/x.json"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"{}")

    assert versions(s3, bucket) == [10, 2]
    with pytest.raises(UserError, match=rf"s3://{bucket}/history/10\.json is not a record of an upsert"):
        list(entries(s3, bucket))


def test_spelling_is_not_a_difference_of_a_definition() -> None:
    assert definition_hash(DEFINITION) == definition_hash(json.dumps(json.loads(DEFINITION)))
    assert definition_hash(DEFINITION) != definition_hash(DEFINITION.replace("no", "on"))


def entry(version: int, hours: int) -> Entry:
    return Entry(
        version=version,
        time=START + timedelta(hours=hours),
        who="me",
        commit="c",
        code_hash="h",
        definition_hash="d",
        role_arn="r",
        description="",
        tags={},
        definition="secret, or at least long",
    )


def execution(name: str, minutes: int) -> Execution:
    return Execution(name, "Succeeded", START + timedelta(minutes=minutes))


def test_an_execution_is_of_the_version_that_was_upserted_last_before_it_started() -> None:
    listed = [entry(3, 2), entry(2, 1), entry(1, 0)]
    executions = [
        execution("before all", -1),
        execution("second of 1", 59),
        execution("first of 1", 0),
        execution("of 2", 60),
    ]

    last = last_executions(listed, executions)

    assert {version: each.arn for version, each in last.items()} == {1: "second of 1", 2: "of 2"}


def test_programs_get_the_history_without_the_definitions() -> None:
    (first,) = as_document([entry(1, 0)], {1: execution("arn", 5)})

    assert "definition" not in first
    assert first["last_execution"] == {
        "arn": "arn",
        "status": "Succeeded",
        "started": "2026-11-24T12:05:00+00:00",
    }
