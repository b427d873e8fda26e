"""Finds the Spark event logs of executions, and tunes Spark settings."""
