"""Sweeps of unused code, and of expired previews with their pipelines."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest

from helpers.environments import Environment
from helpers.infra.stacks.configuration import stack_names
from helpers.infra.stacks.previews import EXPIRES_AT
from ml_pipeline.__main__ import main
from ml_pipeline.releases import code_sweep
from ml_pipeline.releases import sweep as sweeping
from ml_pipeline.releases.code_sweep import decide, delete_prefix, prefixes_in, staged_prefixes
from tests.ml_pipeline.small_project import ARTIFACTS, PIPELINE, STACKS, TOPICS

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
FAILS = {"Name": "no", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
EXPIRED = f"{PIPELINE}-pr-41"
OLD, YOUNG = NOW - timedelta(days=8), NOW - timedelta(days=6)


def uses(letter: str) -> str:
    return json.dumps({"Entry": f"s3://bucket/code/{letter * 16}/process_pyspark.py"})


def prefix(letter: str) -> str:
    return f"code/{letter * 16}/"


def test_code_goes_when_it_is_old_and_neither_upserted_nor_a_version_to_go_back_to_nor_here() -> None:
    staged = {prefix(letter): OLD for letter in "abcdef"} | {prefix("9"): YOUNG}

    recorded = [("version 7 of Fares", uses("b")), ("version 6 of Fares", uses("c"))]
    found = decide(staged, [uses("a")], recorded, ["d" * 16], NOW)

    assert found.unused == (prefix("e"), prefix("f"))
    assert found.kept == {
        prefix("9"): "it is younger than 7 days",
        prefix("a"): "the pipeline uses it",
        prefix("b"): "version 7 of Fares uses it",
        prefix("c"): "version 6 of Fares uses it",
        prefix("d"): "it is the code of this checkout",
    }


def test_only_the_folders_of_code_hashes_are_looked_at() -> None:
    assert prefixes_in('"s3://b/code/short/x.py,s3a://b/code/0123456789abcdef/x.py"') == {
        "code/0123456789abcdef/"
    }


@pytest.fixture
def bucket(stack: boto3.Session) -> str:
    name = f"swept-{uuid4().hex}"
    stack.client("s3").create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": stack.region_name}
    )
    return name


def test_a_prefix_is_as_old_as_its_newest_object_and_goes_with_all_of_them(
    stack: boto3.Session, bucket: str
) -> None:
    s3 = stack.client("s3")
    keys = [f"{prefix('a')}1.py", f"{prefix('a')}2.py", f"{prefix('b')}1.py", "code/notes.txt", "models/x"]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")

    newest = max(
        entry["LastModified"] for entry in s3.list_objects_v2(Bucket=bucket, Prefix=prefix("a"))["Contents"]
    )
    assert {*staged_prefixes(s3, bucket)} == {prefix("a"), prefix("b")}
    assert staged_prefixes(s3, bucket)[prefix("a")] == newest

    delete_prefix(s3, bucket, prefix("a"))

    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == sorted(keys[2:])


@pytest.fixture
def previews(stack: boto3.Session, role: str) -> Iterator[str]:
    """The name of the project. Its preview pr-41 has expired, pr-42 has not; pr-43 is another project's."""
    project = stack_names(Environment("local"))[0].removesuffix(f"-local-{STACKS[0]}")
    now = datetime.now(UTC)
    for environment, owner, expires in (
        ("pr-41", project, now - timedelta(minutes=1)),
        ("pr-42", project, now + timedelta(days=1)),
        ("pr-43", "someone-else", now - timedelta(minutes=1)),
    ):
        tags = {"Project": owner, "Environment": environment, EXPIRES_AT: expires.isoformat()}
        stack.client("cloudformation").create_stack(
            StackName=f"{project}-{environment}-{STACKS[1]}",
            TemplateBody=json.dumps(TOPICS),
            Parameters=[
                {"ParameterKey": "ProjectName", "ParameterValue": project},
                {"ParameterKey": "Environment", "ParameterValue": environment},
            ],
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )
    sagemaker = stack.client("sagemaker")
    sagemaker.create_pipeline(
        PipelineName=EXPIRED,
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": [FAILS]}),
        RoleArn=role,
        ClientRequestToken=uuid4().hex,
    )
    yield project
    for name in left(stack, project):
        stack.client("cloudformation").delete_stack(StackName=name)
    if EXPIRED in pipelines(stack):
        sagemaker.delete_pipeline(PipelineName=EXPIRED, ClientRequestToken=uuid4().hex)


def pipelines(stack: boto3.Session) -> list[str]:
    listed = stack.client("sagemaker").list_pipelines()["PipelineSummaries"]
    return [each["PipelineName"] for each in listed]


def left(stack: boto3.Session, project: str) -> list[str]:
    """Return the names of the remaining preview stacks."""
    pages = stack.client("cloudformation").get_paginator("describe_stacks").paginate()
    names = [each["StackName"] for page in pages for each in page["Stacks"]]
    return sorted(name for name in names if name.startswith(f"{project}-pr-"))


def test_an_expired_preview_goes_with_its_pipeline_and_nothing_else_does(
    previews: str, stack: boto3.Session, capsys: pytest.CaptureFixture[str]
) -> None:
    others = [f"{previews}-pr-42-{STACKS[1]}", f"{previews}-pr-43-{STACKS[1]}"]

    assert main(["sweep", "--only", "previews", "--dry-run"]) == 0
    output = capsys.readouterr().out
    assert "Would remove pr-41: it has expired." in output
    assert "Kept pr-42: it expires " in output
    assert "pr-43" not in output
    assert left(stack, previews) == [f"{previews}-pr-41-{STACKS[1]}", *others]
    assert EXPIRED in pipelines(stack)

    assert main(["sweep", "--only", "previews"]) == 0
    assert "Removed pr-41: it had expired." in capsys.readouterr().out
    assert left(stack, previews) == others
    assert EXPIRED not in pipelines(stack)

    assert main(["sweep", "--only", "previews"]) == 0
    assert "pr-41" not in capsys.readouterr().out


def test_a_preview_that_cannot_be_removed_is_reported_and_stops_no_other(
    previews: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sweeping, "tear_down", lambda *_, **__: 0)

    assert main(["sweep", "--only", "previews"]) == 1

    output = capsys.readouterr().out
    assert f"Not removed: pr-41: {previews}-pr-41-{STACKS[1]} is left" in output
    assert "Kept pr-42" in output


def test_unused_code_is_deleted_and_kept_code_is_listed_with_the_reason(
    stack: boto3.Session, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    s3, bucket = stack.client("s3"), f"{ARTIFACTS}-local"
    s3.put_object(Bucket=bucket, Key=f"{prefix('e')}x.py", Body=b"")
    words = ["sweep", "--only", "code", "--keep", "1"]

    assert main(words) == 0
    assert f"Kept s3://{bucket}/{prefix('e')}: it is younger than 7 days." in capsys.readouterr().out

    monkeypatch.setattr(code_sweep, "MINIMUM_AGE", timedelta(0))
    assert main([*words, "--dry-run"]) == 0
    assert f"Would remove s3://{bucket}/{prefix('e')}: nothing uses it." in capsys.readouterr().out
    assert main(words) == 0
    assert f"Removed s3://{bucket}/{prefix('e')}: nothing uses it." in capsys.readouterr().out
    assert prefix("e") not in staged_prefixes(s3, bucket)


def test_where_nothing_is_deployed_there_is_no_code_to_sweep(
    stack: boto3.Session, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = ", ".join(stack_names(Environment("pr-9")))

    assert main(["sweep", "--only", "code", "--env", "pr-9"]) == 0
    assert f"No code of pr-9 is swept: {missing} is not deployed." in capsys.readouterr().out


def test_a_sweep_leaves_an_environment_alone_that_is_being_changed(
    stack: boto3.Session, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = stack_names(Environment("local"))[1]
    real = sweeping.find_stack

    def in_progress(cloudformation: Any, name: str) -> Any:
        found = real(cloudformation, name)
        return {**found, "StackStatus": "UPDATE_IN_PROGRESS"} if name == busy else found

    monkeypatch.setattr(sweeping, "find_stack", in_progress)
    monkeypatch.setattr(code_sweep, "delete_prefix", lambda *_: pytest.fail("something was deleted"))

    assert main(["sweep", "--only", "code"]) == 0

    assert f"No code of local is swept: someone is changing {busy}." in capsys.readouterr().out


@pytest.mark.parametrize("words", [("--keep", "0"), ("--keep", "many"), ("--only", "stacks")])
def test_bad_arguments_are_rejected(words: tuple[str, ...], stack: boto3.Session) -> None:
    with pytest.raises(SystemExit):
        main(["sweep", *words])
