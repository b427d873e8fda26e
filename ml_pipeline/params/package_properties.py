"""The CustomerMetadataProperties of a model package, which describe its origin."""

COMMIT = "commit"
MODEL_DIGEST = "model-digest"
"""The hash of the model, independent of its archive."""
COMPARED_WITH = "compared-with"
"""The artifacts of the version that was active at the evaluation; `none`, or `not-given` by a rule."""
CODE, TRAINING, DATA = "code/", "training/", "data/"
"""The prefixes of the properties with hashes of code and training, and with fingerprints of data."""
ORIGINS = (CODE, TRAINING, DATA)
"""Versions with equal origins are the same model."""
