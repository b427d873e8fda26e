"""Reads JSON files, with errors that name the file, and writes files atomically."""

import json
import tempfile
from pathlib import Path
from typing import Any

from helpers.errors import UserError


def read_json_object(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises:
        UserError: the file is missing, cannot be read, is not valid JSON, or is not an object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} is missing", hint=f"Restore it (git restore {path}), or create it") from None
    except json.JSONDecodeError as error:
        raise UserError(
            f"{path}, line {error.lineno}, is not valid JSON: {error.msg}",
            hint=f"Correct line {error.lineno} of {path}, then run the command again",
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be read: {error}", hint="Make it a readable file in UTF-8") from error
    if not isinstance(content, dict):
        raise UserError(
            f"{path} holds a JSON {type(content).__name__} instead of an object", hint="Write an object, {…}"
        )
    return content


def write_atomically(path: Path, text: str) -> None:
    """Write a text file in UTF-8. Readers see the previous content until the new one is complete.

    Raises:
        UserError: the folder does not exist, or you may not write to it.
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
            f"{path} cannot be written: {error.strerror}",
            hint="Name a file in a folder that you may write to",
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
