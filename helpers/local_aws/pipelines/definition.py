"""A pipeline definition as a validated graph of steps.

The language is the definition JSON, version 2020-12-01
(aws-sagemaker-mlops.github.io/sagemaker-model-building-pipeline-definition-JSON-schema), with the additions
that the SDK writes.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from helpers.local_aws.api.shapes import request_shape, shape_problems
from helpers.local_aws.pipelines.parameters import Parameter, parse_parameters
from helpers.local_aws.pipelines.references import References
from helpers.local_aws.pipelines.step_requests import REASONS, STEP_REQUESTS, is_executed
from helpers.local_aws.pipelines.steps import Step, collect_steps
from helpers.local_aws.processing.request_checks import outputs_of

VERSION = "2020-12-01"
MAX_BYTES = 1024 * 1024
_TOP_KEYS = frozenset(
    {"Version", "Metadata", "Parameters", "PipelineExperimentConfig", "MlflowConfig", "Steps"}
)


class DefinitionError(ValueError):
    """SageMaker would reject a definition; the message lists all problems."""

    def __init__(self, problems: list[str]):
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class PipelineDefinition:
    """A complete definition; the steps are in an order in which they can run."""

    parameters: Mapping[str, Parameter]
    steps: Mapping[str, Step]
    experiment: Mapping[str, Any] | None


def parse_definition(text: str) -> PipelineDefinition:
    """Return a definition as a graph.

    Raises:
        DefinitionError: with all problems found.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise DefinitionError([f"The pipeline definition is not valid JSON: {error}"]) from error
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
    problems += _graph_problems(steps)
    known = References(steps, parameters)
    problems += known.problems()
    for step in steps.values():
        problems += (f"step '{step.name}': {problem}" for problem in _request_problems(step, known))
    if problems:
        raise DefinitionError(problems)
    return PipelineDefinition(parameters, _in_running_order(steps), document.get("PipelineExperimentConfig"))


def not_executed(definition: PipelineDefinition) -> list[str]:
    """Return what the embedded AWS does not execute of a definition, such as `Tuning (step 'tune')`."""
    found = []
    for step in definition.steps.values():
        request = STEP_REQUESTS.get(step.type)
        if not is_executed(step.type):
            reason = f": {REASONS[step.type]}" if step.type in REASONS else ""
            found.append(f"{step.type} (step '{step.name}'{reason})")
        elif request:
            found += [f"{what} (step '{step.name}')" for what in request.not_emulated(step.arguments)]
    return found


def parameter_values(definition: PipelineDefinition, given: Mapping[str, str]) -> dict[str, object]:
    """Return the value of each parameter for an execution with given values.

    Raises:
        DefinitionError: a parameter is unknown, or a value is missing or wrong.
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


def _request_problems(step: Step, known: References) -> Iterator[str]:
    """Yield why the API would reject a step's arguments, as far as they are known."""
    if step.type not in STEP_REQUESTS:
        return
    of_type = STEP_REQUESTS[step.type]
    name = {of_type.name_member: "named-by-the-execution"} if of_type.name_member else {}
    request = {**name, **step.arguments}
    expected = request_shape(of_type.operation)
    shape_errors = list(shape_problems(request, expected, known_later=known.type_problems))
    yield from shape_errors
    if not shape_errors:
        yield from of_type.problems(request)
        names = [output.get("OutputName") for output in outputs_of(request)]
        yield from (
            f"property file '{file}' is of the output '{output}', which the step does not have"
            for file, (output, _) in step.property_files.items()
            if output not in names
        )


def _graph_problems(steps: Mapping[str, Step]) -> Iterator[str]:
    for step in steps.values():
        for name in sorted(step.depends_on.keys() - steps.keys()):
            yield f"step '{step.name}' depends on '{name}', which is not a step"
    try:
        _sorter(steps).prepare()
    except CycleError as error:
        yield f"steps depend on each other in a circle: {' -> '.join(error.args[1])}"


def _in_running_order(steps: Mapping[str, Step]) -> dict[str, Step]:
    return {name: steps[name] for name in _sorter(steps).static_order()}


def _sorter(steps: Mapping[str, Step]) -> "TopologicalSorter[str]":
    return TopologicalSorter({step.name: step.depends_on.keys() for step in steps.values()})
