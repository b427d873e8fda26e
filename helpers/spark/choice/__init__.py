"""Chooses instance types and counts for a data size and a deadline: `python -m helpers.spark.choice`."""
