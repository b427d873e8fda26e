"""Files of new pipelines and steps, in a folder with the files that are extended."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.errors import UserError
from ml_pipeline.scaffolding import changes as changes_module
from ml_pipeline.scaffolding.changes import Changes
from ml_pipeline.scaffolding.files import new_pipeline, new_step
from ml_pipeline.scaffolding.json_text import add_member
from ml_pipeline.scaffolding.pipeline_module import add_step

MODULE = "ml_pipeline/pipelines/fares.py"
PARAMETERS = "ml_pipeline/params/pipelines/fares.json"
FIRST_STEP = {
    MODULE,
    PARAMETERS,
    "spark_jobs/prepare_fares.py",
    "spark_jobs/sample_data/fares.csv",
    "tests/spark_jobs/test_prepare_fares.py",
}


PROCESSING = """from ml_pipeline.steps import SparkStep


def steps(params):
    return [
        SparkStep(params["pyspark_process_name"]),
    ]
"""
BASE = """{
  "pyspark_process_name": "clean",
  "pyspark_process_instance_type": "ml.m5.large",
  "pyspark_process_instance_count": 3,
  "network_subnet_ids": ["${PrivateSubnetIds}"],
  "tags": {}
}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The files of a checkout that are read or edited, with a pipeline whose step has additional keys."""
    for folder in ("ml_pipeline/pipelines", "ml_pipeline/params"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "ml_pipeline/pipelines/processing.py").write_text(PROCESSING)
    (tmp_path / "ml_pipeline/params/pipeline_params.json").write_text(BASE)
    return tmp_path


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def added_lines(before: str, after: str) -> list[str]:
    """Return the lines that were added to a text; all other lines must be unchanged and in order."""
    lines = iter(before.splitlines())
    kept, added = next(lines, None), []
    for line in after.splitlines():
        if line == kept:
            kept = next(lines, None)
        else:
            added.append(line)
    assert kept is None, f"changed or removed: {kept}"
    return added


def test_a_pipeline_is_a_module_a_parameter_file_and_a_job_with_its_sample_and_test(root) -> None:
    before = files(root)

    lines = list(new_pipeline("fares", root=root).apply())

    after = files(root)
    assert after.keys() - before.keys() == FIRST_STEP
    assert {path: after[path] for path in before} == before
    assert sorted(lines) == sorted(f"Created {path}" for path in FIRST_STEP)


def test_a_step_is_a_job_with_its_test_a_line_and_a_section(root) -> None:
    list(new_pipeline("fares", root=root).apply())
    before = files(root)

    *_, note = new_step("fares", "summarize", root).apply()

    after = files(root)
    assert note == (
        "summarize reads the data set parquet of output output_table of step prepare-fares. "
        f"To read another one, change steps.summarize.inputs in {PARAMETERS}."
    )
    assert after.keys() - before.keys() == {"spark_jobs/summarize.py", "tests/spark_jobs/test_summarize.py"}
    assert {path for path in before if before[path] != after[path]} == {MODULE, PARAMETERS}
    assert added_lines(before[MODULE].decode(), after[MODULE].decode()) == ['        SparkStep("summarize"),']
    sections = json.loads(after[PARAMETERS])["steps"]
    assert list(sections) == ["prepare-fares", "summarize"]
    assert sections["summarize"]["inputs"] == {
        "input_table": {"step": "prepare-fares", "output": "output_table", "dataset": "parquet"}
    }


def test_a_step_of_the_first_pipeline_reads_the_step_that_has_keys_of_its_own(root) -> None:
    list(new_step("processing", "summarize", root).apply())

    text = (root / "ml_pipeline/params/pipeline_params.json").read_text()
    assert text.startswith(BASE.removesuffix("\n}\n") + ',\n  "steps": {\n    "summarize": {\n')
    section = json.loads(text)["steps"]["summarize"]
    assert section["inputs"]["input_table"]["step"] == "clean"
    assert (section["instance_type"], section["instance_count"]) == ("ml.m5.large", 3)
    module = (root / "ml_pipeline/pipelines/processing.py").read_text()
    assert added_lines(PROCESSING, module) == ['        SparkStep("summarize"),']


@pytest.mark.parametrize("length", [1, 40])
def test_the_code_is_formatted_whatever_the_length_of_a_name(length, root, repository) -> None:
    shutil.copy2(repository / "pyproject.toml", root)
    (root / "helpers").mkdir()  # with it, Ruff recognizes the project's own modules
    created = [new_pipeline("p" * length, "x" * length, root), new_pipeline("fares", "y" * length, root)]
    for changes in created:
        list(changes.apply())
    step = new_step("fares", "z" * length, root)
    list(step.apply())
    written = [path for each in (*created, step) for path in (*each.created, *each.edited)]

    for words in (["format", "--check"], ["check"]):
        ran = subprocess.run(
            [sys.executable, "-m", "ruff", *words, *(path for path in written if path.endswith(".py"))],
            capture_output=True,
            text=True,
            check=False,
            cwd=root,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Fares", "lower-case letters"),
        ("join_rates", "lower-case letters"),
        ("-x", "lower-case letters"),
        ("x" * 41, "up to 40"),
        ("", "lower-case letters"),
        ("class", "reserved word"),
        ("all", "reserved word"),
        ("json", "spark_jobs/json.py would hide the Python module json"),
        ("pyspark", "would hide the Python module pyspark"),
    ],
)
def test_a_name_that_cannot_be_used_is_rejected_with_the_reason(name, message, root) -> None:
    before = files(root)

    with pytest.raises(UserError, match=message):
        new_step("processing", name, root)

    assert files(root) == before


def test_a_step_is_not_named_like_a_package_of_the_jobs(root) -> None:
    package = root / "spark_jobs/rates"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    before = files(root)

    with pytest.raises(UserError, match=r"spark_jobs/rates\.py would hide the package spark_jobs/rates\n"):
        new_step("processing", "rates", root)

    assert files(root) == before


@pytest.mark.parametrize("existing", sorted(FIRST_STEP))
def test_no_file_is_overwritten(existing, root) -> None:
    (root / existing).parent.mkdir(parents=True, exist_ok=True)
    (root / existing).write_text("mine\n")
    before = files(root)

    with pytest.raises(UserError, match=f"{existing} already exists\nHint: Choose another name"):
        list(new_pipeline("fares", root=root).apply())

    assert files(root) == before


def test_a_step_reads_the_last_one_that_runs_spark(root) -> None:
    list(new_pipeline("fares", root=root).apply())
    document = json.loads((root / PARAMETERS).read_text())
    document["steps"]["model"] = {"type": "Model", "training_step": "train"}
    (root / PARAMETERS).write_text(json.dumps(document, indent=2))

    list(new_step("fares", "summarize", root).apply())

    read = json.loads((root / PARAMETERS).read_text())["steps"]["summarize"]["inputs"]["input_table"]
    assert read["step"] == "prepare-fares"
    with pytest.raises(UserError, match="already has a step model"):
        new_step("fares", "model", root)


def test_a_step_that_a_pipeline_has_is_rejected(root) -> None:
    list(new_pipeline("fares", root=root).apply())

    with pytest.raises(UserError, match=rf"{PARAMETERS} already has a step prepare-fares"):
        new_step("fares", "prepare-fares", root)
    with pytest.raises(UserError, match=r"pipeline_params.json already has a step clean"):
        new_step("processing", "clean", root)


def test_an_unknown_pipeline_is_rejected_with_how_to_create_it(root) -> None:
    with pytest.raises(UserError, match="make new-pipeline NAME=rides"):
        new_step("rides", "summarize", root)


@pytest.mark.parametrize("fails", range(4))
def test_either_all_files_are_written_or_none(fails, root, monkeypatch) -> None:
    list(new_pipeline("fares", root=root).apply())
    changes = new_step("fares", "summarize", root)
    changes = Changes(root, {**changes.created, "new/folder/file.txt": "text"}, changes.edited)
    before, folders = files(root), {path for path in root.rglob("*") if path.is_dir()}
    writes = iter(range(10))

    def full_disk(original):
        def write(*arguments, **options):
            if len(arguments) > 1 and next(writes) == fails:  # with only a path, it reads
                raise OSError(28, "No space left on device", "the disk")
            return original(*arguments, **options)

        return write

    monkeypatch.setattr(Path, "open", full_disk(Path.open))
    monkeypatch.setattr(changes_module, "write_atomically", full_disk(changes_module.write_atomically))

    with pytest.raises(UserError, match="No space left on device; nothing was changed"):
        list(changes.apply())

    monkeypatch.undo()
    assert files(root) == before
    assert {path for path in root.rglob("*") if path.is_dir()} == folders


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        ("[]", '[\n        SparkStep("b"),\n    ]'),
        ('[SparkStep("a")]', '[\n        SparkStep("a"),\n        SparkStep("b"),\n    ]'),
        (
            '[\n        SparkStep("a"),  # "é"\n    ]',
            '[\n        SparkStep("a"),  # "é"\n        SparkStep("b"),\n    ]',
        ),
    ],
)
def test_a_step_is_added_at_the_end_of_the_list(returned, expected) -> None:
    source = (
        f"from ml_pipeline.steps import SparkStep\n\n\ndef steps(_):\n    return {returned}  # é\n\n\nX = 1\n"
    )

    edited = add_step(source, "b", "fares.py")

    assert edited == source.replace(returned, expected)
    assert add_step(edited, "b", "fares.py") == edited


@pytest.mark.parametrize(
    "body",
    [
        "def steps(_):\n    return list(STEPS)\n",
        'def steps(_):\n    if X:\n        return []\n    return [SparkStep("a")]\n',
        'def steps(_):\n    return [\n        SparkStep("a")  # , \n    ]\n',
        'steps = lambda _: [SparkStep("a")]\n',
    ],
)
def test_a_module_that_cannot_be_edited_gets_the_line_to_add_by_hand(body) -> None:
    with pytest.raises(
        UserError, match=r'fares.py does not return a plain list.*\nHint: .*SparkStep\("b"\),'
    ):
        add_step(f"from ml_pipeline.steps import SparkStep\n\n\n{body}", "b", "fares.py")


def test_a_module_without_the_import_gets_it_by_hand() -> None:
    with pytest.raises(
        UserError, match=r"does not import SparkStep\nHint: .*from ml_pipeline.steps import SparkStep"
    ):
        add_step("def steps(_):\n    return []\n", "b", "fares.py")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", '{\n  "steps": {\n    "b": 1\n  }\n}'),
        ('{\n  "a": [1, 2]\n}\n', '{\n  "a": [1, 2],\n  "steps": {\n    "b": 1\n  }\n}\n'),
        ('{\n  "steps": {}\n}\n', '{\n  "steps": {\n    "b": 1\n  }\n}\n'),
        (
            '{\n  "steps": {\n    "a": {"x": "}"}\n  },\n  "z": 1\n}\n',
            '{\n  "steps": {\n    "a": {"x": "}"},\n    "b": 1\n  },\n  "z": 1\n}\n',
        ),
    ],
)
def test_a_member_is_added_and_the_rest_of_the_text_kept(text, expected) -> None:
    assert add_member(text, ("steps", "b"), 1) == expected
