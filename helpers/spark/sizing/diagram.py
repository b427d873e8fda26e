"""A diagram of a node's memory.

It is generated without a library: two stacked bars with a tooltip per part. matplotlib, which the SDK
installs, has no tooltips, takes a second to import, and changes its output with each version.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from helpers.spark.sizing.cluster import DAEMONS, Sizing

_LEFT, _WIDTH, _BAR, _ROW = 90, 830, 56, 96
"""In pixels: margin for names, length and height of a bar, and distance of bars."""
_INSIDE = 64
"""In pixels: a narrower part has no label."""
_MOST_DRAWN = 24
"""Maximum executors that are drawn separately; more are combined."""
# Okabe and Ito's colors, which people with a color vision deficiency can distinguish.
_COLORS = {
    "system": "#b3b3b3",
    "daemons": "#e69f00",
    "application master": "#cc79a7",
    "driver": "#56b4e9",
    "executors": "#009e73",
    "idle": "#ffffff",
}


@dataclass(frozen=True)
class Part:
    """A part of a node's memory."""

    kind: str
    mib: int
    what: str


def parts(sizing: Sizing, *, primary: bool) -> tuple[Part, ...]:
    """Return the parts of a node's memory; their sum is the memory of the node."""
    node, each = sizing.executors_per_node, sizing.executor_mib
    result = [
        Part("system", sizing.system_mib, "kernel, agents, page cache"),
        Part(
            "daemons",
            sizing.daemons_mib,
            ", ".join(DAEMONS) if primary else "DataNode, NodeManager; the rest is page cache",
        ),
        Part("application master", sizing.master_mib, "on the node that YARN chooses"),
    ]
    if primary:
        result.append(Part("driver", sizing.driver_mib, f"heap {sizing.driver_heap_mib:,} MiB"))
    detail = f"heap {sizing.heap_mib:,} MiB, JVM {sizing.overhead_mib:,} MiB"
    if sizing.python_mib:
        detail += f", Python {sizing.python_mib:,} MiB"
    if node <= _MOST_DRAWN:
        result += [Part("executors", each, f"{sizing.cores} cores, {detail}")] * node
    else:
        result.append(Part("executors", node * each, f"{node}, each {sizing.cores} cores, {detail}"))
    idle = sizing.instance.memory_mib - sum(part.mib for part in result)
    why = "rounding" if primary else "what the driver takes of the primary: executors are alike"
    return (*result, Part("idle", idle, why))


def svg(sizing: Sizing) -> str:
    """Return the diagram of the cluster's nodes."""
    rows = [("primary", parts(sizing, primary=True))]
    if sizing.count > 1:
        rows.append((f"{sizing.count - 1} × worker", parts(sizing, primary=False)))
    height = _ROW * len(rows) + 60
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + 20} {height}" role="img" '
        f'font-family="sans-serif" font-size="13">',
        f"<title>Memory of the nodes: {escape(str(sizing.instance))}</title>",
        f'<rect width="100%" height="{height}" fill="#ffffff"/>',
    ]
    for index, (name, row) in enumerate(rows):
        lines += _bar(name, row, _ROW * index + 20, sizing.instance.memory_mib)
    lines += _legend(_ROW * len(rows) + 26)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _bar(name: str, row: tuple[Part, ...], top: int, total_mib: int) -> Iterator[str]:
    yield f'<text x="{_LEFT - 8}" y="{top + _BAR / 2 + 4:.0f}" text-anchor="end">{escape(name)}</text>'
    left = float(_LEFT)
    for part in row:
        width = part.mib / total_mib * _WIDTH
        yield (
            f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{_BAR}" '
            f'fill="{_COLORS[part.kind]}" stroke="#333333">'
            f"<title>{escape(f'{part.kind}: {part.mib:,} MiB ({part.what})')}</title></rect>"
        )
        if width >= _INSIDE:
            middle = left + width / 2
            yield (
                f'<text x="{middle:.1f}" y="{top + _BAR / 2 + 4:.0f}" text-anchor="middle">'
                f"{part.mib:,} MiB</text>"
            )
        left += width


def _legend(top: int) -> Iterator[str]:
    for index, (kind, color) in enumerate(_COLORS.items()):
        left = _LEFT + index * 142
        yield f'<rect x="{left}" y="{top}" width="14" height="14" fill="{color}" stroke="#333333"/>'
        yield f'<text x="{left + 20}" y="{top + 12}">{kind}</text>'
