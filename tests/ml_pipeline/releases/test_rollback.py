import json
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from helpers.errors import UserError
from ml_pipeline.executions.executions import Execution
from ml_pipeline.releases.history import Entry
from ml_pipeline.releases.rollback import code_uris, last_good, meant, names, reject_unrunnable
from tests.ml_pipeline.small_project import ARTIFACTS

START = datetime(2026, 11, 24, 12, tzinfo=UTC)


def entry(version: int, commit: str, code: str, definition: str) -> Entry:
    return Entry(
        version=version,
        time=START + timedelta(hours=version),
        who="me",
        commit=commit,
        code_hash=code,
        definition_hash=definition,
        role_arn="r",
        description="",
        tags={},
        definition="{}",
    )


LISTED = [
    entry(4, "cccc9999", "5eed0003", "three"),
    entry(3, "bbbb1234", "5eed0002", "two"),
    entry(2, "bbbb1111", "5eed0001", "one"),
    entry(1, "aaaa0000", "5eed0001", "one"),
]


@pytest.mark.parametrize(
    ("to", "version"),
    [
        ("3", 3),
        (" 1 ", 1),
        ("aaaa", 1),
        ("BBBB1234", 3),
        ("5eed0001", 2),  # two versions with the same definition: the newer one
    ],
)
def test_a_version_is_found_by_number_commit_or_code_hash(to: str, version: int) -> None:
    assert meant(LISTED, to).version == version


@pytest.mark.parametrize("to", ["9", "dddd", "aaa", "unknown"])
def test_an_unknown_version_is_reported_with_those_that_exist(to: str) -> None:
    with pytest.raises(UserError, match=f"No upsert matches '{to}'. There are:\n  - 4: .*commit cccc9999"):
        meant(LISTED, to)


def test_an_ambiguous_version_is_reported_with_its_matches() -> None:
    with pytest.raises(UserError, match=r"several upserts:\n  - 3: .*\n  - 2: [^\n]*\nHint: Name one"):
        meant(LISTED, "bbbb")


def executed(*statuses: str) -> dict[int, Execution]:
    return {version: Execution("arn", status, START) for version, status in enumerate(statuses, 1) if status}


def test_the_last_good_version_is_one_that_succeeded_and_defined_something_else() -> None:
    assert last_good(LISTED, executed("Succeeded", "Succeeded", "Failed")).version == 2
    assert last_good(LISTED, executed("Succeeded", "", "Failed", "Succeeded")).version == 1
    after_a_rollback = [entry(5, "bbbb1111", "5eed0001", "one"), *LISTED]
    assert last_good(after_a_rollback, executed("Succeeded", "Succeeded", "Succeeded", "Failed")).version == 3


@pytest.mark.parametrize(
    ("status", "version"),
    [("", 1), ("Executing", 1), ("Stopping", 1), ("Stopped", 1), ("Failed", 3), ("Succeeded", 3)],
)
def test_a_rollback_that_was_interrupted_is_meant_again(status: str, version: int) -> None:
    back = entry(5, "aaaa0001", "5eed0001", "one").model_copy(update={"rolled_back_to": 1})

    found = last_good([back, *LISTED], executed("Succeeded", "Succeeded", "Succeeded", "Failed", status))

    assert found.version == version


def test_without_a_version_that_succeeded_there_is_none_to_go_back_to() -> None:
    with pytest.raises(UserError, match="TO=<version>"):
        last_good(LISTED, executed("Failed", "Stopped", "", "Succeeded"))
    back_to_the_first = [entry(5, "bbbb1111", "5eed0001", "one"), *LISTED]
    with pytest.raises(UserError, match="TO=<version>"):
        last_good(back_to_the_first, executed("Succeeded", "Succeeded", "Failed", "Failed", "Failed"))


def test_code_is_what_a_definition_names_in_the_artifact_bucket() -> None:
    definition = {
        "Steps": [
            {"Entry": ["submit", "--py-files", "s3://ours/code/1/a.py,s3://ours/code/1/b.py"]},
            {"In": "s3a://ours/code/1/c.json", "Again": "s3://ours/code/1/a.py", "Other": "s3://ours-2/x"},
        ]
    }

    assert code_uris(definition, "ours") == [
        "s3://ours/code/1/a.py",
        "s3://ours/code/1/b.py",
        "s3a://ours/code/1/c.json",
    ]


def test_subnets_groups_keys_and_roles_are_what_a_definition_needs() -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
    role = "arn:aws:iam::123456789012:role/processing-job"
    text = f'["subnet-0123456789abcdef0", "sg-01234567", "{key}", "{role}", "s3a://data-1/in"]'

    assert names(text) == {"subnet-0123456789abcdef0", "sg-01234567", key, role}
    assert names('{"Bucket": "a name", "n": "message-12345678"}') == set()


def test_all_reasons_why_a_version_cannot_run_are_reported_together(stack: boto3.Session) -> None:
    bucket = f"{ARTIFACTS}-local"
    uri = f"s3://{bucket}/code/0123456789abcdef/gone.py"
    definition = {"Steps": [{"Name": "no", "Type": "Fail", "Uri": uri, "In": "s3a://no-such-bucket-here/x"}]}
    entry = LISTED[0].model_copy(
        update={
            "definition": json.dumps({**definition, "Key": "subnet-0123456789abcdef0"}),
            "role_arn": "arn:aws:iam::123456789012:role/gone",
        }
    )

    with pytest.raises(UserError) as rejected:
        reject_unrunnable(stack.client("s3"), entry, bucket, ["arn:aws:iam::123456789012:role/x"], "trial")

    assert rejected.value.message.splitlines() == [
        "Version 4 would not run, and nothing was changed:",
        f"  - its code is gone: {uri}",
        f"  - it names {entry.role_arn}, which is not among today's outputs and parameters of trial",
        "  - it names subnet-0123456789abcdef0, which is not among today's outputs and parameters of trial",
        "  - it names the bucket no-such-bucket-here, which is gone",
    ]


def test_a_control_that_an_earlier_definition_lacks_is_reported(stack: boto3.Session) -> None:
    entry = LISTED[0].model_copy(update={"definition": '{"Steps": [{"Name": "a", "Type": "Unheard"}]}'})

    with pytest.raises(UserError, match="the controls of steps of type Unheard are not known"):
        reject_unrunnable(stack.client("s3"), entry, "b", [entry.role_arn], "trial")
