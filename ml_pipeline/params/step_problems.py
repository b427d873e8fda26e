"""What steps must agree on with each other, with their jobs' code and with the pipeline's module."""

from collections.abc import Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from helpers.s3 import overlap
from ml_pipeline.params.spark_code import SparkCode
from ml_pipeline.params.spark_step import SparkStepSpec, option_names

KeyPath = tuple[str | int, ...]
Problem = tuple[KeyPath, str]
"""Where, below `steps`, and what is wrong with the fix."""


def step_problems(steps: Mapping[str, SparkStepSpec], code: SparkCode) -> Iterator[Problem]:
    """Yield every problem of the steps of a pipeline."""
    for name, step in steps.items():
        yield from _of_inputs(name, step, steps)
        yield from _of_options(name, step, code)
        yield from _of_places(name, step, steps)
    yield from _cycles(steps)


def section_problems(sections: Collection[str], declared: Collection[str], module: str) -> Iterator[Problem]:
    """Yield the sections without a step in the pipeline's module, and the steps without a section."""
    known = ", ".join(declared) or "none"
    for name in sections:
        if name not in declared:
            yield (
                (name,),
                f"{module} has no step of this name, its steps are {known}; rename the section, remove it, "
                f'or add SparkStep("{name}") to the module',
            )
    for name in declared:
        if name not in sections:
            yield (name,), f"it is missing, and {module} has this step; add the section, or remove the step"


def _of_inputs(name: str, step: SparkStepSpec, steps: Mapping[str, SparkStepSpec]) -> Iterator[Problem]:
    for key, given in step.inputs.items():
        path = (name, "inputs", key)
        if bool(given.uri) == bool(given.step):
            yield path, "give either uri, for data from outside the pipeline, or step with output"
        elif given.uri and (given.output or given.dataset):
            yield path, "output and dataset go with step; remove them, or replace uri"
        elif given.step and given.sample:
            yield (*path, "sample"), "the result of a step needs no sample; remove it"
        elif given.step and given.step not in steps:
            others = ", ".join(sorted(steps.keys() - {name})) or "none"
            yield (*path, "step"), f"there is no step {given.step}; the others are {others}"
        elif given.step:
            outputs = steps[given.step].outputs
            if given.output not in outputs:
                yield (
                    (*path, "output"),
                    f"step {given.step} has no output {given.output}; write one of {', '.join(outputs)}",
                )


def _of_options(name: str, step: SparkStepSpec, code: SparkCode) -> Iterator[Problem]:
    """Compare names with the options of the job: an input that no job reads is a mistake, not a default."""
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


def _of_places(name: str, step: SparkStepSpec, steps: Mapping[str, SparkStepSpec]) -> Iterator[Problem]:
    """Find outputs that overlap an input or another output: one would overwrite the other."""
    taken = [
        (f"input {key} of step {other.name}", str(given.uri))
        for other in steps.values()
        for key, given in other.data_inputs.items()
    ]
    taken += [
        (f"output {key} of step {other.name}", uri)
        for other in steps.values()
        for key, uri in other.outputs.items()
    ]
    for key, uri in step.outputs.items():
        for what, other in taken:
            if what != f"output {key} of step {name}" and overlap(uri, other):
                yield (
                    (name, "outputs", key),
                    f"it overlaps {what}, {other}, which the job would overwrite; use another folder",
                )


def _cycles(steps: Mapping[str, SparkStepSpec]) -> Iterator[Problem]:
    graph = {name: {each for each in step.upstream if each in steps} for name, step in steps.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        cycle = error.args[1][::-1]
        inputs = [key for key, given in steps[cycle[0]].inputs.items() if given.step == cycle[1]]
        yield (
            (cycle[0], "inputs", *inputs[:1]),
            f"the steps wait for each other: {' reads '.join(cycle)}; remove one of these inputs",
        )
