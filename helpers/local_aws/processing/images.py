"""Which container runs a job, by the image that it names."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from helpers.local_aws.containers import python_container
from helpers.local_aws.containers.container_job import ContainerExit, ContainerJob, Output
from helpers.local_aws.spark_container import container as spark_container

Run = Callable[[ContainerJob, Output, threading.Event], ContainerExit]


def _expect_nothing(_: ContainerJob) -> None:
    """Start nothing: the image needs no more than a process."""


@dataclass(frozen=True)
class Image:
    """An image that is executed.

    Attributes:
        run: runs its container.
        expect: starts what a job will need, in the background, while its inputs arrive.
    """

    run: Run
    expect: Callable[[ContainerJob], None] = _expect_nothing


IMAGES: Mapping[str, Image] = {
    "sagemaker-spark-processing": Image(spark_container.run, spark_container.expect),
    "sagemaker-base-python": Image(python_container.run),
}
"""The images that are executed, by how their repository's name begins."""


def find_image(request: Mapping[str, Any]) -> Image | None:
    """Return the image of a CreateProcessingJob request, or None when it is not executed here."""
    repository = str(request["AppSpecification"]["ImageUri"]).rsplit("/", 1)[-1]
    return next((image for name, image in IMAGES.items() if repository.startswith(name)), None)


def image_problem(request: Mapping[str, Any]) -> str | None:
    """Return why a job's image is not executed here, or None when it is."""
    if find_image(request):
        return None
    image = request["AppSpecification"]["ImageUri"]
    return f"The embedded AWS does not execute the image {image}; it executes {' and '.join(IMAGES)}"
