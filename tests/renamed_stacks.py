"""Stacks of an environment as another project has them, so that they stand beside those of other tests."""

from dataclasses import replace

from helpers.infra.stacks import StackConfiguration


def of_project(stack: StackConfiguration, project: str, **given: str) -> StackConfiguration:
    """Return a stack under the name of another project, with those of some parameters that it declares."""
    given = {"ProjectName": project, **given}
    return replace(
        stack,
        name=project + stack.name.removeprefix(stack.parameters["ProjectName"]),
        parameters={
            **stack.parameters,
            **{key: value for key, value in given.items() if f"\n  {key}:" in stack.template},
        },
    )
