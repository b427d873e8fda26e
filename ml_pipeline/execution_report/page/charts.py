"""Draws the charts of the page as SVG.

Colors are defined in style.css, so that charts follow light and dark mode. No chart relies on color alone:
phases differ in height, the previous run is an outline, and a status has a symbol.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import drawsvg as draw

from ml_pipeline.execution_report.model import Histogram, Phase, Span

WIDTH = 1000
"""Width of bars in SVG units. The page stretches bars to the available width."""
_BAR_HEIGHT = 20
_LEAST = 2.0
"""Minimum length of a bar, so that small values are visible."""
_PHASES: Mapping[Phase, tuple[str, float]] = {
    Phase.WAITING: ("waiting", 2),
    Phase.STARTING: ("starting", 8),
    Phase.RUNNING: ("running", 16),
    Phase.FAILED: ("failed", 16),
    Phase.RETRYING: ("retrying", 2),
}
"""CSS class and height of each phase in a bar."""
_HISTOGRAM_WIDTH, _HISTOGRAM_HEIGHT = 240, 72


def phase_class(phase: Phase) -> str:
    """Return the CSS class of a phase."""
    return _PHASES[phase][0]


def spans_bar(spans: Sequence[Span], started: datetime, seconds: float, until: datetime, title: str) -> str:
    """Return the spans of a step as SVG, on the time axis of the execution.

    Args:
        spans: the spans of the step.
        started: the start of the axis.
        seconds: the length of the axis.
        until: the end of spans that have not ended.
        title: a description of the bar, for screen readers.
    """
    drawing = _bar(title)
    for span in spans:
        name, height = _PHASES[span.phase]
        start = (span.started - started).total_seconds()
        end = ((span.ended or until) - started).total_seconds()
        drawing.append(_piece(start, end, seconds, height, name))
        if span.phase is Phase.FAILED:
            drawing.append(_piece(start, end, seconds, 4, "strike"))
    return _svg(drawing)


def intervals_bar(
    intervals: Iterable[tuple[float, float]], seconds: float, title: str, *, kind: str = "running"
) -> str:
    """Return intervals as SVG, on an axis of the given length; `kind` is their CSS class."""
    drawing = _bar(title)
    for start, end in intervals:
        drawing.append(_piece(start, end, seconds, 12, kind))
    return _svg(drawing)


def share_bar(share: float, previous: float | None = None) -> str:
    """Return a fraction as an SVG bar, with a mark at the fraction of the previous run."""
    drawing = _bar()
    drawing.append(_piece(0, share, 1, 12, "running"))
    if previous is not None:
        drawing.append(
            draw.Rectangle(max(0.0, previous * WIDTH - 4), 0, 8, _BAR_HEIGHT, class_="previous-mark")
        )
    return _svg(drawing)


def histogram(data: Histogram, title: str) -> str:
    """Return a histogram as SVG: bars for this run, an outline for the previous one.

    Heights are fractions of the rows of a run, so that runs of different sizes are comparable.
    """
    drawing = draw.Drawing(_HISTOGRAM_WIDTH, _HISTOGRAM_HEIGHT, class_="histogram", role="img")
    drawing.append_title(title)
    now, before = _shares(data.counts), _shares(data.previous or ())
    most = max([*now, *before], default=0.0) or 1.0
    room = _HISTOGRAM_HEIGHT - 4
    width = _HISTOGRAM_WIDTH / max(len(data.counts), 1)
    for index, share in enumerate(now):
        height = max(share / most * room, _LEAST) if share else 0.0
        drawing.append(
            draw.Rectangle(
                round(index * width + 0.5, 2),
                round(_HISTOGRAM_HEIGHT - height, 2),
                round(max(width - 1, 1), 2),
                round(height, 2),
                class_="bin",
            )
        )
    if before:
        outline = draw.Path(class_="previous")
        outline.M(0, _HISTOGRAM_HEIGHT)
        for index, share in enumerate(before):
            outline.V(round(_HISTOGRAM_HEIGHT - share / most * room, 2)).H(round((index + 1) * width, 2))
        outline.V(_HISTOGRAM_HEIGHT)
        drawing.append(outline)
    return _svg(drawing)


def _shares(counts: Sequence[int]) -> list[float]:
    total = sum(counts)
    return [count / total for count in counts] if total else []


def _bar(title: str = "") -> Any:
    named = {"role": "img"} if title else {"aria_hidden": "true"}
    drawing = draw.Drawing(WIDTH, _BAR_HEIGHT, class_="bar", preserveAspectRatio="none", **named)
    if title:
        drawing.append_title(title)
    drawing.append(draw.Rectangle(0, _BAR_HEIGHT / 2 - 0.5, WIDTH, 1, class_="axis"))
    return drawing


def _piece(start: float, end: float, seconds: float, height: float, name: str) -> Any:
    scale = WIDTH / seconds if seconds > 0 else 0.0
    left = min(max(start, 0.0) * scale, WIDTH - _LEAST)
    width = max(min(end * scale, WIDTH) - left, _LEAST)
    return draw.Rectangle(round(left, 2), (_BAR_HEIGHT - height) / 2, round(width, 2), height, class_=name)


def _svg(drawing: Any) -> str:
    text: str = drawing.as_svg(header="")
    return text
