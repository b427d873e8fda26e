"""Spark event logs of executions, and tuning based on them."""
