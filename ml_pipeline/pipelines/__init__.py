"""The pipelines: one module each, with a DESCRIPTION and its steps.

The name of a pipeline is the name of its module with hyphens. Its parameter file has the same name.
"""

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

from helpers.errors import UserError
from helpers.pipeline_utils import Parameters
from ml_pipeline.params import DEFAULT_PIPELINE
from ml_pipeline.steps import Step
from ml_pipeline.steps.step import with_branches


class PipelineModule(Protocol):
    """The required content of a module in this package."""

    DESCRIPTION: str

    def steps(self, params: Parameters, /) -> Sequence[Step]:
        """Return the steps of the pipeline."""


@dataclass(frozen=True)
class Pipeline:
    """A pipeline of this repository."""

    name: str
    module: PipelineModule

    @property
    def description(self) -> str:
        """What the pipeline does, in one sentence."""
        return self.module.DESCRIPTION

    def steps(self, params: Parameters) -> Sequence[Step]:
        """Return the steps of the pipeline."""
        return self.module.steps(params)

    def step_types(self, values: Mapping[str, Any]) -> dict[str, str]:
        """Return the types of the steps by name, given the values of the parameter file by key."""
        return {step.name: step.type for step in with_branches(self.steps(values))}


def pipeline_names() -> tuple[str, ...]:
    """Return the names of all pipelines, the default one first."""
    names = [module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__)]
    return tuple(sorted(names, key=lambda name: (name != DEFAULT_PIPELINE, name)))


def find_pipeline(name: str) -> Pipeline:
    """Return a pipeline by its name.

    Raises:
        UserError: there is no such pipeline, or its module lacks DESCRIPTION or `steps`.
    """
    if name not in pipeline_names():
        raise UserError(
            f"unknown pipeline {name!r}; expected one of {', '.join(pipeline_names())}",
            hint=f"Name one of them, or add the pipeline with: make new-pipeline NAME={name}",
        )
    file = f"{name.replace('-', '_')}.py"
    module = importlib.import_module(f"{__name__}.{file.removesuffix('.py')}")
    for attribute in ("DESCRIPTION", "steps"):
        if not hasattr(module, attribute):
            raise UserError(
                f"ml_pipeline/pipelines/{file} has no {attribute}",
                hint=f"Add {attribute}, as in ml_pipeline/pipelines/processing.py",
            )
    return Pipeline(name, cast("PipelineModule", module))
