"""The container images of SageMaker's built-in algorithms, from the list in its SDK.

The list is a file of the SDK; it is read without importing the SDK, which takes seconds.
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
    """Return the versions of an algorithm that SageMaker has an image of, the newest last, as 3.2-0."""
    return tuple(_images(algorithm))


@cache
def algorithm_image_accounts(algorithm: str = XGBOOST) -> Mapping[str, str]:
    """Return the AWS account that the images come from in each region."""
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
            # The first versions come from another repository, of accounts that nothing else uses.
            return {
                version: image
                for version, image in versions.items()
                if image["repository"] == newest["repository"]
            }
    raise ModuleNotFoundError(f"the SageMaker SDK with its list of images of {algorithm} is not installed")
