"""A job of a fork's own in place of the one on the template's sample data."""

import posixpath
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from ml_pipeline.params.files import BASE, DEFAULT_PIPELINE
from ml_pipeline.scaffolding.answers import SAMPLE_JOB, Answers
from ml_pipeline.scaffolding.edited_files import EditedFiles
from ml_pipeline.scaffolding.files import first_step

ABOUT_IT = (
    SAMPLE_JOB,
    "spark_jobs/sample_data/abalone.csv",
    "spark_jobs/sample_data/README.md",
    "tests/spark_jobs/test_process_pyspark.py",
    "tests/spark_jobs/test_oracle.py",
    "tests/spark_jobs/oracle.py",
    "spark_jobs/sample_data/abalone_to_score.csv",
    "spark_jobs/abalone_model.py",  # and the pipelines of a model of it
    "spark_jobs/prepare_training_data.py",
    "spark_jobs/evaluate_model.py",
    "spark_jobs/prepare_scoring_data.py",
    "spark_jobs/post_process_predictions.py",
    "ml_pipeline/pipelines/train.py",
    "ml_pipeline/pipelines/score.py",
    "ml_pipeline/params/pipelines/train.json",
    "ml_pipeline/params/pipelines/score.json",
    "tests/spark_jobs/test_model_jobs.py",
    "tests/spark_jobs/model_quality/cost.py",
    "tests/e2e/test_model_life_cycle.py",
    "tests/bench",  # the measurements of that job, and what kills it while it writes
    "tests/faults",
    "docs/benchmarks",
    "docs/benchmarks.json",
    "docs/benchmarks.md",
    "requirements-bench.txt",
)
"""The sample job, with all that is about it alone."""
_ITS_KEYS = re.compile(
    "pyspark_process_(?!role|volume_kms|output_kms).*|pyspark_(helper|library)_code|spark_config_file"
)
_PARAMS = "ml_pipeline/params"
_MODULE = f"ml_pipeline/pipelines/{DEFAULT_PIPELINE}.py"
PASSAGES = {
    "NOTICE": re.compile(r"\nspark_jobs/sample_data/abalone\.csv .*?\n(?=\n)", re.DOTALL),
    "README.md": re.compile(
        r"The sample data is \[Abalone\].*? (?=The code)|^\|[^\n]*docs/benchmarks\.md\)[^\n]*\n",
        re.DOTALL | re.MULTILINE,
    ),
    "docs/platform-engineer.md": re.compile(r"^\d\. Run `make bench`\..*\n", re.MULTILINE),
    "docs/embedded-aws.md": re.compile(r"; `make bench` uses neither"),
    "pyproject.toml": re.compile(r"^bench = .*\n", re.MULTILINE),
    "Makefile": re.compile(
        r"^(?:bench|bench-check|faults|\$\(BENCH\)/ready):.*\n(?:\t.*\n)*"
        r"|^(?:#: )?(?:ROWS|ROUNDS|RESULTS|KILLS|BENCH) .*\n"
        r"|^\t\$\(LOCK\) --group bench .*\n"
        r"|(?<=lint-workflows) bench bench-check faults",
        re.MULTILINE,
    ),
}
"""The passages on its data and its measurements, and the targets that measure it."""
_PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
_LINK = re.compile(r"\[([^\[\]]+)\]\(([^()#\s]+)(?:#[^()\s]*)?\)")


def replace_sample_job(files: EditedFiles, answers: Answers) -> None:
    """Remove the sample job, and begin the first pipeline with a generated step that has a sample of its own.

    Args:
        files: of the checkout.
        answers: its `Step` is the name of the new step.
    """
    deleted = {file for path in ABOUT_IT for file in _files_of(files.root, path)}
    for path in deleted:
        files.delete(path)
    for path, passage in PASSAGES.items():
        if files.exists(path):
            files.text(path, passage.sub("", files.read(path)))
    for page in (*_PAGES, *files.below("docs", "*.md")):
        if files.exists(page):
            files.text(page, without_links(files.read(page), page, deleted))
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


def without_links(text: str, page: str, deleted: Collection[str]) -> str:
    """Return the text of a page in which links to deleted files are their texts alone.

    Args:
        text: Markdown.
        page: the path of the page in the repository.
        deleted: paths in the repository.
    """

    def unlinked(link: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(page), link[2]))
        return link[1] if target in deleted else link[0]

    return _LINK.sub(unlinked, text)


def _files_of(root: Path, path: str) -> Iterator[str]:
    """Yield a file, or all files of a folder that git would keep."""
    there = root / path
    found = [there] if there.is_file() else sorted(there.rglob("*"))
    for file in found:
        if file.is_file() and "__pycache__" not in file.parts:
            yield file.relative_to(root).as_posix()


def mentions(root: Path) -> list[str]:
    """Return the pages that still describe the sample."""
    pages = [root / "README.md", *sorted((root / "docs").glob("*.md"))]
    return [
        page.relative_to(root).as_posix()
        for page in pages
        if "abalone" in page.read_text(encoding="utf-8").lower()
    ]
