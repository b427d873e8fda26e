"""Common names of a pipeline's steps."""

from typing import Any, Protocol


class Parameters(Protocol):
    """Anything that gives a pipeline's parameters by key: a mapping, or the typed model."""

    def __getitem__(self, key: str, /) -> Any:
        """Return the value of a key."""


def get_pipeline_config(params: Parameters) -> dict[str, str]:
    """Return the trial and the step names of a pipeline.

    They follow from the parameters alone. A time of day in the trial would change the definition
    with every build; executions are distinguished by their id.
    """
    return {"trial": params["trial"], "pre-processing-step": params["pyspark_process_name"]}
