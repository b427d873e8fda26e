"""Draws the graph of the steps as SVG, each step below its dependencies."""

from collections.abc import Mapping, Sequence
from typing import Any

import drawsvg as draw

from ml_pipeline.execution_report.model import NOT_STARTED, Step
from ml_pipeline.execution_report.page.text import cut, seconds

COLUMNS = 4
"""Maximum number of steps in a row. More steps of the same level continue in the next row."""
_BOX_WIDTH, _BOX_HEIGHT = 190, 48
_GAP_X, _GAP_Y = 20, 36
_CHARACTERS = 24
"""Maximum number of characters of a step's name in its box."""

_CLASSES: Mapping[str, str] = {
    "Succeeded": "good",
    "Failed": "bad",
    "Stopped": "warning",
    "Stopping": "warning",
    "Executing": "running-status",
    "Starting": "running-status",
}
"""CSS class of each status."""
_IDLE = "idle"
_SIGNS: Mapping[str, str] = {
    "good": "M1.5,6.5 L4.5,9.5 L10.5,2.5",
    "bad": "M2,2 L10,10 M10,2 L2,10",
    "warning": "M2,2 H10 V10 H2 Z",
    "running-status": "M3,1.5 L10.5,6 L3,10.5 Z",
    _IDLE: "M6,1.5 A4.5,4.5 0 1 1 5.99,1.5 Z",
}
"""SVG path of the symbol of each class, in a square of 12 units. Not every font has such symbols."""


class _Link(draw.DrawingParentElement):  # type: ignore[misc]  # the library has no types
    TAG_NAME = "a"


def sign(name: str) -> str:
    """Return the symbol of a class as SVG, hidden from screen readers, because the status is next to it."""
    drawing = draw.Drawing(12, 12, class_="sign", aria_hidden="true")
    drawing.append(_sign(name))
    text: str = drawing.as_svg(header="")
    return text


def _sign(name: str, **attributes: str) -> Any:
    return draw.Path(d=_SIGNS[name], class_="sign-path", **attributes)


def class_of(status: str) -> str:
    """Return the CSS class of a status."""
    return _CLASSES.get(status, _IDLE)


def status_text(step: Step) -> str:
    """Return the status of a step as text."""
    status = "Not started" if step.status == NOT_STARTED else step.status
    return f"{status}, result reused" if step.reused_from else status


def levels(steps: Sequence[Step]) -> list[list[Step]]:
    """Return steps by level. The level of a step is one above the highest level of its dependencies."""
    by_name = {step.name: step for step in steps}
    level: dict[str, int] = {}
    pending = list(by_name)
    while pending:
        ready = [
            name
            for name in pending
            if all(other in level for other in by_name[name].after if other in by_name)
        ]
        for name in ready or pending:  # ends the loop if dependencies are circular
            above = [level[other] for other in by_name[name].after if other in level]
            level[name] = max(above, default=-1) + 1
        pending = [name for name in pending if name not in level]
    found: list[list[Step]] = [[] for _ in range(max(level.values(), default=-1) + 1)]
    for step in steps:
        found[level[step.name]].append(step)
    return found


def graph(steps: Sequence[Step]) -> str:
    """Return the graph as SVG. Each box links to the section of the step."""
    rows = [
        level[start : start + COLUMNS] for level in levels(steps) for start in range(0, len(level), COLUMNS)
    ]
    columns = max((len(row) for row in rows), default=1)
    width = columns * (_BOX_WIDTH + _GAP_X) + 1
    height = len(rows) * (_BOX_HEIGHT + _GAP_Y) - _GAP_Y + 3
    drawing = draw.Drawing(
        width, height, class_="graph", role="group", **{"aria-label": "Graph of the steps"}
    )
    places = {
        step.name: _place(number, len(row), index, width)
        for number, row in enumerate(rows)
        for index, step in enumerate(row)
    }
    for step in steps:
        for other in step.after:
            if other in places:
                drawing.append(_edge(places[other], places[step.name]))
    numbers = {step.name: number for number, step in enumerate(steps, 1)}
    for step in steps:
        drawing.append(_box(step, places[step.name], f"#step-{numbers[step.name]}"))
    text: str = drawing.as_svg(header="")
    return text


def _place(row: int, of_row: int, index: int, width: int) -> tuple[float, float]:
    """Return the upper left corner of a box. Rows are centered."""
    own = of_row * (_BOX_WIDTH + _GAP_X) - _GAP_X
    return (width - own) / 2 + index * (_BOX_WIDTH + _GAP_X), row * (_BOX_HEIGHT + _GAP_Y) + 1


def _edge(source: tuple[float, float], target: tuple[float, float]) -> Any:
    x1, y1 = source[0] + _BOX_WIDTH / 2, source[1] + _BOX_HEIGHT
    x2, y2 = target[0] + _BOX_WIDTH / 2, target[1]
    middle = (y1 + y2) / 2
    path = draw.Path(class_="edge")
    path.M(x1, y1).C(x1, middle, x2, middle, x2, y2 - 5)
    path.M(x2 - 4, y2 - 6).L(x2, y2 - 1).L(x2 + 4, y2 - 6)
    return path


def _box(step: Step, place: tuple[float, float], target: str) -> Any:
    x, y = place
    took = f" · {seconds(step.took)}" if step.took and not step.reused_from else ""
    link = _Link(href=target, class_=f"node {class_of(step.status)}")
    box = draw.Rectangle(x, y, _BOX_WIDTH, _BOX_HEIGHT, rx=8, class_="box")
    box.append_title(f"{step.name}: {status_text(step)}{took}")
    link.append(box)
    link.append(draw.Text(cut(step.name, _CHARACTERS), 13, x + 12, y + 20, class_="name"))
    status = cut(f"{status_text(step)}{took}", _CHARACTERS + 4)
    link.append(_sign(class_of(step.status), transform=f"translate({x + 12} {y + 27})"))
    link.append(draw.Text(status, 12, x + 29, y + 37, class_="status"))
    return link
