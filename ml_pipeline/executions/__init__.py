"""Executions of a pipeline: starting, following, and reading their results."""
