"""The Python of Spark jobs: a separate environment with exactly what the image has."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from helpers.errors import UserError
from helpers.spark.image_packages import image_packages, normalized


@dataclass(frozen=True)
class JobPython:
    """The environment that `make` installs from requirements-job.txt."""

    folder: Path

    @property
    def program(self) -> Path:
        """Return the path of its Python."""
        return self.folder / "bin" / "python"

    def differences(self) -> str:
        """Return how it differs from the image's Python, for the logs of jobs."""
        image, packages = image_packages(), dict(self._packages())
        different = [
            _difference(name, packages.get(name), version)
            for name, version in image.packages.items()
            if packages.get(name) != version
        ]
        python = _difference("Python", self.version, image.python)
        but = f", but {', '.join(different)}" if different else ""
        return f"{python} with the packages of the image{but}"

    @property
    def version(self) -> str:
        """Return the version of its Python, such as 3.12."""
        return self._site_packages().parent.name.removeprefix("python")

    def _packages(self) -> Iterator[tuple[str, str]]:
        for distribution in metadata.distributions(path=[str(self._site_packages())]):
            yield normalized(distribution.name), distribution.version

    def _site_packages(self) -> Path:
        return next(self.folder.glob("lib/python*/site-packages"))


def job_python() -> JobPython:
    """Return the environment next to the Python that runs this code.

    Raises:
        UserError: the environment is not installed.
    """
    found = JobPython(Path(sys.prefix) / "job")
    if not found.program.exists():
        raise UserError(
            f"{found.folder}, the Python of Spark jobs, is not installed", hint="Install it with: make up"
        )
    return found


def _difference(name: str, here: str | None, image: str) -> str:
    if here == image:
        return f"{name} {here}"
    return f"{name} {here} (the image: {image})" if here else f"no {name} (the image: {image})"
