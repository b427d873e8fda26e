"""A pipeline of an environment, as commands and messages name it."""

from dataclasses import dataclass

from helpers.command_line import make_command
from helpers.environments import Environment
from ml_pipeline.params import DEFAULT_PIPELINE


@dataclass(frozen=True)
class Target:
    """A pipeline of an environment."""

    environment: Environment
    pipeline: str
    """Its name in this repository."""
    name: str
    """Its name in SageMaker."""

    def command(self, target: str, **variables: str) -> str:
        """Return the make command that a person types for this pipeline."""
        pipeline = {} if self.pipeline == DEFAULT_PIPELINE else {"PIPELINE": self.pipeline}
        return make_command(target, ENV=self.environment, **pipeline, **variables)
