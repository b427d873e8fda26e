"""A sweep: code that nothing uses, and previews that have expired, with their pipelines."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import boto3
import pytest

from helpers.infra.stacks import configuration
from helpers.infra.stacks.previews import EXPIRES_AT
from ml_pipeline.__main__ import main
from ml_pipeline.releases import code_sweep
from ml_pipeline.releases import sweep as sweeping
from ml_pipeline.releases.code_sweep import decide, delete_prefix, prefixes_in, staged_prefixes

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
FAILS = {"Name": "no", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
OLD, YOUNG = NOW - timedelta(days=8), NOW - timedelta(days=6)


def uses(letter: str) -> str:
    return json.dumps({"Entry": f"s3://bucket/code/{letter * 16}/process_pyspark.py"})


def prefix(letter: str) -> str:
    return f"code/{letter * 16}/"


def test_code_goes_when_it_is_old_and_neither_upserted_nor_a_version_to_go_back_to_nor_here() -> None:
    staged = {prefix(letter): OLD for letter in "abcdef"} | {prefix("9"): YOUNG}

    found = decide(staged, [uses("a")], [(7, uses("b")), (6, uses("c"))], "d" * 16, NOW)

    assert found.unused == (prefix("e"), prefix("f"))
    assert found.kept == {
        prefix("9"): "it is younger than 7 days",
        prefix("a"): "the pipeline uses it",
        prefix("b"): "version 7 uses it",
        prefix("c"): "version 6 uses it",
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
def previews(
    stack: boto3.Session, role: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The name of a project whose preview pr-41 has expired, pr-42 has not, and pr-43 is another's."""
    project = f"swept-{uuid4().hex[:8]}"
    template = (
        "Parameters: {ProjectName: {Type: String}, Environment: {Type: String}}\n"
        "Resources: {Topic: {Type: AWS::SNS::Topic}}\n"
    )
    (tmp_path / "parameters").mkdir()
    (tmp_path / "keys.yaml").write_text(template)
    names = {"ProjectName": project, "Owner": "team", "Repository": "owner/name", "Region": "eu-west-1"}
    (tmp_path / "project.json").write_text(json.dumps(names))
    for name in ("preview", "local"):
        content: dict[str, object] = {"Stacks": ["keys"], "Parameters": {}}
        (tmp_path / "parameters" / f"{name}.json").write_text(json.dumps(content))
    for function in (configuration.load_stacks, configuration.project_name, configuration.stack_names):
        monkeypatch.setattr(function, "__defaults__", (tmp_path,))
    monkeypatch.setattr(sweeping, "INFRA", tmp_path)
    now = datetime.now(UTC)
    for environment, owner, expires in (
        ("pr-41", project, now - timedelta(minutes=1)),
        ("pr-42", project, now + timedelta(days=1)),
        ("pr-43", "somebody-else", now - timedelta(minutes=1)),
    ):
        tags = {"Project": owner, "Environment": environment, EXPIRES_AT: expires.isoformat()}
        stack.client("cloudformation").create_stack(
            StackName=f"{project}-{environment}-keys",
            TemplateBody=template,
            Parameters=[
                {"ParameterKey": "ProjectName", "ParameterValue": project},
                {"ParameterKey": "Environment", "ParameterValue": environment},
            ],
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )
    sagemaker = stack.client("sagemaker")
    sagemaker.create_pipeline(
        PipelineName="ProcessingPipeline-pr-41",
        PipelineDefinition=json.dumps({"Version": "2020-12-01", "Steps": [FAILS]}),
        RoleArn=role,
        ClientRequestToken=uuid4().hex,
    )
    yield project
    for name in left(stack, project):
        stack.client("cloudformation").delete_stack(StackName=name)
    if "ProcessingPipeline-pr-41" in pipelines(stack):
        sagemaker.delete_pipeline(PipelineName="ProcessingPipeline-pr-41", ClientRequestToken=uuid4().hex)


def pipelines(stack: boto3.Session) -> list[str]:
    listed = stack.client("sagemaker").list_pipelines()["PipelineSummaries"]
    return [each["PipelineName"] for each in listed]


def left(stack: boto3.Session, project: str) -> list[str]:
    pages = stack.client("cloudformation").get_paginator("describe_stacks").paginate()
    names = [each["StackName"] for page in pages for each in page["Stacks"]]
    return sorted(name for name in names if name.startswith(project))


def test_an_expired_preview_goes_with_its_pipeline_and_nothing_else_does(
    previews: str, stack: boto3.Session, capsys: pytest.CaptureFixture[str]
) -> None:
    others = [f"{previews}-pr-42-keys", f"{previews}-pr-43-keys"]

    assert main(["sweep", "--only", "previews", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "Would remove pr-41: it has expired." in said
    assert "Kept pr-42: it expires " in said
    assert "pr-43" not in said
    assert left(stack, previews) == [f"{previews}-pr-41-keys", *others]
    assert "ProcessingPipeline-pr-41" in pipelines(stack)

    assert main(["sweep", "--only", "previews"]) == 0
    assert "Removed pr-41: it had expired." in capsys.readouterr().out
    assert left(stack, previews) == others
    assert "ProcessingPipeline-pr-41" not in pipelines(stack)

    assert main(["sweep", "--only", "previews"]) == 0
    assert "pr-41" not in capsys.readouterr().out


def test_a_preview_that_cannot_be_removed_is_told_and_stops_no_other(
    previews: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sweeping, "tear_down", lambda *_, **__: 0)

    assert main(["sweep", "--only", "previews"]) == 1

    said = capsys.readouterr().out
    assert f"Not removed: pr-41: {previews}-pr-41-keys is left" in said
    assert "Kept pr-42" in said


def test_unused_code_goes_and_what_stays_says_why(
    stack: boto3.Session, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    s3, bucket = stack.client("s3"), "artifacts-of-tests-local"
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
    assert main(["sweep", "--only", "code", "--env", "prod"]) == 0
    assert "No code of prod is swept: pyspark-processing-prod-keys, " in capsys.readouterr().out


@pytest.mark.parametrize("words", [("--keep", "0"), ("--keep", "many"), ("--only", "stacks")])
def test_bad_words_are_refused(words: tuple[str, ...], stack: boto3.Session) -> None:
    with pytest.raises(SystemExit):
        main(["sweep", *words])
