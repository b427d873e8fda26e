"""Spark's event logs: read in a stream, summarised, and judged."""

from helpers.spark.event_log.summary import RunSummary, summarise

__all__ = ["RunSummary", "summarise"]
