"""Sizes Spark from instances and data, as a configuration.json: `python -m helpers.spark.sizing`.

For how the embedded AWS scales these sizes to one machine, see helpers/local_aws/spark_container/sizing.py.
"""

from helpers.spark.sizing.cluster import Shape, Sizing, size

__all__ = ["Shape", "Sizing", "size"]
