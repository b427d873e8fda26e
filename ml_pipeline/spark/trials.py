"""Writes trial settings into configuration files, and records the original text to restore it."""

import json
from pathlib import Path

from helpers.files import read_json_object, write_atomically
from ml_pipeline.definitions import ROOT

FOLDER = ROOT / ".cache" / "tuning"


def write_trial(path: Path, original: str, trial: str) -> None:
    """Write trial settings into a configuration file.

    Args:
        path: the configuration file.
        original: the text to restore.
        trial: the text with trial settings.

    Raises:
        UserError: the file cannot be written.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_atomically(_record(path), json.dumps({"original": original, "trial": trial}))
    write_atomically(path, trial)


def restore(path: Path) -> bool:
    """Restore the file after a tuning that was killed, unless the file was edited since.

    Returns:
        Whether the file contained trial settings.

    Raises:
        UserError: the file cannot be written.
    """
    if not _record(path).exists():
        return False
    recorded = read_json_object(_record(path))
    on_trial: bool = recorded["original"] != recorded["trial"] == path.read_text(encoding="utf-8")
    if on_trial:
        write_atomically(path, recorded["original"])
    end_trials(path)
    return on_trial


def end_trials(path: Path) -> None:
    """Delete the record of a file, whose settings are final."""
    _record(path).unlink(missing_ok=True)


def _record(path: Path) -> Path:
    return FOLDER / path.name
