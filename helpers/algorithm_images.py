"""Container images of SageMaker's built-in algorithms, as listed in the SageMaker SDK.

The list is a JSON file. It is read without an import of the SDK, which takes seconds.
"""

import json
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

XGBOOST = "xgboost"
"""The algorithm that pipelines train with."""


@cache
def algorithm_versions(algorithm: str = XGBOOST) -> tuple[str, ...]:
    """Return the image versions of an algorithm, such as 3.2-0, the latest last.

    Raises:
        ModuleNotFoundError: the SageMaker SDK is not installed.
    """
    return tuple(_images(algorithm))


@cache
def algorithm_image_accounts(algorithm: str = XGBOOST) -> Mapping[str, str]:
    """Return the AWS account that owns the images, by region.

    Raises:
        ModuleNotFoundError: the SageMaker SDK is not installed.
    """
    newest = _images(algorithm)[algorithm_versions(algorithm)[-1]]
    accounts: dict[str, str] = newest["registries"]
    return accounts


def _images(algorithm: str) -> dict[str, Any]:
    package = find_spec("sagemaker")
    for folder in (package and package.submodule_search_locations) or ():
        path = Path(folder) / "core" / "image_uri_config" / f"{algorithm}.json"
        if path.is_file():
            versions = json.loads(path.read_bytes())["training"]["versions"]
            *_, newest = versions.values()
            # The earliest versions are in another repository, and in accounts that own no other image.
            return {
                version: image
                for version, image in versions.items()
                if image["repository"] == newest["repository"]
            }
    raise ModuleNotFoundError(f"the SageMaker SDK with its list of images of {algorithm} is not installed")
