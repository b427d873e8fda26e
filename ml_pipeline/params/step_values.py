"""Common values of sections: names, and references to other steps and to execution parameters."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, PlainSerializer, PlainValidator
from pydantic_core import PydanticCustomError

from ml_pipeline.params.constraints import DURATION, DataUri, checked, matching
from ml_pipeline.params.execution_parameters import EXECUTION_PARAMETERS
from ml_pipeline.params.files import SPARK, KeyPath

StepName = Annotated[
    str,
    matching(
        re.compile(r"(?=.{1,64}$)[A-Za-z0-9](-*[A-Za-z0-9])*"),
        "name a step with 1 to 64 letters, digits and hyphens, as join-rates: its jobs are named after it",
    ),
]
Name = Annotated[
    str,
    matching(
        re.compile(r"[a-z][a-z0-9_]{0,39}"),
        "write a name in lower case with underscores, as input_table: the job gets it as --input_table",
    ),
]
Duration = Annotated[str, matching(DURATION, "write an ISO 8601 duration as P30D or PT12H")]
_FOLDER = r"(?!\.{1,2}(/|$))[\w.-]+"
"""A folder other than `.` and `..`, which S3 does not resolve."""
BelowRun = Annotated[str, matching(re.compile(rf"{_FOLDER}(/{_FOLDER})*"), "name a folder without . and ..")]
FileBelowRun = Annotated[
    str,
    matching(re.compile(rf"({_FOLDER}/)*[\w-]+\.json"), "name a JSON file, as evaluation/evaluation.json"),
]


class StepModel(BaseModel):
    """A part of a step's section."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _parameter_problem(name: str) -> str | None:
    if name in EXECUTION_PARAMETERS:
        return None
    return f"there is no such execution parameter; write one of {', '.join(EXECUTION_PARAMETERS)}"


class ParameterValue(StepModel):
    """A value that `make start` reads from the model registry."""

    parameter: Annotated[str, checked(_parameter_problem)]


def _of_type(types: tuple[type, ...], hint: str) -> PlainValidator:
    """Return one validator for all types: pydantic would report an error for each type of a union."""

    def check(value: Any) -> Any:
        if type(value) in types:  # a bool is an int for isinstance
            return value
        raise PydanticCustomError("type", "{hint}", {"hint": hint})

    return PlainValidator(check)


TextOrNumber = Annotated[str | int | float, _of_type((str, int, float), "write a string or a number")]
Scalar = Annotated[
    str | int | float | bool, _of_type((str, int, float, bool), "write a string, a number, true or false")
]


def _scalar_or_parameter(value: Any) -> Any:
    match value:
        case str() | int() | float() | ParameterValue():
            return value
        case {"parameter": str(name), **others} if not others:
            if problem := _parameter_problem(name):
                raise PydanticCustomError("parameter", "{problem}", {"problem": problem})
            return ParameterValue(parameter=name)
    raise PydanticCustomError("argument", 'write a string, a number, true, false, or {"parameter": "NAME"}')


Argument = Annotated[
    str | int | float | bool | ParameterValue,
    PlainValidator(_scalar_or_parameter),
    # Otherwise pydantic tries each member of the union, and warns about those that do not match.
    PlainSerializer(lambda value: value.model_dump() if isinstance(value, ParameterValue) else value),
]


class Reference(NamedTuple):
    """A reference from a section to another step."""

    path: KeyPath
    """The path below the section."""
    step: str
    types: frozenset[str]
    """The types of steps that it may refer to."""
    output: str | None = None
    """The output of a Spark step."""


RESULTS = frozenset({SPARK, "Training", "Transform"})
"""The types of steps with a result in S3: outputs, model artifacts or predictions."""


class StepResult(StepModel):
    """The result of a step: for a Spark step, one of its outputs or a folder below it."""

    step: str
    output: str | None = None
    dataset: BelowRun | None = None

    def references(self, *path: str | int, types: frozenset[str] = RESULTS) -> Iterator[Reference]:
        """Yield the step that is named at a path of the section."""
        yield Reference(path, self.step, types, self.output)


class JsonFile(StepModel):
    """A JSON file that a Spark step writes."""

    step: str
    output: str
    file: FileBelowRun

    @property
    def dataset(self) -> str:
        """The file below the run."""
        return self.file

    def references(self, *path: str | int) -> Iterator[Reference]:
        """Yield the step that is named at a path of the section."""
        yield Reference(path, self.step, frozenset({SPARK}), self.output)


class JsonValue(JsonFile):
    """A value in a JSON file that a Spark step writes."""

    path: Annotated[str, matching(re.compile(r"[\w.\[\]'-]+"), "write a path as metrics.rmse")]


class StepInput(StepModel):
    """An input of a Spark step: data from outside the pipeline, or the result of another step."""

    uri: DataUri | None = None
    """The URI of data from outside the pipeline: an object or a folder."""
    sample: Annotated[str, matching(re.compile(r"[\w.-]+(/[\w.-]+)*"), "name a file or folder")] | None = None
    """The file or folder in spark_jobs/sample_data/ that `make data` uploads there."""
    step: str | None = None
    """The step that writes the input."""
    output: str | None = None
    """The output of that step."""
    dataset: BelowRun | None = None
    """The folder below each run of that output; by default the whole run."""

    @property
    def result(self) -> StepResult | None:
        """The result of another step, if the input is one."""
        return StepResult(step=self.step, output=self.output, dataset=self.dataset) if self.step else None
