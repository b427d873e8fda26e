"""The references of a definition (`Get`): whether they exist, and whether their types fit the arguments."""

from collections.abc import Iterator, Mapping
from typing import cast

from botocore.model import ListShape, MapShape, Shape, StructureShape

from helpers.local_aws.api.shapes import shape
from helpers.local_aws.pipelines.expressions import ExpressionError, is_expression, path_parts, references
from helpers.local_aws.pipelines.parameters import Parameter
from helpers.local_aws.pipelines.step_types import STEP_TYPES
from helpers.local_aws.pipelines.steps import Step

EXECUTION_VARIABLES = frozenset(
    {
        "CurrentDateTime",
        "PipelineArn",
        "PipelineExecutionArn",
        "PipelineExecutionId",
        "PipelineName",
        "ProcessingJobName",
        "StartDateTime",
        "TrainingJobName",
    }
)
_OF_A_JOB = {kind.job_name: name for name, kind in STEP_TYPES.items() if kind.job_name}
"""The variables that only steps of one type have."""
_WITHIN_FOR_EACH = frozenset({"ForEach", "IterationOutput"})
_FITTING: Mapping[str, frozenset[str]] = {
    "string": frozenset({"string"}),
    "boolean": frozenset({"boolean"}),
    "integer": frozenset({"integer", "long", "float", "double"}),
    "long": frozenset({"integer", "long", "float", "double"}),
    "float": frozenset({"float", "double"}),
    "double": frozenset({"float", "double"}),
}
"""The types of arguments that accept a value of a type."""


class References:
    """The values that a definition can refer to."""

    def __init__(self, steps: Mapping[str, Step], parameters: Mapping[str, Parameter]):
        self._steps = steps
        self._parameters = parameters

    def problems(self) -> Iterator[str]:
        """Yield the problems of the references in the steps' arguments."""
        for step in self._steps.values():
            for reference in sorted(set(references(step.arguments))):
                kind, _, rest = reference.partition(".")
                if kind in _WITHIN_FOR_EACH and step.type == "ForEach":
                    continue
                yield from (f"step '{step.name}': {each}" for each in self._one_problems(kind, rest, step))

    def type_problems(self, value: object, expected: Shape) -> list[str] | None:
        """Return why a function cannot be assigned to an argument of a shape; None for a plain value."""
        if not is_expression(value):
            return None
        ((function, argument),) = cast("dict[str, object]", value).items()
        found = "string" if function == "Std:Join" else None
        if function == "Get" and isinstance(argument, str):
            found = self._type_of(argument)
        if found is None or expected.type_name in _FITTING.get(found, frozenset({found})):
            return []
        name = argument if function == "Get" else function
        kind = expected.type_name.capitalize()
        return [f"Cannot assign property reference [{name}] to argument of type [{kind}]"]

    def _one_problems(self, kind: str, rest: str, step: Step) -> Iterator[str]:
        name, _, path = rest.partition(".")
        name = name.partition("[")[0]
        reference = f"{kind}.{rest}"
        if kind == "Parameters" and rest in self._parameters:
            return
        if kind == "Execution" and rest in EXECUTION_VARIABLES:
            if _OF_A_JOB.get(rest, step.type) != step.type:
                yield f"'{reference}' has a value in {_OF_A_JOB[rest]} steps only"
        elif kind == "Steps" and name in self._steps:
            yield from self._property_problems(self._steps[name], path, reference)
        else:
            yield f"'{reference}' refers to nothing in this definition"

    def _property_problems(self, step: Step, path: str, reference: str) -> Iterator[str]:
        first, _, rest = path.partition(".")
        if step.type == "Condition":
            if path != "Outcome":
                yield f"'{reference}': a Condition step has the property Outcome only"
        elif step.type == "Fail":
            yield f"'{reference}': a Fail step has no properties"
        elif first == "PropertyFiles":
            if rest not in step.property_files:
                yield f"'{reference}': step '{step.name}' declares no property file '{rest}'"
        elif path.startswith("OutputParameters[") and "OutputParameters" in STEP_TYPES[step.type].own_keys:
            if path.removeprefix("OutputParameters['").removesuffix("']") not in step.output_parameters:
                yield f"'{reference}': step '{step.name}' declares no such output parameter"
        elif properties := _properties(step, path):
            try:
                _shape_at(properties, path)
            except ExpressionError as error:
                yield f"'{reference}': {error}"

    def _type_of(self, reference: str) -> str | None:
        """Return the API's name for the type of a reference's value, or None if it is not known."""
        kind, _, rest = reference.partition(".")
        if kind == "Execution":
            return "string"
        if kind == "Parameters":
            parameter = self._parameters.get(rest)
            return parameter.type.lower() if parameter else None
        name, _, path = rest.partition(".")
        step = self._steps.get(name)
        properties = _properties(step, path) if step else None
        if properties is None:
            return None
        try:
            return str(_shape_at(properties, path).type_name)
        except ExpressionError:
            return None  # problems() reports it


def _properties(step: Step, path: str) -> Shape | None:
    """Return the shape at the beginning of a path into a step's properties, or None if there is none."""
    step_type = STEP_TYPES[step.type]
    if step_type.listed_properties and path.partition("[")[0] in shape(step_type.listed_properties).members:
        return shape(step_type.listed_properties)
    return shape(step_type.properties) if step_type.properties else None


def _shape_at(found: Shape, path: str) -> Shape:
    """Return the shape at a path into a response.

    Raises:
        ExpressionError: the path does not exist.
    """
    start = found.name
    for part in path_parts(path, start):
        match found:
            case StructureShape() if part in found.members:
                found = found.members[part]
            case ListShape():
                found = found.member
            case MapShape():
                found = found.value
            case _:
                known = ", ".join(found.members) if isinstance(found, StructureShape) else "no members"
                raise ExpressionError(f"{start} has no '{path}' (nothing at '{part}'; there are {known})")
    return found
