"""Processes the records of a transform before and after they are sent: filters, and the input join."""

from collections.abc import Mapping
from typing import Any

from helpers.local_aws.transform.filters import leading_columns, parse_filter
from helpers.local_aws.transform.records import Batch, join_csv, split_csv

_QUOTE = b'"'
"""Without it, each comma separates columns, and a record need not be taken apart."""


class AssociationError(ValueError):
    """A response does not have one prediction per record."""


class DataProcessing:
    """The DataProcessing of a request: filters the input, and assembles the output."""

    def __init__(self, request: Mapping[str, Any]):
        config = request.get("DataProcessing") or {}
        self._input_filter = config.get("InputFilter") or "$"
        self._output_filter = config.get("OutputFilter") or "$"
        self._select_input = parse_filter(self._input_filter)
        self._select_output = parse_filter(self._output_filter)
        self._left_out = leading_columns(self._input_filter)
        self._joins = config.get("JoinSource") == "Input"
        self._by_line = request["TransformOutput"].get("AssembleWith") == "Line"

    def payload(self, batch: Batch) -> bytes:
        """Return the request body for a batch; raises FilterError."""
        whole = b"\n".join(batch)
        if self._left_out == 0:
            return whole
        if self._left_out and _QUOTE not in whole:
            return b"\n".join(
                (record.split(b",", self._left_out)[self._left_out :] or [b""])[0] for record in batch
            )
        return b"\n".join(join_csv(self._select_input(split_csv(record))) for record in batch)

    def output(self, batch: Batch, response: bytes) -> bytes:
        """Return the output for a batch; raises FilterError and AssociationError."""
        if not self._joins and self._output_filter == "$":
            return response + b"\n" if self._by_line and not response.endswith(b"\n") else response
        predictions = response.rstrip(b"\n").split(b"\n")
        if self._joins and len(predictions) != len(batch):
            raise AssociationError(
                f"Cannot join input and output: {len(batch)} records have {len(predictions)} predictions"
            )
        if self._output_filter == "$" and _QUOTE not in response and _QUOTE not in b"".join(batch):
            return b"\n".join(map(b",".join, zip(batch, predictions, strict=True))) + b"\n"
        inputs = map(split_csv, batch) if self._joins else ([] for _ in predictions)
        rows = (
            join_csv(self._select_output([*columns, *split_csv(prediction)]))
            for columns, prediction in zip(inputs, predictions, strict=True)
        )
        return b"".join(row + b"\n" for row in rows)
