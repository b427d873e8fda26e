"""Renders a plan as a section of a pull request comment."""

import json
from collections import Counter
from collections.abc import Sequence

from helpers.infra.stacks.changes import PlannedChange
from helpers.infra.stacks.plan import StackPlan
from ml_pipeline.controls.literal_secrets import secret_violations
from ml_pipeline.review.plan import PipelinePlan, Plan
from ml_pipeline.review.plan_text import format_usd

LONGEST_SECTION = 20_000
"""Characters. A GitHub comment may have 65,536, and contains the sections of three environments."""
_MOST_ROWS = 60
_DANGEROUS = frozenset({"delete", "may replace", "replace"})


def section(plan: Plan) -> str:
    """Return the section of an environment as Markdown, without the account ID."""
    before = "\n\n".join(
        [f"## Plan for {_code(plan.environment)}", *_shortages(plan), *_stack_lines(plan.stacks)]
    )
    after = "\n\n".join(["### Cost estimate", *_cost_lines(plan)])
    left = LONGEST_SECTION - len(before) - len(after) - len("\n\n" * 2)
    text = "\n\n".join([before, *_pipeline_parts(plan, left), after])
    return text.replace(plan.account, "ACCOUNT") + "\n"


def _shortages(plan: Plan) -> list[str]:
    if not plan.shortages:
        return []
    return ["\n".join(["> [!WARNING]", *(f"> - {_quoted(line)}" for line in plan.shortages)])]


def _pipeline_parts(plan: Plan, left: int) -> list[str]:
    """Return the parts about pipelines. Each pipeline may use an equal share of the remaining characters."""
    if plan.waiting:
        return ["### Pipelines", _text(plan.waiting)]
    if plan.problem:
        return ["### Pipelines", _text(f"The pipelines cannot be built: {plan.problem}")]
    share = left // max(1, len(plan.pipelines))
    parts = []
    for pipeline in plan.pipelines:
        heading = f"### Pipeline {_code(pipeline.name)}"
        parts += [heading, _pipeline_text(pipeline, share - len(heading) - len("\n\n" * 2))]
    return parts


def _stack_lines(stacks: Sequence[StackPlan]) -> list[str]:
    rows = [(plan.name, change) for plan in stacks for change in plan.changes]
    lines = ["### Stacks"]
    # Deletions and replacements come first, because long tables are truncated.
    rows.sort(key=lambda row: row[1].action not in _DANGEROUS)
    if rows:
        lines.append(_counted([change for _, change in rows]))
        table = ["| Stack | Action | Resource | Type | What changes |", "| --- | --- | --- | --- | --- |"]
        table += [_row(name, change) for name, change in rows[:_MOST_ROWS]]
        if len(rows) > _MOST_ROWS:
            table.append(f"| | | … and {len(rows) - _MOST_ROWS} more | | |")
        lines.append("\n".join(table))
    lines += [_text(plan.note) for plan in stacks if plan.note and plan.is_change]
    if unchanged := [_code(plan.name) for plan in stacks if not plan.is_change]:
        lines.append(f"No changes to {', '.join(unchanged)}.")
    return lines


def _counted(changes: Sequence[PlannedChange]) -> str:
    counts = Counter(change.action for change in changes)
    summary = ", ".join(f"{count} to {action}" for action, count in counts.items())
    if not _DANGEROUS & counts.keys():
        return f"**{summary}.**"
    return f"> [!WARNING]\n> **{summary}.** Replaced and deleted resources lose their content."


def _row(stack: str, change: PlannedChange) -> str:
    action = f"⚠️ **{change.action}**" if change.action in _DANGEROUS else change.action
    what = ", ".join(
        f"**{_code(name)}**" if name in change.replacement_causes.split(", ") else _code(name)
        for name in change.what.split(", ")
        if name
    )
    return (
        f"| {_code(stack)} | {action} | {_code(change.logical_id)} | {_code(change.resource_type)} | {what} |"
    )


def _pipeline_text(plan: PipelinePlan, left: int) -> str:
    lines = plan.difference
    if not lines:
        return f"{_code(plan.name)} is up to date, nothing would change."
    added, removed = (
        sum(line.startswith(sign) and not line.startswith(sign * 3) for line in lines) for sign in "+-"
    )
    what = "would change" if plan.old else "is new"
    summary = f"{_code(plan.name)} {what}: {added} lines added, {removed} removed."
    if places := _secrets(plan):
        return (
            f"{summary} They are not shown, because there may be a secret at {', '.join(map(_code, places))}."
        )
    head = f"{summary}\n\n<details><summary>Definition</summary>\n\n"
    return head + _fenced(lines, left - len(head) - len("\n\n</details>")) + "\n\n</details>"


def _secrets(plan: PipelinePlan) -> list[str]:
    definitions = [each.definition for each in (plan.old, plan.new) if each]
    faults = [fault.path for text in definitions for fault in secret_violations(json.loads(text), "$")]
    return list(dict.fromkeys(faults))


def _fenced(lines: Sequence[str], left: int) -> str:
    """Return as many lines as fit, in a code fence that no line can close."""
    fence = "```"
    while any(fence in line for line in lines):
        fence += "`"
    left -= 2 * len(fence) + len("diff\n\n\n… and 1000000 lines more")
    kept: list[str] = []
    for line in lines:
        left -= len(line) + 1
        if left < 0:
            break
        kept.append(line)
    text = f"{fence}diff\n" + "\n".join(kept) + f"\n{fence}"
    return text if len(kept) == len(lines) else f"{text}\n… and {len(lines) - len(kept)} lines more"


def _cost_lines(plan: Plan) -> list[str]:
    total = sum(line.usd_per_month for line in plan.fixed_costs)
    rows = [f"| {line.what} | {line.usd_per_month:.2f} a month |" for line in plan.fixed_costs]
    for pipeline in plan.pipelines:
        if pipeline.cost is None:
            continue
        rows.append(f"| **One execution of {_code(pipeline.name)}** | **{_usd(pipeline.cost.usd)}** |")
        rows += [
            f"| step {_code(step.step)}: {step.basis} | {_usd(step.usd)} |" for step in pipeline.cost.steps
        ]
    return [
        "\n".join(["| | USD |", "| --- | --- |", f"| **Fixed costs** | **{total:.2f} a month** |", *rows]),
        f"An estimate from prices of {plan.prices_region} as of {plan.prices_as_of}, without usage-based "
        "costs such as storage, requests, traffic and logs.",
    ]


def _usd(usd: float | None) -> str:
    return "unknown" if usd is None else format_usd(usd)


def _code(text: str) -> str:
    """Return text as inline code, which is also valid in a table."""
    return f"`{text.replace('`', chr(39)).replace('|', chr(92) + '|')}`"


def _text(text: str) -> str:
    """Return a message as a block quote, without HTML and mentions."""
    return "\n".join(f"> {line}" for line in _quoted(text).splitlines())


def _quoted(text: str) -> str:
    return text.replace("<", "&lt;").replace("@", "&#64;")
