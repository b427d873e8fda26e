"""Pipelines: their parameters, definitions, executions and commands."""
