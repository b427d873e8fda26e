"""Runs a batch transform on local files: `python -m tests.bench.batch_transform MODEL_ARCHIVE INPUT OUTPUT`.

The client and the server process are those of transform jobs on the embedded AWS, without S3.
"""

import sys
import tarfile
import tempfile
import threading
from pathlib import Path

from helpers.local_aws.models.model_server import ModelServer
from helpers.local_aws.transform.transformation import Transformation

REQUEST = {
    "TransformInput": {"ContentType": "text/csv", "SplitType": "Line"},
    "TransformOutput": {"Accept": "text/csv", "AssembleWith": "Line"},
    "DataProcessing": {"JoinSource": "Input", "InputFilter": "$[1:]"},
    "BatchStrategy": "MultiRecord",
    "MaxPayloadInMB": 6,
}
"""The same as in the steps `score-test` and `transform`."""


def main(archive: Path, source: Path, target: Path) -> None:
    """Score the files of a folder, and write the output."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "opt/ml/model"
        model.mkdir(parents=True)
        with tarfile.open(archive) as tar:
            tar.extractall(model, filter="data")
        with ModelServer(Path(folder), {"SAGEMAKER_BATCH": "true"}, lambda _: None) as server:
            server.ping()
            failures = Transformation(REQUEST, server, threading.Event()).transform(source, target, print)
    if failures:
        sys.exit("; ".join(failures))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
