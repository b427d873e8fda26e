"""The container's file system, which is a folder of the job."""

import re
from dataclasses import dataclass
from pathlib import Path

# A path under /opt/ml can begin inside a word: `--in=/opt/ml/x`, `/opt/ml/a,/opt/ml/b`, `file:///opt/ml`;
# but not within another path or an S3 key.
_ML_PATH = re.compile(r"""(?:(?<![^\s=,;:"'\[({])|(?<=\bfile://))/opt/ml(?![\w.-])""")


@dataclass(frozen=True)
class ContainerPaths:
    """Maps paths of the container to the folder that represents its root."""

    root: Path

    def on_host(self, path: str) -> Path:
        """Return the path on this machine of an absolute container path."""
        return self.root / path.lstrip("/")

    def in_text(self, text: str) -> str:
        """Return a word with every path under /opt/ml replaced by its path on this machine."""
        return _ML_PATH.sub(lambda _: f"{self.root}/opt/ml", text)

    def as_container(self, text: str) -> str:
        """Return a text with the paths of this machine replaced by those of the container."""
        return text.replace(f"{self.root}/", "/")
