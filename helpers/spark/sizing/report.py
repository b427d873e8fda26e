"""A sizing as a report: HTML with the picture, or Markdown."""

from collections.abc import Iterator
from html import escape

from helpers.spark.sizing.cluster import Shape, Sizing
from helpers.spark.sizing.configuration import Figure, figures, hints
from helpers.spark.sizing.picture import parts, svg


def summary(sizing: Sizing) -> tuple[str, ...]:
    """Return what a sizing comes to, a line each."""
    instance, count = sizing.instance, sizing.count
    asked = sizing.executors * sizing.executor_mib + sizing.driver_mib
    return (
        f"{count} × {instance}: {sizing.executors} executors of {sizing.cores} cores and "
        f"{sizing.executor_mib:,} MiB, and the driver with {sizing.driver_mib:,} MiB.",
        f"In use: {sizing.slots} of {count * instance.vcpus} vCPU ({sizing.vcpu_use:.0%}); {asked:,} MiB, "
        f"which is {sizing.memory_use:.0%} of the memory left after the system and the daemons, "
        f"{asked / (count * instance.memory_mib):.0%} of all.",
        *(f"{name}: {sentence}." for name, sentence in hints(sizing).items()),
    )


def html(sizing: Sizing) -> str:
    """Return the report: the picture, the parts, and each figure with its sentence."""
    title = f"{sizing.count} × {sizing.instance.name}"
    memory = "".join(
        f"<tr><td>{node}<td>{part}<td class=n>{mib}<td>{escape(what)}"
        for node, part, mib, what in _memory(sizing)
    )
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Sizes for {title}</title>
<style>
body {{ font: 15px/1.5 sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #222; background: #fff }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #ddd }}
.n {{ text-align: right; white-space: nowrap }} code {{ overflow-wrap: anywhere }}
</style>
<h1>Sizes for {title}</h1>
{"".join(f"<p>{escape(line)}</p>" for line in summary(sizing))}
{svg(sizing)}
<h2>Memory of a node</h2>
<table><tr><th>node<th>part<th class=n>MiB<th>for{memory}</table>
<h2>Each figure</h2>
<table><tr><th>property<th>value<th>why{"".join(map(_row, figures(sizing)))}</table>
</html>
"""


def _row(figure: Figure) -> str:
    name = f"<code>{escape(figure.name)}</code><br><small>{figure.classification}</small>"
    return f"<tr><td>{name}<td><code>{escape(figure.value)}</code><td>{escape(figure.sentence)}\n"


def markdown(sizing: Sizing) -> str:
    """Return the report as Markdown, without the picture."""
    command = f"make size INSTANCE={sizing.instance.name} COUNT={sizing.count}"
    if sizing.shape is not Shape.SCAN:
        command += f" SHAPE={sizing.shape.value}"
    lines = [
        "# The figures of configuration.json",
        "",
        f"Made by `{command}`; [Spark](spark.md) has the rules. On the embedded AWS these sizes take "
        "effect as they are, but for one instance, whose sizes are scaled to the machine.",
        "",
        *summary(sizing),
        "",
        "| node | part | MiB | for |",
        "|---|---|---:|---|",
        *(f"| {' | '.join(row)} |" for row in _memory(sizing)),
        "",
        "| property | value | why |",
        "|---|---|---|",
        *(
            f"| `{figure.name}` ({figure.classification}) | `{figure.value}` | {figure.sentence} |"
            for figure in figures(sizing)
        ),
    ]
    return "\n".join(lines) + "\n"


def _memory(sizing: Sizing) -> Iterator[tuple[str, str, str, str]]:
    """Yield the rows of the memory's table: node, part, MiB, what for."""
    for node, primary in (("primary", True), ("worker", False))[: min(sizing.count, 2)]:
        row = parts(sizing, primary=primary)
        for part in dict.fromkeys(row):
            times = row.count(part)
            mib = f"{times} × {part.mib:,}" if times > 1 else f"{part.mib:,}"
            yield node, part.kind, mib, part.what
