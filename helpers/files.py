"""Files that are there whole or not at all."""

import tempfile
from pathlib import Path

from helpers.errors import UserError


def write_atomically(path: Path, text: str) -> None:
    """Write a text file as UTF-8; who reads it meanwhile, or after a failure, finds the former one.

    Raises:
        UserError: the folder is not there, or may not be written.
    """
    temporary: Path | None = None
    try:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="\n", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            temporary = Path(file.name)
            file.write(text)
        temporary.chmod(mode)
        temporary.replace(path)
    except OSError as error:
        raise UserError(
            f"{path} cannot be written: {error.strerror}; name a file in a folder of yours"
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
