"""Spark's event logs: reads them as a stream, summarizes them, and finds possible improvements."""

from helpers.spark.event_log.summary import RunSummary, summarize

__all__ = ["RunSummary", "summarize"]
