"""AWS's list of actions, their resource types, and the condition keys of their requests."""

import json
from functools import cache
from pathlib import Path
from typing import Any

_DATA = Path(__file__).with_name("node_modules") / "@cloud-copilot" / "iam-data" / "data"


@cache
def authorization(what: str, service: str) -> dict[str, Any]:
    """Return the actions or resource types that a service declares to IAM; empty if it is not a service."""
    path = _DATA / what / f"{service}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def as_list(part: Any) -> list[str]:
    """Return the actions or resources of a statement, which can be a single string."""
    return [part] if isinstance(part, str) else part
