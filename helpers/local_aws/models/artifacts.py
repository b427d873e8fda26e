"""Provides the artifacts of a model to its container."""

import tarfile
from pathlib import Path

from helpers.local_aws.jobs.s3_data import DataError, download_prefix, host_path
from helpers.local_aws.s3_objects import S3Objects
from helpers.s3 import parse

_ARTIFACTS, _MODEL = "/artifacts", "/opt/ml/model"


def unpack_artifacts(objects: S3Objects, url: str | None, root: Path) -> None:
    """Extract the archive of a model into the model folder of the container.

    Args:
        objects: the objects of S3.
        url: URL of the archive; None for a model without artifacts.
        root: the folder that represents the container's `/`.

    Raises:
        DataError: the archive does not exist or is not valid.
    """
    folder = host_path(root, _MODEL)
    folder.mkdir(parents=True)
    if url is None:
        return
    download_prefix(objects, url, _ARTIFACTS, root)
    archive = host_path(root, _ARTIFACTS) / parse(url).key.rpartition("/")[2]
    try:
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DataError(f"The model data {url} is not a tar.gz archive: {error}") from error
