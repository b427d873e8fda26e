"""A package index with tiny wheels."""

from tests.helpers.spark.packages.wheel_index import index, no_index

__all__ = ["index", "no_index"]
