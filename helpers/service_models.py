"""The descriptions of AWS services that botocore brings along, each read once: SageMaker's has 3 MB."""

from botocore.loaders import Loader

LOADER = Loader()
"""Not that of a session, which fails where the environment names a profile that does not exist."""
