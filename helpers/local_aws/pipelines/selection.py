"""Selective execution: runs some steps of a pipeline with the results of an earlier execution.

https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-selective-ex.html
"""

from collections.abc import Mapping, Sequence

from helpers.local_aws.pipelines.definition import PipelineDefinition
from helpers.local_aws.pipelines.steps import Step

Ancestors = Mapping[str, frozenset[str]]


class SelectionError(ValueError):
    """The selected steps cannot be executed separately."""


def reused_steps(definition: PipelineDefinition, selected: Sequence[str], source: str | None) -> list[str]:
    """Return the steps whose results the selected steps take from the source execution.

    Args:
        definition: the pipeline definition.
        selected: names of the selected steps.
        source: ARN of the source execution, if any.

    Raises:
        SelectionError: a step is unknown, steps are not connected, or results are needed without a source.
    """
    steps = definition.steps
    unknown = [name for name in selected if name not in steps]
    if unknown:
        raise SelectionError(f"The selected steps [{', '.join(unknown)}] are not in the pipeline definition")
    ancestors = _ancestors(steps)
    for name in steps:
        after = [other for other in selected if other in ancestors[name]]
        before = [other for other in selected if name in ancestors[other]]
        if name not in selected and after and before:
            raise SelectionError(
                f"All steps between two selected steps must be selected: '{name}' lies between "
                f"'{after[0]}' and '{before[0]}'"
            )
    needed = [name for name in steps if name not in selected and _is_needed(steps, selected, name)]
    if needed and source is None:
        raise SelectionError(
            f"Invalid SourcePipelineExecutionArn: null. The selected steps [{', '.join(selected)}] have "
            f"dependencies on [{', '.join(needed)}]"
        )
    return needed


def _is_needed(steps: Mapping[str, Step], selected: Sequence[str], name: str) -> bool:
    return any(name in steps[other].depends_on for other in selected)


def _ancestors(steps: Mapping[str, Step]) -> Ancestors:
    """Return all direct and indirect dependencies of each step; `steps` are in running order."""
    found: dict[str, frozenset[str]] = {}
    for name, step in steps.items():
        found[name] = frozenset(step.depends_on).union(*(found[other] for other in step.depends_on))
    return found
