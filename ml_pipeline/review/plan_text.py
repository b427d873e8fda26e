"""Renders a plan for a terminal."""

from typing import TYPE_CHECKING

from rich.text import Text

from helpers.command_line import print_line
from helpers.infra.stacks.plan import show_plan
from ml_pipeline.review.plan import PipelinePlan, Plan

if TYPE_CHECKING:
    from rich.console import Console

_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def show(plan: Plan, console: "Console") -> None:
    """Print a plan."""
    for stack in plan.stacks:
        show_plan(stack, console)
    for line in filter(None, (*plan.shortages, plan.waiting, plan.problem)):
        print_line(console, line)
    for pipeline in plan.pipelines:
        _show_pipeline(pipeline, console)
    fixed = sum(line.usd_per_month for line in plan.fixed_costs)
    print_line(console, f"Fixed cost of {plan.environment}: about {fixed:.2f} USD a month.")
    for pipeline in plan.pipelines:
        for step in pipeline.cost.steps if pipeline.cost else ():
            usd = "an unknown amount" if step.usd is None else f"about {format_usd(step.usd)} USD"
            print_line(console, f"An execution of {pipeline.name}, step {step.step}: {usd}; {step.basis}.")


def format_usd(usd: float) -> str:
    """Return an amount in USD with two decimals, or "less than 0.01"."""
    return "less than 0.01" if 0 < usd < 0.005 else f"{usd:.2f}"


def _show_pipeline(plan: PipelinePlan, console: "Console") -> None:
    if plan.old is None:
        print_line(console, f"{plan.name} is new:")
    if not plan.difference:
        print_line(console, f"{plan.name} is up to date, nothing would change.")
    for line in plan.difference:
        console.print(Text(line, style=_STYLES.get(line[:1], "")), soft_wrap=True)
