"""From instances and data to configuration.json: `python -m helpers.spark.sizing`.

What the embedded AWS does with these sizes on one machine is another matter: see
helpers/local_aws/spark_container/sizing.py.
"""

from helpers.spark.sizing.cluster import Shape, Sizing, size

__all__ = ["Shape", "Sizing", "size"]
