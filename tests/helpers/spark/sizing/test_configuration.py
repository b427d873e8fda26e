import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.environments import LOCAL
from helpers.errors import UserError
from helpers.local_aws.spark_container.configuration import parse
from helpers.local_aws.spark_container.sizing import Machine, on_yarn
from helpers.spark.instances import instance, instances
from helpers.spark.sizing import Shape, size
from helpers.spark.sizing.configuration import document, hints, merged, read, render, settings
from ml_pipeline.params.files import step_instances

TUNED: set[str] = set()
"""Properties of spark_jobs/configuration.json for which measurements found better values than sizing."""

sizings = st.builds(
    size,
    st.sampled_from([i for i in instances().values() if i.memory_mib > 4096]),
    st.integers(1, 50),
    st.none() | st.integers(1, 10**14),
    st.sampled_from(Shape),
)


@given(sizings)
def test_the_image_reads_back_every_figure(sizing) -> None:
    expected: dict[str, dict[str, str]] = {}
    for setting in settings(sizing):
        expected.setdefault(setting.classification, {})[setting.name] = setting.value
    assert parse(render(document(sizing))) == expected


@given(sizings)
def test_writing_twice_changes_nothing(sizing) -> None:
    once = document(sizing)
    assert merged(once, sizing) == once


@given(sizings)
def test_every_figure_has_a_sentence(sizing) -> None:
    for setting in settings(sizing):
        assert len(setting.rationale.split()) >= 5
        assert not setting.rationale.endswith(".")


def test_the_embedded_aws_runs_it_as_it_is() -> None:
    properties = parse(render(document(size(instance("ml.m5.4xlarge"), 6))))["spark-defaults"]

    local = on_yarn(properties, Machine(2, 8192), {})

    options = "spark.executor.defaultJavaOptions"
    assert local.messages == ()
    assert properties.items() - {(options, properties[options])} <= local.properties.items()
    assert local.properties[options].endswith(properties[options])


def test_other_content_of_a_file_is_kept() -> None:
    own = [
        {
            "Classification": "spark-defaults",
            "Properties": {"spark.sql.ansi.enabled": "true", "spark.driver.memory": "9g"},
        },
        {"Classification": "spark-metrics", "Properties": {"a": "b"}},
        {
            "Classification": "hadoop-env",
            "Properties": {},
            "Configurations": [{"Classification": "export", "Properties": {"HADOOP_ROOT_LOGGER": "WARN"}}],
        },
    ]
    before = json.dumps(own)
    result = parse(render(merged(own, size(instance("ml.m5.xlarge"), 2))))
    assert json.dumps(own) == before
    assert result["spark-defaults"]["spark.sql.ansi.enabled"] == "true"
    assert result["spark-defaults"]["spark.driver.memory"] == "1024m"
    assert result["spark-metrics"] == {"a": "b"}
    assert result["hadoop-env"] == {"HADOOP_ROOT_LOGGER": "WARN", "HADOOP_HEAPSIZE_MAX": "256m"}


def export(**variables: str) -> dict[str, object]:
    return {"Classification": "export", "Properties": variables}


@pytest.mark.parametrize(
    "own",
    [
        [
            {"Classification": "spark-defaults", "Properties": {"a.b": "c"}},
            {"Classification": "spark-defaults", "Properties": {"spark.executor.memory": "1g"}},
        ],
        [
            {"Classification": "spark-defaults", "Properties": {"spark.executor.memory": "1g"}},
            {"Classification": "core-site", "Properties": {"fs.s3a.connection.maximum": "1"}},
            {"Classification": "spark-defaults", "Properties": {}},
            {"Classification": "core-site", "Properties": {"fs.s3a.connection.maximum": "2"}},
        ],
        [
            {
                "Classification": "hadoop-env",
                "Properties": {},
                "Configurations": [export(OTHER="1"), export(HADOOP_HEAPSIZE_MAX="1m")],
            }
        ],
        [
            {"Classification": "hadoop-env", "Properties": {}, "Configurations": [export(OTHER="1")]},
            {
                "Classification": "hadoop-env",
                "Properties": {},
                "Configurations": [export(HADOOP_HEAPSIZE_MAX="1m"), export(HADOOP_HEAPSIZE_MAX="2m")],
            },
        ],
    ],
    ids=["the last has it", "the first has it", "two exports", "two environments"],
)
def test_of_a_classification_that_is_there_twice_the_effective_one_changes(own) -> None:
    sizing = size(instance("ml.m5.xlarge"), 2)

    given = parse(render(merged(own, sizing)))

    assert {f.name for f in settings(sizing) if given[f.classification].get(f.name) != f.value} == set()


def test_the_jobs_file_is_what_sizing_gives(repository: Path) -> None:
    file = repository / "spark_jobs" / "configuration.json"
    (step, (name, count, _)), *_ = step_instances(LOCAL).items()
    sized = settings(size(instance(name), count, shape=Shape.PYTHON))

    given = parse(file.read_text())

    differing = {f.name for f in sized if given.get(f.classification, {}).get(f.name) != f.value}
    assert differing == TUNED, (
        f"run: make size STEP={step} SHAPE=python ARGS='--write spark_jobs/configuration.json --report "
        "docs/spark-configuration.md', or name what measured runs made better in TUNED of this test"
    )


def test_partitions_are_explained_by_what_is_known() -> None:
    def rationale(data: int | None, shape: Shape) -> str:
        sizing = size(instance("ml.m5.4xlarge"), 6, data, shape)
        return next(f.rationale for f in settings(sizing) if f.name == "spark.sql.shuffle.partitions")

    assert "shuffles little" in rationale(None, Shape.SCAN)
    assert "not known" in rationale(None, Shape.SHUFFLE)
    assert "at most 127 MB each if all 500.0 GB move" in rationale(500 * 10**9, Shape.SHUFFLE)


def test_python_workers_get_their_share_in_the_overhead() -> None:
    sizing = size(instance("ml.m5.4xlarge"), 2, None, Shape.PYTHON)
    overhead = next(f for f in settings(sizing) if f.name == "spark.executor.memoryOverhead")
    assert overhead.value == f"{sizing.overhead_mib + sizing.python_mib}m"
    assert "for 4 Python workers" in overhead.rationale


def test_hints_show_what_sizes_cannot_fix() -> None:
    assert hints(size(instance("ml.m5.4xlarge"), 6, 10**12)) == {}
    little = hints(size(instance("ml.m5.4xlarge"), 6, 10**8))["Little data"]
    assert little == "100 MB are at most 24 splits for 96 cores: 2 nodes would be as fast"
    assert hints(size(instance("ml.m5.4xlarge"), 6, 10**9)) == {}
    assert "83%" in hints(size(instance("ml.m5.large"), 50))["Small nodes"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"configuration.json: line 1, column 2: .*\nHint: Correct .*, or remove it"),
        ('["spark-defaults"]', r"not a list of objects with Classification and Properties\nHint: Correct"),
        (
            '[{"Classification": "hadoop-env", "Properties": {}, "Configurations": {}}]',
            r"not a list of objects",
        ),
    ],
)
def test_a_broken_file_is_not_written_over(tmp_path, text, message) -> None:
    file = tmp_path / "configuration.json"
    file.write_text(text)
    with pytest.raises(UserError, match=message):
        read(file)
