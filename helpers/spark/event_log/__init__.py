"""Spark's event logs: read in a stream, summarized, and judged."""

from helpers.spark.event_log.summary import RunSummary, summarize

__all__ = ["RunSummary", "summarize"]
