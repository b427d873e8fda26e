"""AWS's own list of actions, of what they are about and of the keys that requests for them carry."""

import json
from functools import cache
from pathlib import Path
from typing import Any

_DATA = Path(__file__).with_name("node_modules") / "@cloud-copilot" / "iam-data" / "data"


@cache
def authorization(what: str, service: str) -> dict[str, Any]:
    """Return the actions or resource types that a service declares to IAM; none if it is not a service."""
    path = _DATA / what / f"{service}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def as_list(part: Any) -> list[str]:
    """Return the actions or resources of a statement, which may be one text."""
    return [part] if isinstance(part, str) else part
