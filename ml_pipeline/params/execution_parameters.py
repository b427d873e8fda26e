"""The pipeline parameters whose values come from the model registry when an execution starts."""

from collections.abc import Mapping

CHAMPION_MODEL_DATA_URL = "ChampionModelDataUrl"
"""The artifacts of the active version of the model."""
REGISTERED_MODEL_DIGEST = "RegisteredModelDigest"
"""The hash of the version of the same origin; without one, that of the newest version."""
MODEL_PACKAGE_ARN = "ModelPackageArn"
"""The active version of the model."""
COMMIT = "Commit"
"""The commit that the pipeline was registered from."""
BASELINE_STATISTICS_URL = "BaselineStatisticsUrl"
"""The statistics of the data that it was trained on, which drift is measured against."""
MODEL_DATA_URL = "ModelDataUrl"
"""The artifacts of the version whose sample is scored, which need not be approved."""
SAMPLE_URL = "SampleUrl"
"""The test data of it with the predictions that were recorded for it."""
NO_MODEL = "none"
"""The value for artifacts and hash if there is no such version."""
UNKNOWN_COMMIT = "unknown"
NOT_GIVEN = "not-given"
"""The artifacts of the active version if whoever started the execution did not read the registry."""

EXECUTION_PARAMETERS: Mapping[str, str | None] = {
    CHAMPION_MODEL_DATA_URL: NOT_GIVEN,
    REGISTERED_MODEL_DIGEST: NO_MODEL,
    MODEL_PACKAGE_ARN: None,
    BASELINE_STATISTICS_URL: None,
    MODEL_DATA_URL: None,
    SAMPLE_URL: None,
}
"""Those that a section may name, with their defaults.

Without a default, an execution that is started without a value is rejected.
"""
