"""Amazon SageMaker, for the pipelines that moto stores."""

from typing import Any

from moto.sagemaker import urls
from moto.sagemaker.exceptions import ResourceNotFound
from moto.sagemaker.models import SageMakerModelBackend


class _Pipelines(dict[str, Any]):
    """Pipelines by name and by ARN."""

    def __missing__(self, name_or_arn: str) -> Any:
        name = name_or_arn.rsplit("/", 1)[-1]
        if name in self:
            return self[name]
        raise ResourceNotFound(message=f"Pipeline '{name}' does not exist.")


# moto's classes have no types, so the base of their subclasses is Any.
class SageMakerExtension(SageMakerModelBackend):  # type: ignore[misc]
    """The backend, with ResourceNotFound for an unknown pipeline; moto raises a ValidationException."""

    def __init__(self, region_name: str, account_id: str):
        super().__init__(region_name, account_id)
        self.pipelines = _Pipelines()

    @property
    def _url_module(self) -> Any:
        return urls  # otherwise moto looks for them next to this module
