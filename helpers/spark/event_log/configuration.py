"""Applies the settings that findings recommend to a configuration.json."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from helpers.errors import UserError
from helpers.files import write_atomically
from helpers.spark.event_log.rules.finding import Finding

CLASSIFICATION = "spark-defaults"
"""The classification of the image for all recommended settings."""


def settings_of(found: Sequence[Finding]) -> dict[str, str]:
    """Return the recommended settings; if two findings recommend different values, the first applies."""
    settings: dict[str, str] = {}
    for finding in found:
        settings = {**finding.settings, **settings}
    return settings


def change(file: Path, found: Sequence[Finding]) -> str:
    """Change a configuration.json as recommended, or create one; return what was done.

    Raises:
        UserError: see `updated`; the file stays unchanged.
    """
    settings = settings_of(found)
    if not settings:
        return f"{file}: no finding asks for a setting, nothing was written."
    text = file.read_text(encoding="utf-8") if file.exists() else "[]"
    write_atomically(file, updated(text, settings, str(file)))
    return f"Wrote {len(settings)} setting{'s' * (len(settings) != 1)} to {file}."


def updated(text: str, settings: Mapping[str, str], file: str) -> str:
    """Return the text of a configuration.json with settings changed or added in spark-defaults.

    Args:
        text: the current file.
        settings: Spark properties with their new values.
        file: its name, for messages.

    Raises:
        UserError: the file is not a list of classifications, or a setting is not a Spark property.
    """
    foreign = [name for name in settings if not name.startswith("spark.")]
    if foreign:
        raise UserError(
            f"{file}: {', '.join(foreign)} does not belong into {CLASSIFICATION}",
            hint="Keep settings that start with spark. only",
        )
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise UserError(
            f"{file} is not JSON: line {error.lineno}, column {error.colno}: {error.msg}",
            hint=f"Correct line {error.lineno} of {file}",
        ) from None
    entries: list[dict[str, Any]] = document if isinstance(document, list) else [document]
    if not all(isinstance(entry, dict) and "Classification" in entry for entry in entries):
        raise UserError(
            f"{file}: not a list of objects with Classification and Properties",
            hint=f"Correct {file}, or restore it with: git restore {file}",
        )
    # If a classification occurs twice, the last one applies.
    defaults = next((e for e in reversed(entries) if e["Classification"] == CLASSIFICATION), None)
    if defaults is None:
        defaults = {"Classification": CLASSIFICATION, "Properties": {}}
        entries.append(defaults)
    if not isinstance(defaults.setdefault("Properties", {}), dict):
        raise UserError(
            f"{file}: Properties of {CLASSIFICATION} is not an object",
            hint=f"Correct {file}, or restore it with: git restore {file}",
        )
    defaults["Properties"].update(settings)
    return json.dumps(entries, indent=2) + "\n"
