"""The container's file system, which here is a folder of the job."""

import re
from dataclasses import dataclass
from pathlib import Path

# Where a path under /opt/ml may begin inside a word: `--in=/opt/ml/x`, `/opt/ml/a,/opt/ml/b`, `file:///opt/ml`;
# not within another path or an S3 key.
_ML_PATH = re.compile(r"""(?:(?<![^\s=,;:"'\[({])|(?<=\bfile://))/opt/ml(?![\w.-])""")


@dataclass(frozen=True)
class ContainerPaths:
    """Maps paths of the container into the folder that stands for its root."""

    root: Path

    def on_host(self, path: str) -> Path:
        """Return where an absolute path of the container lies on this machine."""
        return self.root / path.lstrip("/")

    def in_text(self, text: str) -> str:
        """Return a word with every path under /opt/ml in it replaced by the one on this machine."""
        return _ML_PATH.sub(lambda _: f"{self.root}/opt/ml", text)

    def as_container(self, text: str) -> str:
        """Return a text with the paths that the container would show."""
        return text.replace(f"{self.root}/", "/")
