"""Batch transform: sends the objects of a prefix in batches to a model's server."""
