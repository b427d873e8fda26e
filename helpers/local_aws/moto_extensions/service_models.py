"""The service models by which moto reads requests and writes responses."""

from moto.core.loaders import Loader, moto_root

from helpers.local_aws.moto_extensions.extending import replaces
from helpers.service_models import FileLoader


@replaces("moto.core.utils:create_loader")
def load_quickly() -> Loader:
    """Return moto's loader, which adds members of its own to service models, with a faster parser."""
    return Loader(extra_search_paths=[moto_root], file_loader=FileLoader())
