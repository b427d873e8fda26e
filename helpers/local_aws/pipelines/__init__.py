"""Pipelines and their executions: the definition as a graph of steps, and what comes of running it."""
