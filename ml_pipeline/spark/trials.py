"""Configuration files with trial settings, each with a record of its original text."""

import json
from pathlib import Path

from helpers.files import read_json_object, write_atomically
from ml_pipeline.definitions import ROOT

FOLDER = ROOT / ".cache" / "tuning"


def write_trial(path: Path, original: str, trial: str) -> None:
    """Write settings on trial into a configuration file.

    Raises:
        UserError: the file may not be written.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    write_atomically(_record(path), json.dumps({"original": original, "trial": trial}))
    write_atomically(path, trial)


def restore(path: Path) -> bool:
    """Restore the file of a tuning that was killed, unless it was edited since; return whether it was.

    Raises:
        UserError: the file may not be written.
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
    """Forget what a file was before: it has the settings that it is to keep."""
    _record(path).unlink(missing_ok=True)


def _record(path: Path) -> Path:
    return FOLDER / path.name
