"""Pipelines and their executions: the definition as a graph of steps, and the results of running it."""
