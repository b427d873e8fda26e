"""Batch transform: the objects of a prefix, in batches, through a model's server."""
