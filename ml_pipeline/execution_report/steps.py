"""Combines the definition, the SageMaker steps and the job reports of an execution into its steps."""

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from ml_pipeline.execution_report import model
from ml_pipeline.execution_report.costs import cost_of_jobs
from ml_pipeline.execution_report.definition import DefinedStep, defined_steps
from ml_pipeline.execution_report.execution import Execution
from ml_pipeline.execution_report.jobs import jobs_of_step
from ml_pipeline.execution_report.links import step_links
from ml_pipeline.execution_report.timeline import spans_of
from ml_pipeline.executions.job_report import Report, shown
from ml_pipeline.executions.jobs import PROCESSING
from ml_pipeline.executions.outcome import StepOutcome

if TYPE_CHECKING:
    from helpers.pricing import Prices
    from ml_pipeline.project import Project


def steps_of(
    project: "Project", execution: Execution, prices: "Prices", now: datetime
) -> tuple[model.Step, ...]:
    """Return the steps of an execution in the order of the definition, including those that did not start.

    Args:
        project: the pipeline.
        execution: the execution.
        prices: the prices for cost estimates.
        now: the end of jobs that are still running.
    """
    defined = defined_steps(project.session.client("s3"), execution.definition)
    outcomes = execution.outcome_by_step
    steps = []
    for name in dict.fromkeys([*defined, *outcomes]):
        step = _defined(name, defined.get(name, DefinedStep()))
        if name in outcomes:
            step = _executed(project, execution, step, outcomes[name], prices, now)
        steps.append(step)
    return tuple(steps)


def _defined(name: str, step: DefinedStep) -> model.Step:
    return model.Step(
        name,
        model.NOT_STARTED,
        after=step.after,
        image=step.image,
        code=step.code,
        packages=step.packages,
        missing=("The step did not start: it has no job, log, report or event log.", *step.missing),
    )


def _executed(
    project: "Project",
    execution: Execution,
    step: model.Step,
    outcome: StepOutcome,
    prices: "Prices",
    now: datetime,
) -> model.Step:
    listed, arn = outcome.step, execution.snapshot.arn
    jobs = jobs_of_step(execution.jobs, arn.rpartition("/")[2], listed.name, outcome.job)
    cost = cost_of_jobs(jobs, prices, now) if jobs else None
    if listed.reused_from:
        jobs, cost = (), model.Cost(0.0, "result reused")
    executed = replace(
        step,
        status=listed.status,
        attempts=0 if listed.reused_from else max(listed.attempts, len(jobs)),
        spans=spans_of(listed, jobs, execution.started),
        failure_reason=listed.failure_reason,
        exception=outcome.exception,
        reused_from=listed.reused_from,
        cost=cost,
        results=outcome.results,
        links=step_links(project, arn, outcome),
        missing=(*_missing(outcome), *step.missing[1:]),
    )
    return _reported(executed, outcome.report) if outcome.report else executed


def _reported(step: model.Step, report: Report) -> model.Step:
    failed = report.failed_checks
    return replace(
        step,
        rows_in=report.rows_in,
        rows_rejected=report.rows_rejected,
        outputs=tuple(
            model.Output(name, output.folder, output.rows, output.files, output.format)
            for name, output in report.outputs.items()
        ),
        checks=tuple(
            model.Check(check.name, shown(check.expected), shown(check.actual), number not in failed)
            for number, check in enumerate(report.checks)
        ),
        seconds=report.seconds,
    )


def _missing(outcome: StepOutcome) -> tuple[str, ...]:
    """Return the reasons why data about a step's job is missing."""
    if outcome.job and outcome.job_kind is not PROCESSING:
        return outcome.notes
    if outcome.job:
        if outcome.step.status == "Failed":
            reason = "The job failed before it published a report: rows and outputs are not known."
            return (reason, *outcome.notes)
        return (*outcome.report_problems, *outcome.notes)
    if outcome.step.status == "Failed":
        return ("The step failed before its job started: it has no log, report or event log.",)
    if outcome.results:
        return outcome.notes
    return ("The step has no job, so it has no log, report or event log.", *outcome.notes)
