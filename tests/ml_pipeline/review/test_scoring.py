"""Whether the newest scoring published its predictions."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from helpers.environments import Environment
from ml_pipeline.executions.target import Target
from ml_pipeline.review.scoring import Scoring, as_document, lines, scoring_of

TARGET = Target(Environment("local"), "score", "score-local")
REASON = "drift: none of 597 rows is published: weight: PSI 1.079 is above 0.250; check the input"
DRIFTED = [
    {"StepName": "post-process", "StepStatus": "Succeeded"},
    {"StepName": "drifted", "StepStatus": "Failed", "FailureReason": REASON},
]


class SageMaker:
    """Executions by status, newest first, all with the same steps."""

    def __init__(self, statuses: Sequence[str], steps: Sequence[Mapping[str, Any]] = ()):
        self.statuses, self.steps = statuses, steps

    def get_paginator(self, name: str) -> Any:
        listed = {
            "list_pipeline_executions": {
                "PipelineExecutionSummaries": [
                    {
                        "PipelineExecutionArn": f"arn:{index}",
                        "PipelineExecutionStatus": status,
                        "StartTime": datetime(2026, 11, 29, tzinfo=UTC) - timedelta(days=index),
                    }
                    for index, status in enumerate(self.statuses)
                ]
            },
            "list_pipeline_execution_steps": {"PipelineExecutionSteps": self.steps},
        }[name]

        class Paginator:
            def paginate(self, **_: Any) -> list[Any]:
                return [listed]

        return Paginator()

    def describe_pipeline_execution(self, **_: str) -> dict[str, str]:
        return {"PipelineExecutionStatus": "Failed", "FailureReason": "It is over its quota."}


def found(statuses: Sequence[str], steps: Sequence[Mapping[str, Any]] = ()) -> Scoring:
    sagemaker: Any = SageMaker(statuses, steps)
    return scoring_of(sagemaker, TARGET)


@pytest.mark.parametrize(
    "statuses", [[], ["Succeeded"], ["Succeeded", "Failed"], ["Executing", "Succeeded"], ["Stopped"]]
)
def test_scoring_that_published_is_not_drift(statuses: Sequence[str]) -> None:
    scoring = found(statuses)

    assert scoring.published
    assert as_document(scoring)["published"]


@pytest.mark.parametrize(
    ("statuses", "arn"), [(["Failed", "Succeeded"], "arn:0"), (["Executing", "Stopped", "Failed"], "arn:2")]
)
def test_predictions_that_were_withheld_are_drift_with_its_figures(statuses: Sequence[str], arn: str) -> None:
    scoring = found(statuses, DRIFTED)

    assert not scoring.published
    assert as_document(scoring) == {
        "name": "score-local",
        "published": False,
        "execution": arn,
        "started": f"2026-11-{29 - int(arn[-1])}T00:00:00+00:00",
        "failed": ({"name": "drifted", "reason": REASON},),
    }
    assert list(lines(scoring, TARGET)) == [
        f"local: score-local published nothing: {arn}",
        f"  step drifted: {REASON}",
        "  Show the execution with: make status ENV=local PIPELINE=score",
    ]


def test_without_a_failed_step_the_reason_is_that_of_the_execution() -> None:
    (step,) = found(["Failed"]).failed

    assert (step.name, step.reason) == ("", "It is over its quota.")
