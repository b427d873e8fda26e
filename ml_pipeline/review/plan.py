"""Computes what a deployment and an upsert would change, and what the environment costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from helpers.aws import connect
from helpers.environments import Environment
from helpers.errors import UserError
from helpers.infra.stacks.configuration import load_stacks
from helpers.infra.stacks.fixed_costs import CostLine, fixed_costs
from helpers.infra.stacks.offerings import missing_offerings
from helpers.infra.stacks.outputs import missing_stacks
from helpers.infra.stacks.plan import StackPlan, plan_all
from helpers.infra.stacks.regional_values import with_regional_values
from helpers.pricing import Prices, load_prices
from ml_pipeline.definitions import Registration
from ml_pipeline.executions.executions import list_executions
from ml_pipeline.executions.quotas import instances_needed, insufficient_quotas
from ml_pipeline.executions.target import select_pipelines
from ml_pipeline.project import Project, open_projects
from ml_pipeline.releases.registration import difference, registered
from ml_pipeline.review.cost import RunCost, run_cost, step_seconds

if TYPE_CHECKING:
    from boto3 import Session

    from helpers.infra.stacks.configuration import StackConfiguration


@dataclass(frozen=True)
class PipelinePlan:
    """A pipeline: as registered, as defined by this checkout, and the cost of an execution."""

    name: str
    old: Registration | None
    new: Registration
    cost: RunCost | None = None

    @property
    def difference(self) -> list[str]:
        """The lines of a unified diff; empty if nothing would change."""
        return difference(self.old, self.new)


@dataclass(frozen=True)
class Plan:
    """The plan of an environment."""

    environment: str
    account: str
    """The account ID. Comments do not show it, because they may be public."""
    stacks: Sequence[StackPlan]
    pipelines: Sequence[PipelinePlan]
    fixed_costs: Sequence[CostLine]
    prices_as_of: date
    prices_region: str
    waiting: str = ""
    """Why the pipelines cannot be planned yet: stacks are missing."""
    problem: str = ""
    """Why the pipelines cannot be built."""
    shortages: Sequence[str] = ()
    """What availability zones and quotas of the account lack for this environment."""


def make_plan(environment: Environment, pipelines: str) -> Plan:
    """Return what a deployment and an upsert would change. Nothing is changed.

    Args:
        environment: the environment.
        pipelines: the name of a pipeline, or `all`.

    Raises:
        UserError: a stack cannot be planned.
    """
    session = connect(environment)
    stacks = with_regional_values(session.client("ec2"), load_stacks(environment))
    changes = list(plan_all(session.client("cloudformation"), stacks))
    prices = load_prices()
    waiting, problem, planned = waits_for(session, environment), "", []
    if not waiting:
        try:
            planned = [_pipeline_plan(each, prices) for each in open_projects(environment, pipelines)]
        except UserError as error:
            problem = str(error)
    return Plan(
        environment,
        session.client("sts").get_caller_identity()["Account"],
        changes,
        planned,
        fixed_costs(stacks, prices),
        prices.as_of,
        prices.region,
        waiting,
        problem,
        _shortages(session, environment, pipelines, stacks),
    )


def waits_for(session: "Session", environment: Environment) -> str:
    """Return why pipelines cannot be planned yet, or an empty string."""
    missing = missing_stacks(session.client("cloudformation"), environment)
    if not missing:
        return ""
    return f"The pipelines cannot be planned before the stacks are deployed: {', '.join(missing)}."


def _shortages(
    session: "Session", environment: Environment, pipelines: str, stacks: Sequence["StackConfiguration"]
) -> list[str]:
    needed = instances_needed(environment, select_pipelines(pipelines))
    return [
        *missing_offerings(session.client("ec2"), stacks, {each.instance_type for each in needed}),
        *insufficient_quotas(session.client("service-quotas"), needed),
    ]


def _pipeline_plan(project: Project, prices: Prices) -> PipelinePlan:
    sagemaker = project.session.client("sagemaker")
    old = registered(sagemaker, project.name)
    seconds = step_seconds(sagemaker, list_executions(sagemaker, project.target)) if old else {}
    cost = run_cost(project.parameters.jobs, seconds, prices)
    return PipelinePlan(project.name, old, project.registration, cost)
