"""The changes of a change set as a table."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.table import Table

if TYPE_CHECKING:
    from types_boto3_cloudformation.type_defs import ResourceChangeTypeDef

_STYLES = {
    "add": "green",
    "import": "green",
    "change": "yellow",
    "may replace": "red",
    "replace": "bold red",
    "delete": "bold red",
}


@dataclass(frozen=True)
class PlannedChange:
    """The change of one resource."""

    action: str
    logical_id: str
    resource_type: str
    what: str
    replacement_causes: str = ""
    """The properties that replace a resource, or may replace it."""


def planned_change(change: "ResourceChangeTypeDef") -> PlannedChange:
    """Return the planned change for a resource change of CloudFormation."""
    modified = change.get("Action") == "Modify"
    return PlannedChange(
        action=_action(change),
        logical_id=change.get("LogicalResourceId", ""),
        resource_type=change.get("ResourceType", ""),
        what=", ".join(dict.fromkeys(_targets(change))) if modified else "",
        replacement_causes=", ".join(dict.fromkeys(_targets(change, recreating=True))) if modified else "",
    )


def _action(change: "ResourceChangeTypeDef") -> str:
    match change.get("Action"), change.get("Replacement"):
        case "Modify", "True":
            return "replace"
        case "Modify", "Conditional":
            return "may replace"
        case "Modify", _:
            return "change"
        case "Remove", _:
            return "delete"
        case action, _:
            return str(action).lower()


def _targets(change: "ResourceChangeTypeDef", *, recreating: bool = False) -> list[str]:
    targets = [detail.get("Target", {}) for detail in change.get("Details", [])]
    return [
        target.get("Name") or target.get("Attribute", "")
        for target in targets
        if not recreating or target.get("RequiresRecreation", "Never") != "Never"
    ]


def table_of(changes: Sequence[PlannedChange], stack_name: str) -> Table:
    """Return a table of changes; its caption counts them by action."""
    counts = Counter(change.action for change in changes)
    caption = ", ".join(f"{counts[action]} to {action}" for action in _STYLES if counts[action])
    table = Table(
        title=f"Changes to {stack_name}", caption=caption, title_justify="left", caption_justify="left"
    )
    for heading in ("Action", "Resource", "Type", "What changes"):
        table.add_column(heading, overflow="fold")
    for change in changes:
        style = _STYLES.get(change.action, "")
        table.add_row(change.action, change.logical_id, change.resource_type, change.what, style=style)
    return table
