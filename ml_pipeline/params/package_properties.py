"""The CustomerMetadataProperties of a model package, which describe its origin."""

COMMIT = "commit"
MODEL_DIGEST = "model-digest"
"""The hash of the model, whatever the archive that holds it."""
CODE, TRAINING, DATA = "code/", "training/", "data/"
"""How the names begin of the hashes of each step's code and training, and of the fingerprints of data."""
ORIGINS = (CODE, TRAINING, DATA)
"""Versions of equal origins are the same model."""
