"""Parameters of an execution in addition to the fingerprints of its data."""

from typing import Any

import boto3
import pytest

from ml_pipeline.executions.parameters import COMMIT_TAG, commit_parameter


def test_a_definition_without_the_parameter_gets_no_commit() -> None:
    assert commit_parameter(boto3.Session(), "arn", {"Parameters": [{"Name": "ForceRun"}]}) == {}


@pytest.mark.parametrize(
    ("tags", "commit"), [({COMMIT_TAG: "8edf542"}, "8edf542"), ({"Owner": "riders"}, "unknown")]
)
def test_the_commit_is_that_which_the_pipeline_is_marked_with(tags: dict[str, str], commit: str) -> None:
    class Session:
        def client(self, _: str) -> Any:
            return self

        def get_paginator(self, _: str) -> Any:
            return self

        def paginate(self, **asked: str) -> list[dict[str, Any]]:
            assert asked == {"ResourceArn": "arn:pipeline"}
            return [{"Tags": []}, {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}]

    session: Any = Session()
    assert commit_parameter(session, "arn:pipeline", {"Parameters": [{"Name": "Commit"}]}) == {
        "Commit": commit
    }
