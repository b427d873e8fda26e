"""Loads the service models of botocore, each once per process: the model of SageMaker has 3 MB."""

import gzip
import os
from pathlib import Path
from typing import Any

import botocore.session
import msgspec
from botocore.loaders import JSONFileLoader, Loader


class FileLoader(JSONFileLoader):
    """Parses a service model in a third of the time that botocore takes."""

    def load_file(self, file_path: str) -> Any:
        """Return a service model, or None if it does not exist.

        Args:
            file_path: its path, without `.json` and `.json.gz`.
        """
        plain, compressed = Path(f"{file_path}.json"), Path(f"{file_path}.json.gz")
        if plain.is_file():
            return msgspec.json.decode(plain.read_bytes())
        if compressed.is_file():
            return msgspec.json.decode(gzip.decompress(compressed.read_bytes()))
        return None


class _Loader(Loader):
    """Lists services by the names of their folders only; botocore opens 850 folders for each new client."""

    def list_available_services(self, type_name: str) -> list[str]:
        """Return the names of all services, also of those without a file of the type."""
        del type_name
        folders = [folder for folder in self.search_paths if Path(folder).is_dir()]
        return sorted({entry.name for folder in folders for entry in os.scandir(folder) if entry.is_dir()})


LOADER = _Loader(file_loader=FileLoader())
"""Created without a session, because a session fails if AWS_PROFILE names a profile that does not exist."""


def share_with_all_sessions() -> None:
    """Let every session of this process use LOADER; by default, each session parses its models again."""

    def create_loader(search_path_string: str | None = None) -> Loader:  # noqa: ARG001 - botocore passes it
        return LOADER

    botocore.session.create_loader = create_loader
