import json
from pathlib import Path

import pytest

from helpers.pricing import PRICES
from helpers.spark.choice.__main__ import logs, main

START = 1_700_000_000_000
"""Milliseconds since 1970, as in an event log."""
QUESTION = ["--data-gb", "500", "--deadline-minutes", "60"]


def test_the_ranking_reports_its_basis(capsys) -> None:
    assert main(QUESTION) == 0
    out = capsys.readouterr().out
    assert out.startswith("No run shows this job's speed: a guess")
    assert "Assumed: 4 min (2 to 8) until the instances are there, unpaid" in out
    assert "Estimates with on-demand prices of us-east-1 as of 2026-11-24" in out
    rows = [line for line in out.splitlines() if line.endswith(("yes", "likely"))]
    assert len(rows) == 12
    name = rows[0].split()[2]
    assert f"Next: make size INSTANCE={name} COUNT={rows[0].split()[0]} DATA_GB=500" in out


def test_runs_are_read_from_their_event_logs(tmp_path, capsys) -> None:
    for index, (gigabytes, seconds) in enumerate([(1, 30), (2, 45), (4, 80)]):
        write_log(tmp_path / f"app-{index}", gigabytes, seconds)
    (tmp_path / "app-8").write_text("no log\n")
    (tmp_path / "app-9").write_text("\n".join(log_lines(1, 10)[:-1]) + "\n")
    assert main([*QUESTION, "--runs", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Fitted from 3 runs, which it misses by")
    assert "The largest run read 4.00 GB: 500 GB are beyond what was seen" in out
    assert f"Not used: {tmp_path}/app-8: " in out
    assert f"Not used: {tmp_path}/app-9: the log has no end." in out


def test_a_folder_in_s3_is_taken_log_by_log(aws) -> None:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="choice-of-instances")
    for name in ("logs/app-1", "logs/eventlog_v2_app-2/events_1_app-2", "logsx/app-3"):
        s3.put_object(Bucket="choice-of-instances", Key=name, Body=b"{}")
    assert list(logs("s3://choice-of-instances/logs", s3)) == [
        "s3://choice-of-instances/logs/app-1",
        "s3://choice-of-instances/logs/eventlog_v2_app-2/",
    ]
    assert list(logs("s3://choice-of-instances/logs/app-1", s3)) == ["s3://choice-of-instances/logs/app-1"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--runs", "no-such-folder"], "no-such-folder: there is no such file or folder"),
        (["--most", "0"], "--most is 0\nHint: Set it to a number of instances from 1 to 100"),
        (["--prices", "no.json"], "no.json: there is no such file\nHint: Restore it"),
    ],
)
def test_bad_input_is_reported_in_one_line(arguments, message, capsys) -> None:
    assert main([*QUESTION, *arguments]) == 1
    assert message in capsys.readouterr().err


def test_without_a_price_nothing_is_recommended(tmp_path, capsys) -> None:
    document = json.loads(PRICES.read_text())
    document["instance_hours"] = [{"as_of": "2026-01-01", "source": "test", "usd": {"ml.p3.2xlarge": 1.0}}]
    file = tmp_path / "prices.json"
    file.write_text(json.dumps(document))
    assert main([*QUESTION, "--prices", str(file)]) == 1
    assert "no instance type to choose from has a known price" in capsys.readouterr().err


def test_a_deadline_that_nothing_meets_is_reported(capsys) -> None:
    assert main(["--data-gb", "500000", "--deadline-minutes", "5"]) == 0
    assert "None is in time: allow more than" in capsys.readouterr().out


def log_lines(gigabytes: float, seconds: float) -> list[str]:
    """Return a log as written by Spark, with one task on two cores."""
    end = START + int(seconds * 1000)
    events = [
        {"Event": "SparkListenerLogStart", "Spark Version": "3.5.9"},
        {
            "Event": "SparkListenerApplicationStart",
            "App Name": "job",
            "App ID": "app",
            "Timestamp": START,
            "User": "u",
        },
        {
            "Event": "SparkListenerExecutorAdded",
            "Timestamp": START,
            "Executor ID": "1",
            "Executor Info": {
                "Host": "h",
                "Total Cores": 2,
                "Log Urls": {},
                "Attributes": {},
                "Resources": {},
            },
        },
        {
            "Event": "SparkListenerStageSubmitted",
            "Stage Info": {"Stage ID": 0, "Stage Attempt ID": 0, "Stage Name": "csv", "Number of Tasks": 1},
        },
        {
            "Event": "SparkListenerTaskEnd",
            "Stage ID": 0,
            "Stage Attempt ID": 0,
            "Task Type": "ResultTask",
            "Task End Reason": {"Reason": "Success"},
            "Task Info": {
                "Task ID": 0,
                "Index": 0,
                "Attempt": 0,
                "Launch Time": START + 5000,
                "Finish Time": end - 1000,
                "Executor ID": "1",
                "Host": "h",
                "Failed": False,
                "Killed": False,
                "Speculative": False,
            },
            "Task Metrics": {
                "Executor Run Time": end - START - 6000,
                "Input Metrics": {"Bytes Read": int(gigabytes * 1e9), "Records Read": 1},
            },
        },
        {"Event": "SparkListenerApplicationEnd", "Timestamp": end},
    ]
    return [json.dumps(event, separators=(",", ":")) for event in events]


def write_log(path: Path, gigabytes: float, seconds: float) -> None:
    path.write_text("\n".join(log_lines(gigabytes, seconds)) + "\n")
