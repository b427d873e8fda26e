"""Checks that steps are consistent with each other, with their jobs' code and with the pipeline's module."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple, Protocol

from helpers.s3 import overlap
from helpers.xgboost import hyperparameters
from ml_pipeline.params.files import SPARK, KeyPath
from ml_pipeline.params.model_steps import ModelStepParams, TransformStepParams
from ml_pipeline.params.sections import OtherSection
from ml_pipeline.params.spark_code import SparkCode
from ml_pipeline.params.spark_step import SparkStepSpec, option_names
from ml_pipeline.params.step_values import Reference
from ml_pipeline.params.training_step import TrainingStepParams

Problem = tuple[KeyPath, str]
"""The path below `steps`, and the problem with its fix."""


_STEP_KEYS = frozenset({"training_step", "model_step"})
"""The keys whose values are names of steps, in addition to `step`."""


class _Place(NamedTuple):
    """A location that a step reads or writes."""

    path: KeyPath | None
    """For an output, the key that names it."""
    what: str
    uri: str


class _Step(Protocol):
    """A step of any type."""

    @property
    def type(self) -> str:
        """The type of the step in SageMaker."""

    def references(self) -> Iterator[Reference]:
        """Yield its references to other steps."""


def step_problems(
    spark_steps: Mapping[str, SparkStepSpec],
    others: Mapping[str, OtherSection],
    code: SparkCode,
    unknown: Collection[str] = (),
) -> Iterator[Problem]:
    """Yield every problem of the steps of a pipeline.

    Args:
        spark_steps: the Spark steps by name.
        others: the sections of the other steps by name.
        code: the files that Spark runs.
        unknown: the names of steps with invalid values, whose type and outputs are not known.
    """
    steps: dict[str, _Step] = {**spark_steps, **others}
    places = list(_places(spark_steps, others))
    for name, step in spark_steps.items():
        yield from _of_inputs(name, step)
        yield from _of_options(name, step, code)
    for name, section in others.items():
        if isinstance(section, ModelStepParams):
            yield from _of_model(name, section)
        if isinstance(section, TransformStepParams):
            yield from _of_transform(name, section)
        if isinstance(section, TrainingStepParams):
            yield from _of_channels(name, section)
            yield from _of_hyperparameters(name, section)
    for name, each in steps.items():
        yield from _of_references(name, each, steps, spark_steps, unknown)
    yield from _of_places(places)
    yield from _cycles(steps)


def section_problems(
    sections: Mapping[str, str], declared: Mapping[str, str], module: str
) -> Iterator[Problem]:
    """Yield the sections without a step in the pipeline's module, and the steps without a section.

    Args:
        sections: the types of the sections by name.
        declared: the types of the module's steps by name.
        module: its path.
    """
    known = ", ".join(declared) or "none"
    for name, kind in sections.items():
        if name not in declared:
            yield (
                (name,),
                f"{module} has no step of this name, its steps are {known}; rename the section, remove it, "
                f'or add {_class_of(kind)}("{name}") to the module',
            )
        elif kind != declared[name]:
            yield (
                (name,),
                f"its type is {kind}, and {module} has it as {_class_of(declared[name])}; "
                f'write "type": "{declared[name]}", or {_class_of(kind)}("{name}") in the module',
            )
    for name in declared:
        if name not in sections:
            yield (name,), f"it is missing, and {module} has this step; add the section, or remove the step"


def _class_of(kind: str) -> str:
    return f"{'Spark' if kind == SPARK else kind}Step"


def _of_inputs(name: str, step: SparkStepSpec) -> Iterator[Problem]:
    for key, given in step.inputs.items():
        path = (name, "inputs", key)
        if bool(given.uri) == bool(given.step):
            yield path, "give either uri, for data from outside the pipeline, or step with output"
        elif given.uri and (given.output or given.dataset):
            yield path, "output and dataset go with step; remove them, or replace uri"
        elif given.step and given.sample:
            yield (*path, "sample"), "the result of a step needs no sample; remove it"


def _of_model(name: str, step: ModelStepParams) -> Iterator[Problem]:
    if [bool(step.training_step), bool(step.model_package), bool(step.artifact)].count(True) != 1:
        yield (
            (name,),
            "give either training_step, or model_package for the active version of the registry, or artifact "
            "for a version that need not be approved",
        )


def _of_transform(name: str, step: TransformStepParams) -> Iterator[Problem]:
    given = step.input
    if bool(given.step) == bool(given.parameter):
        yield (name, "input"), "give either step and output, or parameter for the sample of a version"
    elif given.parameter and (given.output or given.dataset):
        yield (name, "input"), "output and dataset go with step; remove them, or replace parameter"


def _of_channels(name: str, step: TrainingStepParams) -> Iterator[Problem]:
    if "train" not in step.channels:
        given = ", ".join(step.channels)
        yield (
            (name, "channels"),
            f"the image of XGBoost needs a channel train, this has {given}; add it",
        )


def _of_hyperparameters(name: str, step: TrainingStepParams) -> Iterator[Problem]:
    """Find hyperparameters that the image would reject only after the job's instance has started."""
    if step.version != hyperparameters.VERSION:
        return
    given = {key: str(value) for key, value in step.hyperparameters.items()}
    try:
        hyperparameters.validate(given)
    except hyperparameters.HyperparameterError as error:
        named = [key for key in given if re.search(rf"\b{re.escape(key)}\b", str(error))]
        key = named[:1] if len(named) == 1 else ()
        yield (
            (name, "hyperparameters", *key),
            f"the image of XGBoost rejects it: {error}; correct it as "
            "https://docs.aws.amazon.com/sagemaker/latest/dg/xgboost_hyperparameters.html describes",
        )


def _of_references(
    name: str,
    step: _Step,
    steps: Mapping[str, _Step],
    spark_steps: Mapping[str, SparkStepSpec],
    unknown: Collection[str],
) -> Iterator[Problem]:
    for path, other, types, output in step.references():
        place = (name, *path, *(() if path[-1] in _STEP_KEYS else ("step",)))
        if other in unknown:
            continue
        if other not in steps:
            others = ", ".join(sorted({*steps, *unknown} - {name})) or "none"
            yield place, f"there is no step {other}; the others are {others}"
        elif steps[other].type not in types:
            fitting = ", ".join(each for each in steps if steps[each].type in types) or "none"
            yield (
                place,
                f"step {other} is of type {steps[other].type}, this must be {' or '.join(sorted(types))}; "
                f"the steps of this kind are {fitting}",
            )
        elif other in spark_steps and output not in spark_steps[other].outputs:
            yield (
                (name, *path, "output"),
                f"step {other} has no output {output}; write one of {', '.join(spark_steps[other].outputs)}",
            )
        elif other not in spark_steps and output:
            yield (name, *path, "output"), f"step {other} has one result and no outputs; remove output"


def _of_options(name: str, step: SparkStepSpec, code: SparkCode) -> Iterator[Problem]:
    """Compare names with the options of the job: an input that the job does not read is a mistake."""
    file = step.files[step.app]
    options = code.options(file)
    seen: dict[str, str] = {}
    for section, key in option_names(step):
        if key in seen:
            yield (name, section, key), f"--{key} stands in {seen[key]} as well; give each its own name"
        seen.setdefault(key, section)
        if options and f"--{key}" not in options:
            taken = ", ".join(sorted(options))
            yield (
                (name, section, key),
                f"spark_jobs/{file} does not read --{key}, its options are {taken}; rename the key, "
                "or add the option to the job",
            )


def _places(spark_steps: Mapping[str, SparkStepSpec], others: Mapping[str, OtherSection]) -> Iterator[_Place]:
    for name, step in spark_steps.items():
        for key, given in step.data_inputs.items():
            yield _Place(None, f"input {key} of step {name}", str(given.uri))
        for key, uri in step.outputs.items():
            yield _Place((name, "outputs", key), f"output {key} of step {name}", uri)
    for name, section in others.items():
        if isinstance(section, TrainingStepParams | TransformStepParams):
            yield _Place((name, "output"), f"the output of step {name}", section.output)


def _of_places(places: Sequence[_Place]) -> Iterator[Problem]:
    """Find outputs that overlap an input or another output: one would overwrite the other."""
    for own in places:
        for other in places:
            if own.path and own is not other and overlap(own.uri, other.uri):
                yield (
                    own.path,
                    f"it overlaps {other.what}, {other.uri}, which the job would overwrite; use another "
                    "folder",
                )


def _cycles(steps: Mapping[str, _Step]) -> Iterator[Problem]:
    graph = {
        name: {reference.step for reference in step.references() if reference.step in steps}
        for name, step in steps.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        cycle = error.args[1][::-1]
        paths = [each.path for each in steps[cycle[0]].references() if each.step == cycle[1]]
        yield (
            (cycle[0], *paths[0]),
            f"the steps wait for each other: {' reads '.join(cycle)}; remove one of these inputs",
        )
