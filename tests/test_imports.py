"""The import contracts in pyproject.toml are kept, and each of them detects violations."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGES = ("helpers", "ml_pipeline")


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts of a checkout."""
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--no-cache", "--no-logo", "pyproject.toml"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )


@pytest.fixture
def checkout(tmp_path: Path, repository: Path) -> Path:
    """A copy of the packages and their contracts."""
    for package in PACKAGES:
        for path in (repository / package).rglob("*.py"):
            copy = tmp_path / path.relative_to(repository)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    shutil.copy(repository / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_contracts_hold(repository: Path) -> None:
    done = lint(repository)

    assert done.returncode == 0, done.stdout
    assert " 0 broken" in done.stdout


@pytest.mark.parametrize(
    ("file", "imported", "contract"),
    [
        ("ml_pipeline/params/model.py", "ml_pipeline.releases.upsert", "The floors of ml_pipeline"),
        ("ml_pipeline/definitions.py", "ml_pipeline.project", "The floors of ml_pipeline"),
        ("ml_pipeline/releases/upsert.py", "ml_pipeline.commands.plan", "The floors of ml_pipeline"),
        ("ml_pipeline/controls/rules.py", "ml_pipeline.executions.target", "The floors of ml_pipeline"),
        ("ml_pipeline/more/new.py", "ml_pipeline.params", "The floors of ml_pipeline"),
        ("ml_pipeline/params/documents.py", "ml_pipeline.params.loading", "No circles"),
        ("helpers/errors.py", "helpers.aws", "No circles"),
        (
            "ml_pipeline/execution_report/page/graph.py",
            "ml_pipeline.executions.executions",
            "The page of an execution report knows nothing of AWS",
        ),
        ("helpers/s3.py", "ml_pipeline.params", "Helpers know nothing of pipelines"),
        ("helpers/aws.py", "helpers.local_aws.server", "Nothing imports the embedded AWS"),
        ("ml_pipeline/project.py", "helpers.local_aws.server", "Nothing imports the embedded AWS"),
        (
            "helpers/local_aws/studio.py",
            "helpers.infra.constraints",
            "The embedded AWS does not know its client",
        ),
    ],
)
def test_an_import_that_breaks_a_contract_is_reported(
    file: str, imported: str, contract: str, checkout: Path
) -> None:
    path = checkout / file
    if not path.exists():
        path.parent.mkdir()
        (path.parent / "__init__.py").write_text("")
        path.write_text("")
    path.write_text(f"{path.read_text()}\n\ndef broken():\n    import {imported}\n")

    done = lint(checkout)

    assert done.returncode == 1
    (broken,) = [line for line in done.stdout.splitlines() if line.startswith(contract) and "BROKEN" in line]
    assert broken


def test_jobs_import_nothing_of_the_repository_but_each_other(repository: Path) -> None:
    """SageMaker runs them without the repository."""
    jobs = sorted((repository / "spark_jobs").rglob("*.py"))
    imported = {
        (path.name, name.partition(".")[0]) for path in jobs for name in imports(ast.parse(path.read_text()))
    }

    assert jobs
    assert {(job, name) for job, name in imported if name in {*PACKAGES, "spark_jobs", "tests"}} == set()


def imports(tree: ast.AST) -> list[str]:
    """Return the names of all modules that the code imports."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
    return found


def test_imports_are_found_wherever_they_stand() -> None:
    assert imports(ast.parse("def f():\n    import helpers.aws\n    from ml_pipeline.params import x")) == [
        "helpers.aws",
        "ml_pipeline.params",
    ]
