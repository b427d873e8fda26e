"""Tests the benchmarks' code on little data; does not evaluate figures."""

import csv
import io
import json
import shutil
import statistics
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.bench import abalone, check, report, yarn
from tests.bench.__main__ import Bench, need_room
from tests.bench.measure import Cost, in_turn, run
from tests.bench.small_jobs import exported


def generated(rows: int, seed: int = 1, **options: bool) -> bytes:
    stream = io.BytesIO()
    abalone.write(rows, stream, seed, **options)
    return stream.getvalue()


def test_the_data_is_of_its_seed_and_of_the_samples_distributions() -> None:
    text = generated(20_000)
    rows = list(csv.reader(io.StringIO(text.decode())))
    sample = list(csv.reader(abalone.SAMPLE.open(newline="")))

    assert text == generated(20_000) != generated(20_000, seed=2)
    assert generated(20_000, header=True).startswith(b'"sex","length","diameter",')
    assert len(rows) == 20_000
    for sex in "MFI":
        ours, theirs = ([row for row in table if row[0] == sex] for table in (rows, sample))
        assert len(ours) / len(rows) == pytest.approx(len(theirs) / len(sample), abs=0.02)
        for column in range(1, 9):
            mean, other = (statistics.mean(float(row[column]) for row in t) for t in (ours, theirs))
            assert mean == pytest.approx(other, rel=0.05)
    assert min(float(value) for row in rows for value in row[1:]) > 0


def test_chunks_do_not_change_how_many_rows_there_are() -> None:
    assert [table.num_rows for table in abalone.chunks(25, chunk=10)] == [10, 10, 5]


def test_a_command_is_measured_with_the_processes_it_starts() -> None:
    busy = "import time; t = time.process_time()\nwhile time.process_time() - t < 0.3: pass"
    inner = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}], check=True)"

    cost = run([sys.executable, "-c", inner])

    assert cost.cpu_seconds >= 0.2
    assert cost.seconds >= 0.3
    assert cost.peak_mib > 10


@pytest.mark.parametrize(("detached", "least", "most"), [(True, 1.0, 10.0), (False, 0.0, 1.0)])
def test_a_server_that_outlives_its_parent_is_counted_on_request(
    detached: bool, least: float, most: float
) -> None:
    """Its parent ends after a tenth of a second, the command when the server has used 1.5 CPU seconds."""
    server = "import time; t = time.process_time()\nwhile time.process_time() - t < 1.5: pass"
    parent = (
        "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', sys.argv[1]], "
        "start_new_session=True); time.sleep(0.1)"
    )
    command = "import subprocess, sys; subprocess.run([sys.executable, '-c', *sys.argv[1:]], check=True)"

    cost = run([sys.executable, "-c", command, parent, server], detached=detached)

    assert least <= cost.cpu_seconds < most


def test_a_command_that_fails_ends_the_measurement_with_its_output() -> None:
    with pytest.raises(SystemExit, match="no such thing"):
        run([sys.executable, "-c", "raise SystemExit('no such thing')"])


def test_candidates_run_in_turn() -> None:
    order = []

    def candidate(name: str) -> Cost:
        order.append(name)
        return Cost(len(order), 1.0, 1.0)

    results = in_turn({name: lambda name=name: candidate(name) for name in "ab"}, rounds=3)

    assert order == ["a", "b"] * 3
    assert results["a"]["seconds"] == 3
    assert results["b"]["rounds"] == [2, 4, 6]


def figures(ours: float, theirs: float) -> dict[str, Any]:
    def cost(seconds: float) -> dict[str, float]:
        return {"seconds": seconds, "cpu_seconds": seconds, "peak_mib": 1.0}

    return {
        "alternatives": {
            "rows": 10,
            "machine": {"date": "2026-01-01", "cores": 2, "memory_gib": 8, "system": "x", "spark": "3.5"},
            "results": {"our job": cost(ours), "the sample's job": cost(theirs), "DuckDB": cost(theirs)},
        }
    }


@pytest.mark.parametrize(("ours", "worse"), [(1.0, False), (1.24, False), (1.26, True)])
def test_a_ratio_may_be_worse_by_the_tolerance(ours: float, worse: bool) -> None:
    lines, found = check.compare(figures(1, 2), figures(ours * 3, 6))

    assert found is worse
    assert len(lines) == 4
    assert any(line.startswith("WORSE") for line in lines) is worse


def test_nothing_to_compare_is_not_a_success() -> None:
    assert check.compare({}, figures(1, 2))[1] is True


def test_the_page_takes_the_tables_of_the_figures() -> None:
    page = "# Title\n<!-- alternatives -->\nold\n<!-- /alternatives -->\nprose\n"

    rendered = report.render(page, figures(2, 5))

    assert "| DuckDB | 5.0 | 5.0 | 1 | 2.50 | 2.50 |" in rendered
    assert "old" not in rendered
    assert rendered.endswith("prose\n")
    assert report.render(rendered, figures(2, 5)) == rendered
    with pytest.raises(ValueError, match="no place for alternatives"):
        report.render("# Title\n", figures(2, 5))


def test_data_that_would_fill_the_disk_is_not_made(tmp_path, monkeypatch) -> None:
    """With a disk that is more than 90 % full, YARN's node is unhealthy, for other jobs too."""
    rows, free = 1_000_000, 80_000_000
    disk = SimpleNamespace(total=1_000_000_000, used=0, free=free + 100_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: disk)

    need_room(rows, tmp_path)
    with pytest.raises(SystemExit, match=r"1,000,001 rows need 0.1 GB .* set TMPDIR"):
        Bench(rows, 1, tmp_path).data(rows + 1)

    assert list(tmp_path.iterdir()) == []


def test_the_variables_of_a_shell_script_are_read() -> None:
    script = "unset AWS_PROFILE\nexport AWS_REGION=eu-west-1 NAME='b c=d'\n"

    assert exported(script) == {"AWS_REGION": "eu-west-1", "NAME": "b c=d"}


def test_yarn_is_shown_next_to_local_cluster_mode() -> None:
    section = figures(1, 2)["alternatives"] | {
        "baseline": "b5c821a0",
        "results": {"further job": yarn._compared([(4.0, 5.0), (5.0, 7.0), (6.0, 6.0)])},
    }

    rendered = report.render("<!-- yarn -->\n\n<!-- /yarn -->", {"yarn": section})

    assert "*Local-cluster* is commit b5c821a." in rendered
    assert "| further job | 5.00 | 6.00 | +1.00 | 1.25 |" in rendered


def test_the_life_cycle_is_shown_with_its_ratios() -> None:
    section = {
        "machine": {"date": "2026-11-29", "cores": 2, "memory_gib": 24, "system": "Linux", "spark": "3.5.9"},
        "rounds": [{"run": 60.0, "spark_jobs": 50.0, "quick_start": 40.0, "unchanged": 12.0}],
        "ratio": 1.2,
        "quick_start_ratio": 1.5,
        "unchanged_ratio": 0.2,
        "transform": {"100": {"rows": 128, "seconds": 2.0, "rows_per_second": 64, "peak_mib": 300.0}},
        "statistics": {"rows": 1000, "scan": 1.0, "statistics": 1.2, "ratio": 1.2},
    }

    rendered = report.render("<!-- life_cycle -->\n\n<!-- /life_cycle -->", {"life_cycle": section})

    assert "| 1 | 60.0 | 50.0 | 40.0 | 12.0 |" in rendered
    median = "| the run takes, in median | 1 | 1.20 times as long | 1.50 times as long | 5.0 times as long |"
    assert median in rendered
    assert "| 128 | 2.0 | 64 | 300 |" in rendered
    assert "1.2 s of CPU, 1.20 times a scan by our ingestion (1.0 s)." in rendered


def test_the_page_of_this_project_is_that_of_the_kept_figures(repository: Path) -> None:
    kept = (repository / report.FIGURES).read_text()
    page = (repository / report.PAGE).read_text()

    assert report.render(page, json.loads(kept)) == page
