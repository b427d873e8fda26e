"""Common names of a pipeline's steps."""

from typing import Any, Protocol


class Parameters(Protocol):
    """The parameters of a pipeline by key: a mapping, or the typed model."""

    def __getitem__(self, key: str, /) -> Any:
        """Return the value of a key."""


def get_pipeline_config(params: Parameters) -> dict[str, str]:
    """Return the trial and the step names of a pipeline.

    The names depend on the parameters only. A timestamp in the trial would change the pipeline definition
    with each build. Executions have their own IDs.
    """
    return {"trial": params["trial"], "pre-processing-step": params["pyspark_process_name"]}
