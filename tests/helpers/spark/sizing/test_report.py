import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.environments import LOCAL
from helpers.spark.instances import instance, instances
from helpers.spark.sizing import Shape, size
from helpers.spark.sizing.__main__ import main
from helpers.spark.sizing.configuration import settings
from helpers.spark.sizing.diagram import parts, svg
from helpers.spark.sizing.report import html, markdown
from ml_pipeline.params.files import step_instances

SVG = "{http://www.w3.org/2000/svg}"
any_sizing = st.builds(size, st.sampled_from(list(instances().values())), st.integers(1, 50))


@given(any_sizing, st.booleans())
def test_the_parts_are_all_that_a_node_has(sizing, primary) -> None:
    row = parts(sizing, primary=primary)
    assert sum(part.mib for part in row) == sizing.instance.memory_mib
    assert min(part.mib for part in row) >= 0


@given(any_sizing)
def test_the_bars_are_as_long_as_the_memory(sizing) -> None:
    bars = [
        rect for rect in ET.fromstring(svg(sizing)).iter(f"{SVG}rect") if rect.find(f"{SVG}title") is not None
    ]
    rows = {rect.get("y") for rect in bars}
    assert len(rows) == min(sizing.count, 2)
    for row in rows:
        widths = [float(rect.get("width")) for rect in bars if rect.get("y") == row]
        assert sum(widths) == pytest.approx(830, abs=0.06 * len(widths))


def test_reports_are_the_same_every_time_and_have_every_figure() -> None:
    sizing = size(instance("ml.m5.4xlarge"), 6)
    for report in (html, markdown):
        assert report(sizing) == report(size(instance("ml.m5.4xlarge"), 6))
        for setting in settings(sizing):
            assert setting.name in report(sizing)
    assert "<svg" in html(sizing)


def test_the_documentation_is_the_report(repository: Path) -> None:
    (step, (name, count, _)), *_ = step_instances(LOCAL).items()
    page = repository / "docs" / "spark-configuration.md"
    assert page.read_text() == markdown(size(instance(name), count, shape=Shape.PYTHON)), (
        f"run: make size STEP={step} SHAPE=python ARGS='--report docs/spark-configuration.md'"
    )


def test_the_command_explains_writes_and_draws(tmp_path, capsys) -> None:
    conf, report, diagram = tmp_path / "configuration.json", tmp_path / "r.html", tmp_path / "r.svg"
    common = ["--instance", "ml.m5.4xlarge", "--count", "6"]
    assert main([*common, "--write", str(conf), "--report", str(report)]) == 0
    assert main([*common, "--report", str(diagram)]) == 0
    out = capsys.readouterr().out
    assert "24 executors of 4 cores" in out
    assert "spark.executor.memory = 12438m" in out
    assert "12438m" in conf.read_text()
    assert report.read_text().startswith("<!doctype html>")
    assert diagram.read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--instance", "ml.p3.2xlarge", "--count", "2"], "ml.p3.2xlarge: EC2 no longer lists"),
        (["--instance", "ml.m5.xlarge", "--count", "0"], "1 node or more, not 0"),
        (
            ["--instance", "ml.m5.xlarge", "--count", "2", "--report", "r.pdf"],
            "r.pdf: the name of a report does not end with .html or .md or .svg\nHint: Name it r.html",
        ),
        (
            ["--instance", "ml.m5.xlarge", "--count", "2", "--write", "no/folder/configuration.json"],
            "no/folder/configuration.json cannot be written: No such file or directory",
        ),
    ],
)
def test_bad_input_is_reported_in_one_line(arguments, message, capsys, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_no_number_is_rejected() -> None:
    sizes = [sys.executable, "-m", "helpers.spark.sizing", "--instance", "ml.m5.xlarge", "--count", "2"]
    for text in ("nan", "-1", "inf", "much"):
        result = subprocess.run([*sizes, "--data-gb", text], capture_output=True, text=True, check=False)
        assert result.returncode == 2
        assert f"argument --data-gb: '{text}' is not a number above 0" in result.stderr
