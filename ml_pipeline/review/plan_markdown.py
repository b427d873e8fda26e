"""What a deployment and an upsert would change, as a section of a pull request's comment."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from helpers.infra.stacks.changes import PlannedChange
from helpers.infra.stacks.plan import StackPlan
from helpers.infra.stacks.standing_costs import CostLine
from ml_pipeline.controls.literal_secrets import secret_faults
from ml_pipeline.releases.registration import Registration, difference
from ml_pipeline.review.cost import RunCost

LONGEST_SECTION = 20_000
"""Characters. GitHub takes 65,536 in a comment, and there are three environments in one."""
_MOST_ROWS = 60
_DANGEROUS = frozenset({"delete", "may replace", "replace"})


@dataclass(frozen=True)
class PipelinePlan:
    """The pipeline as it is registered, and as this checkout has it."""

    name: str
    old: Registration | None
    new: Registration


@dataclass(frozen=True)
class Costs:
    """Estimates."""

    as_of: date
    region: str
    """Whose prices they are from."""
    standing: Sequence[CostLine]
    run: RunCost | None


def section(
    environment: str,
    stacks: Sequence[StackPlan],
    pipeline: PipelinePlan | str,
    costs: Costs,
    account: str,
) -> str:
    """Return the section of an environment.

    Args:
        environment: its name.
        stacks: what would change in each stack.
        pipeline: what would change in the pipeline, or why that is not known.
        costs: the estimates.
        account: the id of the account, which is not shown: comments may be public.
    """
    before = "\n\n".join([f"## Plan for {_code(environment)}", *_stack_lines(stacks), "### Pipeline"])
    after = "\n\n".join(["### Cost estimate", *_cost_lines(costs)])
    left = LONGEST_SECTION - len(before) - len(after) - len("\n\n" * 2)
    text = "\n\n".join([before, _pipeline_text(pipeline, left), after])
    return text.replace(account, "ACCOUNT") + "\n"


def _stack_lines(stacks: Sequence[StackPlan]) -> list[str]:
    rows = [(plan.name, change) for plan in stacks for change in plan.changes]
    lines = ["### Stacks"]
    # What is lost comes first: a long table is read, and cut, from its end.
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
    said = ", ".join(f"{count} to {action}" for action, count in counts.items())
    if not _DANGEROUS & counts.keys():
        return f"**{said}.**"
    return f"> [!WARNING]\n> **{said}.** What is replaced or deleted goes with what it holds."


def _row(stack: str, change: PlannedChange) -> str:
    action = f"⚠️ **{change.action}**" if change.action in _DANGEROUS else change.action
    what = ", ".join(
        f"**{_code(name)}**" if name in change.because.split(", ") else _code(name)
        for name in change.what.split(", ")
        if name
    )
    return (
        f"| {_code(stack)} | {action} | {_code(change.logical_id)} | {_code(change.resource_type)} | {what} |"
    )


def _pipeline_text(plan: PipelinePlan | str, left: int) -> str:
    if isinstance(plan, str):
        return _text(plan)
    lines = difference(plan.old, plan.new)
    if not lines:
        return f"{_code(plan.name)} is up to date, nothing would change."
    added, removed = (
        sum(line.startswith(sign) and not line.startswith(sign * 3) for line in lines) for sign in "+-"
    )
    what = "would change" if plan.old else "is new"
    said = f"{_code(plan.name)} {what}: {added} lines added, {removed} removed."
    if places := _secrets(plan):
        return (
            f"{said} They are not shown, for there seems to be a secret at {', '.join(map(_code, places))}."
        )
    head = f"{said}\n\n<details><summary>Definition</summary>\n\n"
    return head + _fenced(lines, left - len(head) - len("\n\n</details>")) + "\n\n</details>"


def _secrets(plan: PipelinePlan) -> list[str]:
    definitions = [each.definition for each in (plan.old, plan.new) if each]
    faults = [fault.path for text in definitions for fault in secret_faults(json.loads(text), "$")]
    return list(dict.fromkeys(faults))


def _fenced(lines: Sequence[str], left: int) -> str:
    """Return lines in a fence that nothing in them ends, as many as there is room for."""
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


def _cost_lines(costs: Costs) -> list[str]:
    total = sum(line.usd_per_month for line in costs.standing)
    rows = [f"| {line.what} | {line.usd_per_month:.2f} a month |" for line in costs.standing]
    if costs.run:
        usd = "unknown" if costs.run.usd is None else _amount(costs.run.usd)
        rows.append(f"| **One execution**: {costs.run.basis} | **{usd}** |")
    return [
        "\n".join(
            ["| | USD |", "| --- | --- |", f"| **Standing resources** | **{total:.2f} a month** |", *rows]
        ),
        f"An estimate from prices of {costs.region} as of {costs.as_of}, without what depends on use: "
        "storage, requests, traffic, logs, Studio.",
    ]


def _amount(usd: float) -> str:
    return "less than 0.01" if 0 < usd < 0.005 else f"{usd:.2f}"


def _code(text: str) -> str:
    """Return text that Markdown leaves as it is, also within a table."""
    return f"`{text.replace('`', chr(39)).replace('|', chr(92) + '|')}`"


def _text(text: str) -> str:
    """Return a message as a quotation, as it stands."""
    return "\n".join(f"> {line}" for line in text.replace("<", "&lt;").replace("@", "&#64;").splitlines())
