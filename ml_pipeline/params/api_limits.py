"""The limits of the SageMaker API, read from the service model that boto3 brings along."""

import json
import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from botocore.loaders import Loader
from botocore.model import ServiceModel

PYTHON_VERSION = "py312"
"""The Python of the Spark images that the pipeline uses."""


class Limits(NamedTuple):
    """What the API says of one of its shapes; a length for strings and lists, a value for numbers."""

    minimum: int
    maximum: int
    pattern: str
    values: tuple[str, ...]

    def problem(self, text: str) -> str | None:
        """Return what the API would refuse of a string, or None."""
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
def spark_versions() -> tuple[str, ...]:
    """Return the Spark versions that SageMaker has an image of, for our Python.

    The list is a file of the SDK; it is read without importing the SDK, which takes seconds.
    """
    package = find_spec("sagemaker")
    for folder in (package and package.submodule_search_locations) or ():
        path = Path(folder) / "core" / "image_uri_config" / "spark.json"
        if path.is_file():
            versions = json.loads(path.read_bytes())["processing"]["versions"]
            return tuple(
                version for version, image in versions.items() if PYTHON_VERSION in image["py_versions"]
            )
    raise ModuleNotFoundError("the SageMaker SDK with its list of Spark images is not installed")


@cache
def _service_model() -> ServiceModel:
    # Not from a session, which fails where the environment names a profile that does not exist.
    return ServiceModel(Loader().load_service_model("sagemaker", "service-2"), "sagemaker")
