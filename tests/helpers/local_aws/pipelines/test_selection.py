import json
from typing import Any

import pytest

from helpers.local_aws.pipelines.definition import PipelineDefinition, parse_definition
from helpers.local_aws.pipelines.selection import SelectionError, reused_steps

SOURCE = "arn:aws:sagemaker:us-east-1:123456789012:pipeline/p/execution/e"


def chain(*names: str) -> PipelineDefinition:
    """Steps that each depend on the previous one."""
    steps: list[dict[str, Any]] = []
    for name in names:
        before = [steps[-1]["Name"]] if steps else []
        steps.append({"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": "m"}, "DependsOn": before})
    return parse_definition(json.dumps({"Version": "2020-12-01", "Steps": steps}))


@pytest.mark.parametrize(
    ("selected", "source", "reused"),
    [(["a"], None, []), (["b", "c"], SOURCE, ["a"]), (["d"], SOURCE, ["c"]), (["a", "b"], None, [])],
)
def test_the_steps_before_the_selected_are_reused(selected, source, reused) -> None:
    assert reused_steps(chain(*"abcd"), selected, source) == reused


@pytest.mark.parametrize(
    ("selected", "source", "problem"),
    [
        (["zzz"], SOURCE, r"selected steps \[zzz\] are not in the pipeline definition"),
        (
            ["b"],
            None,
            r"SourcePipelineExecutionArn: null. The selected steps \[b\] have dependencies on \[a\]",
        ),
        (["a", "c"], SOURCE, "'b' lies between 'a' and 'c'"),
        (["a", "d"], SOURCE, "lies between 'a' and 'd'"),
    ],
)
def test_a_selection_that_cannot_run_is_rejected(selected, source, problem) -> None:
    with pytest.raises(SelectionError, match=problem):
        reused_steps(chain(*"abcd"), selected, source)
