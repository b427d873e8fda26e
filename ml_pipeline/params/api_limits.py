"""The limits of the SageMaker API, read from the service model of boto3."""

import re
from functools import cache
from typing import NamedTuple

from botocore.model import ServiceModel

from helpers.service_models import LOADER


class Limits(NamedTuple):
    """Constraints of the API on one of its shapes: a length for strings and lists, a value for numbers."""

    minimum: int
    maximum: int
    pattern: str
    values: tuple[str, ...]

    def problem(self, text: str) -> str | None:
        """Return what the API would reject of a string, or None."""
        if self.values:
            return None if text in self.values else f"use one of the API's {len(self.values)} values"
        if not self.minimum <= len(text) <= self.maximum:
            return f"it has {len(text)} characters; use {self.minimum} to {self.maximum}"
        if self.pattern and not re.fullmatch(self.pattern, text):
            return f"it must match {self.pattern}"
        return None


@cache
def limits(shape: str) -> Limits:
    """Return the limits of a shape of the SageMaker API, as `PipelineName`."""
    found = _service_model().shape_for(shape)
    return Limits(
        int(found.metadata.get("min", 0)),
        int(found.metadata.get("max", 2**31)),
        found.metadata.get("pattern", ""),
        tuple(found.metadata.get("enum", ())),
    )


@cache
def _service_model() -> ServiceModel:
    return ServiceModel(LOADER.load_service_model("sagemaker", "service-2"), "sagemaker")
