"""Charts of an evaluation as SVG with text, lines and rectangles; the image has no plotting library."""

from __future__ import annotations

from typing import Sequence
from xml.sax.saxutils import escape

WIDTH, HEIGHT, MARGIN = 480, 320, 56
_STYLE = (
    "text{font:12px sans-serif;fill:#333}.title{font-weight:bold}.axis{stroke:#999}"
    ".mark{fill:#1f77b4}.line{stroke:#1f77b4;fill:none;stroke-width:2}.reference{stroke:#d62728;stroke-dasharray:4}"
)


def calibration(points: Sequence[tuple[float, float]], label: str) -> str:
    """Return a chart of mean label over mean prediction; they are equal on the dashed line.

    Args:
        points: mean prediction and mean label of each bucket, in order.
        label: name of the label.
    """
    values = [value for point in points for value in point]
    low, high = min(values), max(values)
    span = (high - low) or 1.0

    def place(point: tuple[float, float]) -> tuple[float, float]:
        x, y = ((value - low) / span for value in point)
        return MARGIN + x * (WIDTH - 2 * MARGIN), HEIGHT - MARGIN - y * (HEIGHT - 2 * MARGIN)

    (left, bottom), (right, top) = place((low, low)), place((low + span, low + span))
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(place, points))
    marks = [f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="4"/>' for x, y in map(place, points)]
    return _drawing(
        f"Mean {label} by mean prediction",
        HEIGHT,
        [
            _line(left, bottom, right, bottom, "axis"),
            _line(left, bottom, left, top, "axis"),
            _line(left, bottom, right, top, "reference"),
            f'<polyline class="line" points="{path}"/>',
            *marks,
            _text(left, bottom + 18, f"{low:.4g}"),
            _text(right, bottom + 18, f"{low + span:.4g}", "end"),
            _text(WIDTH / 2, bottom + 34, "prediction", "middle"),
            _text(left - 6, bottom, f"{low:.4g}", "end"),
            _text(left - 6, top + 4, f"{low + span:.4g}", "end"),
        ],
    )


def bars(title: str, values: Sequence[tuple[str, float]], reference: float) -> str:
    """Return a bar for each value, which must not be negative, with a dashed line at the value of all rows.

    Args:
        title: title of the chart.
        values: values by bar name.
        reference: the value of all rows.
    """
    row, start = 24, 140
    most = max([reference, *(value for _, value in values)]) or 1.0
    scale = (WIDTH - start - MARGIN) / most
    height = MARGIN + row * len(values) + 16
    parts = []
    for index, (name, value) in enumerate(values):
        y = MARGIN + index * row
        width = max(value * scale, 0.0)
        parts += [
            _text(start - 8, y + 14, name, "end"),
            f'<rect class="mark" x="{start}" y="{y + 3}" width="{width:.1f}" height="{row - 8}"/>',
            _text(start + width + 4, y + 14, f"{value:.4g}"),
        ]
    at = start + max(reference * scale, 0.0)
    parts.append(_line(at, MARGIN - 4, at, height - 12, "reference"))
    return _drawing(title, height, parts)


def _drawing(title: str, height: float, parts: Sequence[str]) -> str:
    text = escape(title)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" role="img">',
            f"<title>{text}</title>",
            f"<style>{_STYLE}</style>",
            f'<text class="title" x="{WIDTH / 2:g}" y="24" text-anchor="middle">{text}</text>',
            *parts,
            "</svg>\n",
        ]
    )


def _line(x: float, y: float, to_x: float, to_y: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}"/>'


def _text(x: float, y: float, content: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(content)}</text>'
