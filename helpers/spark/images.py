"""The container images of Spark that SageMaker provides, from the list in its SDK.

The list is a file of the SDK. It is read without importing the SDK, which would take seconds.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

PYTHON_VERSION = "py312"
"""The Python version of the images that pipelines use."""


@cache
def spark_versions() -> tuple[str, ...]:
    """Return the Spark versions for which SageMaker has an image with our Python."""
    return tuple(_images())


@cache
def spark_image_accounts() -> Mapping[str, str]:
    """Return the AWS account of the images by region."""
    return {
        region: account for image in _images().values() for region, account in image["registries"].items()
    }


def _images() -> dict[str, Any]:
    package = find_spec("sagemaker")
    for folder in (package and package.submodule_search_locations) or ():
        path = Path(folder) / "core" / "image_uri_config" / "spark.json"
        if path.is_file():
            versions = json.loads(path.read_bytes())["processing"]["versions"]
            return {
                version: image
                for version, image in versions.items()
                if PYTHON_VERSION in image["py_versions"]
            }
    raise ModuleNotFoundError("the SageMaker SDK with its list of Spark images is not installed")
