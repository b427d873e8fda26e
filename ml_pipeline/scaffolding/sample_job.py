"""Replaces the job for the sample data of the template with a generated job of the fork."""

import re
from pathlib import Path
from typing import Any

from ml_pipeline.params.files import BASE, DEFAULT_PIPELINE
from ml_pipeline.scaffolding.answers import Answers
from ml_pipeline.scaffolding.edited_files import EditedFiles
from ml_pipeline.scaffolding.files import first_step

_ITS_KEYS = re.compile(
    "pyspark_process_(?!role|volume_kms|output_kms).*|pyspark_(helper|library)_code|spark_config_file"
)
_PARAMS = "ml_pipeline/params"
_MODULE = f"ml_pipeline/pipelines/{DEFAULT_PIPELINE}.py"


def replace_sample_job(files: EditedFiles, answers: Answers) -> None:
    """Replace the step of the first pipeline with a generated step, which has its own sample data.

    Args:
        files: the files of the checkout.
        answers: the answers; `Step` is the name of the new step.
    """
    step = first_step(DEFAULT_PIPELINE, answers.Step)
    files.delete(_MODULE)  # a generated module replaces it
    for path, text in step.files.items():
        files.create(path, text)
    base = f"{_PARAMS}/{BASE}"
    for path in list(files.paths_in(_PARAMS)):
        document = files.document(path)
        kept: dict[str, Any] = {key: value for key, value in document.items() if not _ITS_KEYS.fullmatch(key)}
        if path == base:
            kept["pipeline_name"] = f"{answers.ProjectName}-${{Environment}}"
            kept["trial"] = answers.ProjectName
            kept["steps"] = {answers.Step: step.section}
        files.write(path, kept)


def mentions(root: Path) -> list[str]:
    """Return the paths of pages that still describe the sample data."""
    pages = [root / "README.md", *sorted((root / "docs").glob("*.md"))]
    return [
        page.relative_to(root).as_posix()
        for page in pages
        if "abalone" in page.read_text(encoding="utf-8").lower()
    ]
