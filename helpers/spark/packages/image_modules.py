"""The importable names of the image's packages: `python -m helpers.spark.packages.image_modules` writes them.

They are read from the environment of jobs, which has the packages of the image.
"""

import json
import sys
from importlib import metadata
from pathlib import Path

from packaging.utils import canonicalize_name

from helpers.files import write_atomically
from helpers.spark.packages import image
from helpers.spark.packages.wheels import top_level_modules


def modules_of(site_packages: Path) -> dict[str, str]:
    """Return the package of each importable name in a folder, for packages of the image."""
    return {
        module: canonicalize_name(distribution.name)
        for distribution in metadata.distributions(path=[str(site_packages)])
        for module in top_level_modules(distribution)
        if canonicalize_name(distribution.name) in image.provided()
    }


def site_packages_of_jobs() -> Path:
    """Return the site-packages folder of the environment of jobs."""
    return next((Path(sys.prefix) / "job").glob("lib/python*/site-packages"))


if __name__ == "__main__":
    found = modules_of(site_packages_of_jobs())
    write_atomically(image.MODULES, json.dumps(found, indent=2, sort_keys=True) + "\n")
