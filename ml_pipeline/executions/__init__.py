"""Executions of a pipeline: start, follow, read their outcome."""
