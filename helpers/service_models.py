"""The descriptions of AWS services in botocore, each read once: SageMaker's has 3 MB."""

import gzip
import os
from pathlib import Path
from typing import Any

import msgspec
from botocore.loaders import JSONFileLoader, Loader


class _FileLoader(JSONFileLoader):
    """Parses a description in a third of botocore's time."""

    def load_file(self, file_path: str) -> Any:
        """Return a description, or None if it does not exist.

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
    """Lists services by folder names alone; botocore opens 850 folders for each new client."""

    def list_available_services(self, type_name: str) -> list[str]:
        """Return the names of all services; whether one has a file of that type shows when it is read."""
        del type_name
        folders = [folder for folder in self.search_paths if Path(folder).is_dir()]
        return sorted({entry.name for folder in folders for entry in os.scandir(folder) if entry.is_dir()})


LOADER = _Loader(file_loader=_FileLoader())
"""Not that of a session, which fails where the environment names a profile that does not exist."""
