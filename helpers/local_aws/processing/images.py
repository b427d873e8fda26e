"""Selects the container for the image of a job."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from helpers.local_aws.containers import python_container
from helpers.local_aws.containers.container_job import ContainerExit, ContainerJob, Output
from helpers.local_aws.spark_container import container as spark_container

Run = Callable[[ContainerJob, Output, threading.Event], ContainerExit]


def _expect_nothing(_: ContainerJob) -> None:
    """Do nothing: the image needs only a process."""


@dataclass(frozen=True)
class Image:
    """A supported image.

    Attributes:
        run: runs its container.
        expect: starts what a job will need in the background, while its inputs are downloaded.
    """

    run: Run
    expect: Callable[[ContainerJob], None] = _expect_nothing


IMAGES: Mapping[str, Image] = {
    "sagemaker-spark-processing": Image(spark_container.run, spark_container.expect),
    "sagemaker-base-python": Image(python_container.run),
}
"""The supported images by the prefix of their repository's name."""


def find_image(request: Mapping[str, Any]) -> Image | None:
    """Return the image of a CreateProcessingJob request, or None if it is not supported."""
    repository = str(request["AppSpecification"]["ImageUri"]).rsplit("/", 1)[-1]
    return next((image for name, image in IMAGES.items() if repository.startswith(name)), None)


def image_problem(request: Mapping[str, Any]) -> str | None:
    """Return why a job's image is not supported, or None if it is."""
    if find_image(request):
        return None
    image = request["AppSpecification"]["ImageUri"]
    return f"The embedded AWS does not execute the image {image}; it executes {' and '.join(IMAGES)}"
