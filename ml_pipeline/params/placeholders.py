"""Placeholders `${Name}` in parameter values, with the syntax of CloudFormation's `Fn::Sub`."""

import re
from collections.abc import Callable, Mapping
from typing import Any

_PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9]*)\}")
Path = tuple[str | int, ...]


def resolve(
    value: Any, names: Mapping[str, str], report: Callable[[Path, str], None], path: Path = ()
) -> Any:
    """Return a JSON value with the placeholders in all its strings replaced.

    Args:
        value: any JSON value.
        names: the value of each placeholder.
        report: called with the path of a string that cannot be resolved, and with the fix.
        path: the path of `value`.
    """
    match value:
        case dict():
            return {key: resolve(item, names, report, (*path, key)) for key, item in value.items()}
        case list():
            resolved = [resolve(item, names, report, (*path, index)) for index, item in enumerate(value)]
            # An item that is a placeholder may become several: CloudFormation's outputs are strings.
            return [
                each
                for item, found in zip(value, resolved, strict=True)
                for each in (found.split(",") if _is_placeholder(item) else [found])
            ]
        case str():
            unknown = [name for name in _PLACEHOLDER.findall(value) if name not in names]
            text = _PLACEHOLDER.sub(lambda match: names.get(match[1], match[0]), value)
            if unknown:
                placeholders = ", ".join(f"${{{name}}}" for name in dict.fromkeys(unknown))
                report(path, f"nothing is named {placeholders}; there are {', '.join(sorted(names))}")
            elif "${" in text:
                report(path, "write placeholders as ${Name}, with letters and digits and a closing brace")
            return text
        case _:
            return value


def _is_placeholder(item: Any) -> bool:
    return isinstance(item, str) and _PLACEHOLDER.fullmatch(item) is not None
