"""The CustomerMetadataProperties of a model package, which describe its origin."""

COMMIT = "commit"
MODEL_DIGEST = "model-digest"
"""The hash of the model, whatever the archive that holds it."""
COMPARED_WITH = "compared-with"
"""The artifacts of the version that was active when it was evaluated; `none`, or `not-given` by a rule."""
CODE, TRAINING, DATA = "code/", "training/", "data/"
"""How the names begin of the hashes of each step's code and training, and of the fingerprints of data."""
ORIGINS = (CODE, TRAINING, DATA)
"""Versions of equal origins are the same model."""
