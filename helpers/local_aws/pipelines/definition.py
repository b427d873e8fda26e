"""A pipeline definition as a checked graph of steps.

The language is that of the definition JSON, version 2020-12-01
(aws-sagemaker-mlops.github.io/sagemaker-model-building-pipeline-definition-JSON-schema).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from helpers.local_aws.pipelines.expressions import references
from helpers.local_aws.pipelines.parameters import Parameter, parse_parameters
from helpers.local_aws.pipelines.steps import Step, collect_steps

VERSION = "2020-12-01"
MAX_BYTES = 1024 * 1024
EXECUTED_STEP_TYPES = frozenset({"Processing", "Condition", "Fail"})
EXECUTION_VARIABLES = frozenset(
    {
        "CurrentDateTime",
        "PipelineArn",
        "PipelineExecutionArn",
        "PipelineExecutionId",
        "PipelineName",
        "ProcessingJobName",
        "StartDateTime",
    }
)
_TOP_KEYS = frozenset(
    {"Version", "Metadata", "Parameters", "PipelineExperimentConfig", "MlflowConfig", "Steps"}
)


class DefinitionError(ValueError):
    """A definition that SageMaker would not accept; the message names every problem."""

    def __init__(self, problems: list[str]):
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class PipelineDefinition:
    """A whole definition; the steps lie in an order in which they could run."""

    parameters: Mapping[str, Parameter]
    steps: Mapping[str, Step]
    experiment: Mapping[str, Any] | None


def parse_definition(text: str) -> PipelineDefinition:
    """Return a definition as a graph.

    Raises:
        DefinitionError: with every problem found.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise DefinitionError([f"The pipeline definition is no JSON: {error}"]) from error
    if not isinstance(document, dict):
        raise DefinitionError(["The pipeline definition must be a JSON object"])
    problems = [f"unknown key '{key}' at the top" for key in document if key not in _TOP_KEYS]
    if len(text.encode()) > MAX_BYTES:
        problems.append(f"the definition is larger than {MAX_BYTES} bytes")
    if document.get("Version") != VERSION:
        problems.append(f"Version must be '{VERSION}', not {document.get('Version')!r}")
    parameters, parameter_problems = parse_parameters(document.get("Parameters") or [])
    problems += parameter_problems
    steps: dict[str, Step] = {}
    if not isinstance(document.get("Steps"), list) or not document["Steps"]:
        problems.append("Steps must be a list of at least one step")
    else:
        problems += collect_steps(document["Steps"], "Steps", None, steps)
    problems += _reference_problems(document, steps, parameters)
    if problems:
        raise DefinitionError(problems)
    return PipelineDefinition(parameters, _in_running_order(steps), document.get("PipelineExperimentConfig"))


def not_executed(definition: PipelineDefinition) -> list[str]:
    """Return the steps whose type the embedded AWS does not execute, as `Training (step 'train')`."""
    return [
        f"{step.type} (step '{step.name}')"
        for step in definition.steps.values()
        if step.type not in EXECUTED_STEP_TYPES
    ]


def parameter_values(definition: PipelineDefinition, given: Mapping[str, str]) -> dict[str, object]:
    """Return the value of each parameter for an execution that was started with some given ones.

    Raises:
        DefinitionError: an unknown parameter, a missing or a wrong value.
    """
    problems = [
        f"Parameter '{name}' is not in the pipeline definition"
        for name in given
        if name not in definition.parameters
    ]
    values: dict[str, object] = {}
    for name, parameter in definition.parameters.items():
        try:
            values[name] = parameter.value(given.get(name))
        except ValueError as error:
            problems.append(str(error))
    if problems:
        raise DefinitionError(problems)
    return values


def _reference_problems(
    document: Mapping[str, Any], steps: Mapping[str, Step], parameters: Mapping[str, Parameter]
) -> Iterator[str]:
    for reference in sorted(set(references(document.get("Steps")))):
        kind, _, rest = reference.partition(".")
        name = rest.split(".")[0]
        known = {"Steps": steps, "Parameters": parameters, "Execution": EXECUTION_VARIABLES}.get(kind)
        if known is None or name not in known:
            yield f"'{reference}' refers to nothing in this definition"
    for step in steps.values():
        for need in sorted(step.needs - steps.keys()):
            yield f"step '{step.name}' depends on '{need}', which is no step"
    try:
        TopologicalSorter({step.name: step.needs for step in steps.values()}).prepare()
    except CycleError as error:
        yield f"steps depend on each other in a circle: {' -> '.join(error.args[1])}"


def _in_running_order(steps: Mapping[str, Step]) -> dict[str, Step]:
    order = TopologicalSorter({name: step.needs for name, step in steps.items()}).static_order()
    return {name: steps[name] for name in order}
