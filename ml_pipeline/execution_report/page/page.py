"""Renders the page from the model, with a template that escapes all values."""

import base64
import hashlib
from datetime import datetime, timedelta
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ml_pipeline.execution_report.model import ExecutionReport, Phase, Step
from ml_pipeline.execution_report.page import charts, graph, text

FOLDER = Path(__file__).parent
OPEN_STEPS = 3
"""Maximum number of steps for which all steps are open. With more steps, only failed ones are open."""

LEAST_SHARE = 0.005
"""Spans shorter than this fraction of a step's longest span are not listed in its text."""


def render(report: ExecutionReport) -> str:
    """Return the report as an HTML page that loads no resources and runs no scripts."""
    style = (FOLDER / "style.css").read_text(encoding="utf-8")
    template = _environment().get_template("page.html.jinja")
    return template.render(
        report=report,
        style=Markup(style),  # noqa: S704 - a file of this repository
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        axis=[report.seconds * part / 4 for part in range(5)],
        is_open=lambda step: len(report.steps) <= OPEN_STEPS or step.status == "Failed",
        headline=_headline,
        spans=lambda step: _spans(report, step),
        spans_bar=lambda step: _svg(_spans_bar(report, step)),
        phases=list(Phase),
    )


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "seconds": text.seconds,
        "moment": text.moment,
        "size": text.size,
        "number": text.number,
        "percent": text.percent,
        "usd": text.usd,
        "status_class": graph.class_of,
        "status_text": graph.status_text,
        "phase_class": charts.phase_class,
    }
    environment.globals |= {
        "sign": lambda name: _svg(graph.sign(name)),
        "graph": lambda steps: _svg(graph.graph(steps)),
        "intervals_bar": lambda *args, **options: _svg(charts.intervals_bar(*args, **options)),
        "share_bar": lambda *args: _svg(charts.share_bar(*args)),
        "histogram": lambda *args: _svg(charts.histogram(*args)),
    }
    return environment


def _svg(drawn: str) -> Markup:
    """Return SVG as markup. drawsvg has escaped its texts."""
    return Markup(drawn)  # noqa: S704


def _headline(step: Step) -> list[str]:
    """Return the summary of a step, which is also visible if the step is closed."""
    took = [text.seconds(step.took)] if step.spans and not step.reused_from else []
    read = [] if step.rows_in is None else [f"{text.number(step.rows_in)} rows read"]
    return [*took, *read, *([f"{text.number(step.rows_rejected)} rejected"] if step.rows_rejected else [])]


def _until(report: ExecutionReport) -> datetime:
    """Return the end of spans that have not ended."""
    return report.started + timedelta(seconds=report.seconds)


def _spans(report: ExecutionReport, step: Step) -> list[str]:
    """Return the phases and durations of a step as text, without very short ones."""
    took = [((span.ended or _until(report)) - span.started).total_seconds() for span in step.spans]
    least = LEAST_SHARE * max(took, default=0.0)
    return [
        f"{span.phase.value} {text.seconds(seconds)}"
        for span, seconds in zip(step.spans, took, strict=True)
        if seconds >= least
    ]


def _spans_bar(report: ExecutionReport, step: Step) -> str:
    title = f"{step.name}: {', '.join(_spans(report, step)) or 'did not start'}"
    return charts.spans_bar(step.spans, report.started, report.seconds, _until(report), title)
