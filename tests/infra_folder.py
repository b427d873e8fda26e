"""Folders like `infra/` for projects of tests, with other names than those of the repository."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory

from helpers.environments import LOCAL, file_of, read_settings
from helpers.infra.stacks import StackConfiguration, load_stacks

INFRA = Path(__file__).parents[1] / "infra"
TEMPLATES = (
    *("keys", "network", "storage", "identity", "operations"),
    "models",  # part: model life cycle
    "studio",  # part: Studio
    "github_oidc",
)
PARAMETERS = {
    "VpcCidr": "10.0.0.0/16",
    "BreakGlassPrincipalArns": "arn:aws:iam::*:root",
    "NoncurrentVersionDays": "7",
    "FlowLogDays": "30",
    "AlarmEmail": "alarms@example.com",
    "MonthlyBudgetUsd": "100",
    "RecordsDataEvents": "true",
    "ProtectsBoundaries": "false",
    "RetainsProvider": "false",
    "ScoringPipelineName": "scoring-local",  # part: model life cycle
    "RetrainingPipelineName": "training-local",  # part: model life cycle
    "ReaderAccountIds": "999999999999",  # part: model life cycle
}
"""Parameters of the templates, with which all conditional resources are created."""


def write_project(infra: Path, project: str) -> Path:
    """Create a project's folder in the region of the embedded AWS; return that of its parameter files."""
    region = read_settings(INFRA / "parameters" / file_of(LOCAL)).region
    names = {"ProjectName": project, "Owner": "a-team", "Repository": "owner/name", "Region": region}
    parameters = infra / "parameters"
    parameters.mkdir(parents=True, exist_ok=True)
    (infra / "project.json").write_text(json.dumps(names))
    return parameters


def write_templates(
    infra: Path,
    project: str,
    environment: str = LOCAL,
    templates: tuple[str, ...] = TEMPLATES,
    *,
    protected: bool = False,
    **parameters: str,
) -> Path:
    """Create a folder with the repository's templates and one environment; return its parameter file."""
    path = write_project(infra, project) / file_of(environment)
    texts = {name: (INFRA / f"{name}.yaml").read_text() for name in templates}
    for name, text in texts.items():
        (infra / f"{name}.yaml").write_text(text)
    declared = "".join(texts.values())
    given = {key: value for key, value in PARAMETERS.items() if f"\n  {key}:\n" in declared}
    content = {"Protected": protected, "Stacks": templates, "Parameters": {**given, **parameters}}
    path.write_text(json.dumps(content))
    return path


def every_stack(project: str, environment: str = LOCAL, **parameters: str) -> tuple[StackConfiguration, ...]:
    """Return a stack per template for an environment of a project."""
    with TemporaryDirectory() as folder:
        write_templates(Path(folder), project, environment, **parameters)
        return load_stacks(environment, Path(folder))  # type: ignore[arg-type]  # of any name
