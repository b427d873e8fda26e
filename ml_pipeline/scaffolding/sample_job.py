"""Replaces the job for the template's sample data with a fork's own job."""

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
    """Begin the first pipeline with a generated step, which has a sample of its own.

    Args:
        files: of the checkout.
        answers: its `Step` is the name of the new step.
    """
    step = first_step(DEFAULT_PIPELINE, answers.Step)
    files.delete(_MODULE)  # and generated instead
    for path, text in step.files.items():
        files.create(path, text)
    base = f"{_PARAMS}/{BASE}"
    for path in list(files.below(_PARAMS)):
        document = files.document(path)
        kept: dict[str, Any] = {key: value for key, value in document.items() if not _ITS_KEYS.fullmatch(key)}
        if path == base:
            kept["pipeline_name"] = f"{answers.ProjectName}-${{Environment}}"
            kept["trial"] = answers.ProjectName
            kept["steps"] = {answers.Step: step.section}
        files.write(path, kept)


def mentions(root: Path) -> list[str]:
    """Return the pages that still describe the sample."""
    pages = [root / "README.md", *sorted((root / "docs").glob("*.md"))]
    return [
        page.relative_to(root).as_posix()
        for page in pages
        if "abalone" in page.read_text(encoding="utf-8").lower()
    ]
