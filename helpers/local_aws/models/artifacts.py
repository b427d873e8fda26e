"""The artifacts of a model, on their way into its container."""

import tarfile
from pathlib import Path
from typing import Any

from helpers.local_aws.jobs.s3_data import DataError, download_prefix, host_path
from helpers.s3 import parse

_ARTIFACTS, _MODEL = "/artifacts", "/opt/ml/model"


def unpack_artifacts(s3: Any, url: str | None, root: Path) -> None:
    """Unpack the archive of a model into its folder in the container.

    Args:
        s3: a client.
        url: of the archive; None for a model without artifacts.
        root: the folder that represents the container's `/`.

    Raises:
        DataError: there is no archive, or it is none.
    """
    folder = host_path(root, _MODEL)
    folder.mkdir(parents=True)
    if url is None:
        return
    download_prefix(s3, url, _ARTIFACTS, root)
    archive = host_path(root, _ARTIFACTS) / parse(url).key.rpartition("/")[2]
    try:
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DataError(f"The model data {url} is not a tar.gz archive: {error}") from error
