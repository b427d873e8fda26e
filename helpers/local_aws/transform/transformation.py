"""The work of a transform job: sends each input file in batches to the server of the model."""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from helpers.local_aws.models.model_server import ModelServer, ServerError
from helpers.local_aws.transform.data_processing import AssociationError, DataProcessing
from helpers.local_aws.transform.filters import FilterError
from helpers.local_aws.transform.records import Batch, PayloadError, batches, read_records

_DEFAULT_MB = 6
_MB = 1024 * 1024
FILE_ERRORS = (AssociationError, FilterError, OSError, PayloadError, ServerError, UnicodeDecodeError)


class Transformation:
    """Transforms files with a server, whose execution parameters apply if the request sets none.

    Args:
        request: the CreateTransformJob request.
        server: the running server.
        stop: when set, ends the work.
    """

    def __init__(self, request: Mapping[str, Any], server: ModelServer, stop: threading.Event):
        parameters = server.execution_parameters()
        self._server = server
        self._stop = stop
        self._processing = DataProcessing(request)
        self._input = request["TransformInput"]
        self._accept = request["TransformOutput"].get("Accept")
        self._concurrent = int(
            request.get("MaxConcurrentTransforms") or parameters.get("MaxConcurrentTransforms") or 1
        )
        megabytes = request.get("MaxPayloadInMB") or parameters.get("MaxPayloadInMB") or _DEFAULT_MB
        self._most_bytes = int(megabytes) * _MB
        strategy = request.get("BatchStrategy") or parameters.get("BatchStrategy") or "MultiRecord"
        self._single = str(strategy).replace("_", "").lower() == "singlerecord"

    def transform(self, sources: Path, targets: Path, log: Callable[[str], None]) -> list[str]:
        """Write `<file>.out` for each file below `sources`; return one sentence for each failed file."""
        failures = []
        for source in sorted(path for path in sources.rglob("*") if path.is_file()):
            relative = source.relative_to(sources)
            target = targets / f"{relative}.out"
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._transform_file(source, target)
            except FILE_ERRORS as error:
                target.unlink(missing_ok=True)
                failures.append(f"{relative}: {error}")
                log(failures[-1])
        return failures

    def _transform_file(self, source: Path, target: Path) -> None:
        compressed = self._input.get("CompressionType") == "Gzip"
        by_line = self._input.get("SplitType") == "Line"
        records = read_records(source, by_line=by_line, compressed=compressed)
        with target.open("wb") as output:
            for part in self._in_order(batches(records, self._most_bytes, single=self._single)):
                output.write(part)

    def _in_order(self, work: Iterator[Batch]) -> Iterator[bytes]:
        """Yield the outputs of batches in order, with several requests in flight."""
        pending: deque[Future[bytes]] = deque()
        with ThreadPoolExecutor(self._concurrent) as pool:
            for batch in work:
                if self._stop.is_set():
                    return
                pending.append(pool.submit(self._transform_batch, batch))
                if len(pending) > self._concurrent:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()

    def _transform_batch(self, batch: Batch) -> bytes:
        payload = self._processing.payload(batch)
        response = self._server.invoke(payload, self._input.get("ContentType"), self._accept)
        return self._processing.output(batch, response)
