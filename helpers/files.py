"""Files that are there whole or not at all."""

import tempfile
from pathlib import Path


def write_atomically(path: Path, text: str) -> None:
    """Write a text file as UTF-8; who reads it meanwhile, or after a failure, finds the former one.

    Raises:
        OSError: the folder is not there, or may not be written.
    """
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", newline="\n", dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as file:
        temporary = Path(file.name)
        try:
            file.write(text)
            file.close()
            temporary.chmod(mode)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
