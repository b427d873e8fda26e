"""Collects the report of an execution from AWS.

Data that cannot be read is listed in the report with the reason. It does not prevent the report.
"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from helpers.pricing import load_prices
from helpers.spark.event_log import profile
from helpers.spark.event_log.reading import EventLogError
from ml_pipeline.execution_report.comparison import differences
from ml_pipeline.execution_report.costs import total
from ml_pipeline.execution_report.data_sets import read_data_sets
from ml_pipeline.execution_report.execution import Execution, read_execution
from ml_pipeline.execution_report.links import execution_links
from ml_pipeline.execution_report.model import DataSet, ExecutionReport, Previous, Rejected, SparkRun, Step
from ml_pipeline.execution_report.provenance import provenance_at, starter_of
from ml_pipeline.execution_report.rejected_rows import OUTPUT, read_rejected
from ml_pipeline.execution_report.spark_run import spark_run
from ml_pipeline.execution_report.steps import steps_of
from ml_pipeline.executions.executions import (
    MODEL_PACKAGE,  # part: model life cycle
    list_executions,
)
from ml_pipeline.executions.jobs import PROCESSING
from ml_pipeline.executions.outcome import StepOutcome
from ml_pipeline.project import Project
from ml_pipeline.registry.model_card import card_facts  # part: model life cycle
from ml_pipeline.registry.packages import describe  # part: model life cycle
from ml_pipeline.spark.event_logs import job_logs

if TYPE_CHECKING:
    from helpers.pricing import Prices


WITHOUT_DATA = "Rejected rows and columns are left out: this report was written without values of the data."


def collect(project: Project, arn: str, *, with_data: bool = True) -> ExecutionReport:
    """Return the report of an execution, compared with the latest successful execution before it.

    Args:
        project: the pipeline.
        arn: ARN of the execution.
        with_data: whether to read rejected rows and the values of columns.

    Raises:
        ClientError: the execution does not exist, or you do not have permission to read it.
        UserError: the price file is not valid.
    """
    prices = load_prices()
    execution = read_execution(project.session, arn)
    report = _without_data(project, execution, prices)
    before = _previous(project, execution)
    earlier = read_execution(project.session, before) if before else None
    steps = [_with_spark_run(project, step, execution) for step in report.steps]
    steps = [_with_card(project, step) for step in steps]  # part: model life cycle
    if with_data:
        steps = [_with_data(project, step, execution, earlier) for step in steps]
    else:
        report = replace(report, missing=(*report.missing, WITHOUT_DATA))
    report = replace(report, steps=tuple(steps))
    if earlier is None:
        missing = "No earlier execution of this pipeline succeeded, so there is nothing to compare with."
        return replace(report, missing=(*report.missing, missing))
    changed = differences(_without_data(project, earlier, prices), report)
    return replace(report, previous=Previous(earlier.snapshot.arn, earlier.started, changed))


def _previous(project: Project, execution: Execution) -> str | None:
    """Return the ARN of the latest successful execution before this one, or None."""
    for each in list_executions(project.session.client("sagemaker"), project.target):
        if each.started < execution.started and each.status == "Succeeded":
            return each.arn
    return None


def _without_data(project: Project, execution: Execution, prices: "Prices") -> ExecutionReport:
    """Return a report without data that is read from outputs and event logs."""
    now = datetime.now(UTC)
    snapshot = execution.snapshot
    steps = steps_of(project, execution, prices, now)
    provenance, problem = provenance_at(project, execution.started)
    endings = [step.ended for step in steps if step.ended]
    return ExecutionReport(
        environment=str(project.environment),
        pipeline=project.name,
        arn=snapshot.arn,
        status=snapshot.status,
        started=execution.started,
        ended=max(endings, default=execution.modified) if snapshot.over else None,
        written=now,
        steps=steps,
        failure_reason=snapshot.failure_reason,
        started_by=starter_of(execution.description),
        cost=total(step.cost for step in steps),
        prices_region=prices.region,
        prices_as_of=prices.as_of,
        provenance=provenance,
        links=execution_links(project, snapshot.arn),
        missing=(*execution.missing, *problem),
    )


# begin: model life cycle
def _with_card(project: Project, step: Step) -> Step:
    """Return a step with the model card of the model version that it registered."""
    arn = dict(step.results).get(MODEL_PACKAGE)
    if not arn:
        return step
    try:
        package = describe(project.session.client("sagemaker"), arn)
    except ClientError as error:
        return replace(step, missing=(*step.missing, f"The model card cannot be read: {_reason(error)}."))
    return replace(step, results=(*step.results, *card_facts(package.card)))


# end: model life cycle
def _with_spark_run(project: Project, step: Step, execution: Execution) -> Step:
    """Return a step with the analysis of its Spark event log."""
    outcome = execution.outcome_by_step.get(step.name)
    if outcome is None or not outcome.job or outcome.job_kind is not PROCESSING:
        return step
    run, without_run = _spark_run(project, outcome)
    return replace(step, spark=run, missing=(*step.missing, *without_run))


def _with_data(project: Project, step: Step, execution: Execution, earlier: Execution | None) -> Step:
    """Return a step with its rejected rows and the columns of its outputs."""
    outcome = execution.outcome_by_step.get(step.name)
    if outcome is None or not outcome.job or outcome.report is None:
        return step
    s3 = project.session.client("s3")
    rejected, without_rejected = _rejected(project, outcome)
    before = earlier.outcome_by_step.get(step.name) if earlier else None
    data_sets: tuple[DataSet, ...]
    data_sets, without_columns = read_data_sets(s3, outcome.report, before.report if before else None)
    missing = (*step.missing, *without_rejected, *without_columns)
    return replace(step, rejected=rejected, data_sets=data_sets, missing=missing)


def _spark_run(project: Project, outcome: StepOutcome) -> tuple[SparkRun | None, tuple[str, ...]]:
    """Return the analysis of the event log of a job, or the reason why there is none."""
    try:
        log = next(job_logs(project, [outcome]), None)
        if log is not None:
            return spark_run(profile.read(log.uri, project.session.client("s3"))), ()
    except (EventLogError, ClientError) as error:
        return None, (f"The Spark event log cannot be read: {_reason(error)}.",)
    where = f" below {outcome.event_logs}" if outcome.event_logs else ": the step has no output for it"
    return None, (f"There is no Spark event log{where}.",)


def _rejected(project: Project, outcome: StepOutcome) -> tuple[Rejected | None, tuple[str, ...]]:
    """Return the rejected rows of a job, or the reason why they are not shown."""
    report = outcome.report
    if report is None or not report.rows_rejected:
        return None, ()
    try:
        rejected = read_rejected(project.session.client("s3"), report)
    except ClientError as error:
        return None, (f"The rejected rows cannot be read: {_reason(error)}.",)
    if rejected is None:
        output = f"output {OUTPUT} of JSON lines with file, line and reason (docs/job-report.md)"
        return None, (f"Rejected rows are not shown: the job has no {output}.",)
    return rejected, ()


def _reason(error: Exception) -> str:
    return (
        error.response["Error"]["Code"]
        if isinstance(error, ClientError)
        else getattr(error, "message", str(error))
    )
