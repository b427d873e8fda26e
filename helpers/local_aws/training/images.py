"""Which images of training jobs and models are executed."""

from helpers.local_aws.xgboost_container.container import REPOSITORY, VERSION


def image_problem(image: str) -> str | None:
    """Return why an image is not executed here, or None when it is."""
    if image.rpartition("/")[2] == f"{REPOSITORY}:{VERSION}":
        return None
    return f"The embedded AWS does not execute the image {image}; it executes {REPOSITORY}:{VERSION}"
