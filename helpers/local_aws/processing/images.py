"""Which container runs a job, by the image that it names."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from helpers.local_aws.containers import python_container
from helpers.local_aws.containers.container_job import ContainerExit, ContainerJob, Output
from helpers.local_aws.spark_container import container as spark_container

Run = Callable[[ContainerJob, Output, threading.Event], ContainerExit]

IMAGES: Mapping[str, Run] = {
    "sagemaker-spark-processing": spark_container.run,
    "sagemaker-base-python": python_container.run,
}
"""The images that are executed, by how their repository's name begins."""


def find_container(request: Mapping[str, Any]) -> Run | None:
    """Return what runs the image of a CreateProcessingJob request, or None when it is not executed here."""
    repository = str(request["AppSpecification"]["ImageUri"]).rsplit("/", 1)[-1]
    return next((run for name, run in IMAGES.items() if repository.startswith(name)), None)


def image_problem(request: Mapping[str, Any]) -> str | None:
    """Return why a job's image is not executed here, or None when it is."""
    if find_container(request):
        return None
    image = request["AppSpecification"]["ImageUri"]
    return f"The embedded AWS does not execute the image {image}; it executes {' and '.join(IMAGES)}"
