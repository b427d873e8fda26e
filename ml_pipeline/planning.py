"""What would change, what has drifted, and which controls are lacking: the commands that only look."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from helpers.aws import connect
from helpers.environments import Environment
from helpers.errors import UserError
from helpers.infra.stacks.configuration import load_stacks
from helpers.infra.stacks.drift import DRIFTED, find_drift, show_drift
from helpers.infra.stacks.drift import as_document as drift_document
from helpers.infra.stacks.outputs import undeployed
from helpers.infra.stacks.plan import plan_all
from helpers.infra.stacks.regional_values import with_regional_values
from helpers.infra.stacks.standing_costs import standing_costs
from helpers.pricing import load_prices
from ml_pipeline.checks import findings
from ml_pipeline.cost import run_cost, run_seconds
from ml_pipeline.executions import list_executions
from ml_pipeline.history import entries
from ml_pipeline.params.documents import read_document
from ml_pipeline.pipeline_drift import PipelineDrift, pipeline_drift
from ml_pipeline.pipeline_drift import as_document as pipeline_document
from ml_pipeline.pipeline_drift import lines as pipeline_lines
from ml_pipeline.plan_markdown import Costs, PipelinePlan, section
from ml_pipeline.project import Project, open_project, say
from ml_pipeline.registration import difference, registered

if TYPE_CHECKING:
    from boto3 import Session
    from rich.console import Console


def check(project: Project, console: "Console") -> int:
    """Tell which controls the steps of the pipeline lack."""
    return _tell_findings(project.name, json.loads(project.registration.definition), console)


def check_file(path: Path, console: "Console") -> int:
    """Tell which controls the steps of a definition in a file lack; nothing is asked of AWS.

    Raises:
        UserError: the file holds no definition.
    """
    if not path.is_file():
        raise UserError(f"{path}: there is no such file")
    document = read_document(path)
    return _tell_findings(document.name, document.values, console)


def _tell_findings(name: str, definition: Mapping[str, Any], console: "Console") -> int:
    found = findings(definition)
    for finding in found:
        say(console, f"{name}: {finding}")
    say(console, f"{name}: {len(found) or 'no'} finding{'s' * (len(found) != 1)}")
    return 1 if found else 0


def plan(environment: Environment, console: "Console") -> int:
    """Show what `upsert` would change."""
    if waiting := _waits_for(connect(environment), environment):
        say(console, waiting)
        return 0
    project = open_project(environment)
    old = registered(project.session.client("sagemaker"), project.name)
    lines = difference(old, project.registration)
    if old is None:
        say(console, f"{project.name} is new:")
    if not lines:
        say(console, f"{project.name} is up to date, nothing would change.")
    for line in lines:
        style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
        console.print(Text(line, style=style), soft_wrap=True)
    return 0


def plan_markdown(environment: Environment) -> int:
    """Print what a deployment and an upsert would change, and what it costs, as Markdown.

    Returns:
        1 when the pipeline cannot be made of its parameters, which the text then says.
    """
    session = connect(environment)
    stacks = with_regional_values(session.client("ec2"), load_stacks(environment))
    changes = list(plan_all(session.client("cloudformation"), stacks))
    pipeline: PipelinePlan | str = _waits_for(session, environment)
    prices, code, run = load_prices(), 0, None
    if not pipeline:
        try:
            project = open_project(environment)
            sagemaker = session.client("sagemaker")
            old = registered(sagemaker, project.name)
            pipeline = PipelinePlan(project.name, old, project.registration)
            executions = list_executions(sagemaker, project.name, environment) if old else []
            run = run_cost(project.parameters, run_seconds(sagemaker, executions), prices)
        except UserError as error:
            pipeline, code = f"The pipeline cannot be made: {error}", 1
    costs = Costs(prices.as_of, prices.region, standing_costs(stacks, prices), run)
    account = session.client("sts").get_caller_identity()["Account"]
    print(section(environment, changes, pipeline, costs, account), end="")
    return code


def drift(environment: Environment, console: "Console", *, as_json: bool) -> int:
    """Tell the drift of the stacks and of the pipeline; nothing is changed.

    Returns:
        3 where there is any.
    """
    session = connect(environment)
    stacks = with_regional_values(session.client("ec2"), load_stacks(environment))
    found = find_drift(session.client("cloudformation"), session.client("iam"), stacks)
    waiting = _waits_for(session, environment)
    pipeline = None if waiting else _pipeline_drift(open_project(environment))
    drifted = any(found) or bool(pipeline)
    if as_json:
        document = drift_document(environment, found)
        said = pipeline_document(pipeline) if pipeline is not None else None
        print(json.dumps({**document, "drifted": drifted, "pipeline": said}, indent=2))
    else:
        show_drift(environment, found, console)
        for line in [waiting] if pipeline is None else pipeline_lines(pipeline, environment):
            say(console, line)
    return DRIFTED if drifted else 0


def _pipeline_drift(project: Project) -> PipelineDrift:
    there = registered(project.session.client("sagemaker"), project.name)
    newest = next(entries(project.session.client("s3"), project.artifact_bucket), None)
    return pipeline_drift(project.name, there, newest, project.registration)


def _waits_for(session: "Session", environment: Environment) -> str:
    """Return why a pipeline cannot be planned yet, or an empty string."""
    missing = undeployed(session.client("cloudformation"), environment)
    if not missing:
        return ""
    return f"The pipeline cannot be planned before the stacks are deployed: {', '.join(missing)}."
