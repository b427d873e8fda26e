"""The code of the comparison; `make test-peers` compares."""

import subprocess
import sys
from pathlib import Path

import pytest

from helpers.errors import UserError
from tests.peers import __main__ as command
from tests.peers import moto_tests
from tests.peers.comparison import Reason, by_reason, differences, problems, read_reasons, service_of, table

ROLE = "tests/test_sts/test_sts.py::test_role"
BUCKET = "tests/test_s3/test_s3.py::test_bucket"
TOPIC = "tests/test_sns/test_sns.py::test_topic"
MOTO = {ROLE: True, BUCKET: True, TOPIC: False}
HERE = {ROLE: False, BUCKET: True, TOPIC: True}
KNOWN = [Reason("fails_here", "one account", (ROLE,)), Reason("fails_on_moto", "topics", (TOPIC,))]
ALL = ("s3", "sns", "sts")

REPORT = """<testsuites><testsuite>
<testcase file="tests/test_sts/test_sts.py" classname="tests.test_sts.test_sts" name="test_role[a.b/c]"/>
<testcase file="tests/test_sts/test_sts.py" classname="tests.test_sts.test_sts.TestRole" name="test_it">
  <failure message="no"/></testcase>
<testcase file="tests/test_sts/test_sts.py" classname="tests.test_sts.test_sts.TestRole" name="test_it"/>
<testcase file="tests/test_sts/test_sts.py" classname="tests.test_sts.test_sts" name="test_setup">
  <error message="no"/></testcase>
<testcase file="tests/test_sts/test_sts.py" classname="tests.test_sts.test_sts" name="test_skipped">
  <skipped message="no"/></testcase>
</testsuite></testsuites>"""


def file_of(folder: Path, text: str) -> Path:
    path = folder / "differences.toml"
    path.write_text(text)
    return path


def test_listed_differences_are_not_a_problem() -> None:
    found = differences(MOTO, HERE)

    assert found == {ROLE: "fails_here", TOPIC: "fails_on_moto"}
    assert problems(found, KNOWN, ALL) == []


def test_a_new_difference_is_a_problem() -> None:
    found = differences(MOTO, {**HERE, BUCKET: False})

    assert problems(found, KNOWN, ALL) == [f"new: {BUCKET} fails_here"]


def test_a_listed_difference_that_is_gone_is_a_problem() -> None:
    found = differences(MOTO, {**HERE, ROLE: True})

    assert problems(found, KNOWN, ALL) == [f"gone: {ROLE} is listed under fails_here"]


def test_a_difference_in_the_other_direction_is_both() -> None:
    found = differences({ROLE: False}, {ROLE: True})

    assert problems(found, KNOWN[:1], ALL) == [
        f"new: {ROLE} fails_on_moto",
        f"gone: {ROLE} is listed under fails_here",
    ]


def test_a_test_that_only_one_of_them_ran_differs() -> None:
    assert differences({ROLE: True}, {}) == {ROLE: "fails_here"}
    assert differences({}, {ROLE: False}) == {ROLE: "fails_here"}
    assert differences({}, {ROLE: True}) == {ROLE: "fails_on_moto"}
    assert differences({ROLE: False}, {}) == {ROLE: "fails_on_moto"}
    assert differences({ROLE: False}, {ROLE: False}) == {}


def test_what_is_listed_of_services_that_did_not_run_is_left_alone() -> None:
    assert problems({}, KNOWN, ["s3"]) == []


def test_the_table_counts_by_service_and_by_reason() -> None:
    found = differences(MOTO, HERE)

    assert [line.split() for line in table(MOTO, HERE, found).splitlines()] == [
        ["service", "tests", "moto", "here", "differ"],
        ["s3", "1", "1", "1", "0"],
        ["sns", "1", "0", "1", "1"],
        ["sts", "1", "1", "0", "1"],
        ["total", "3", "2", "2", "2"],
    ]
    assert [line.split(maxsplit=1) for line in by_reason(found, KNOWN)] == [
        ["1", "topics"],
        ["1", "one account"],
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[fails_here]]\nreason = " "\ntests = ["a"]', "write a reason"),
        ('[[fails_here]]\nreason = "x"\ntests = ["a", "a"]', "a: list it once"),
        ('[[fails_there]]\nreason = "x"\ntests = ["a"]', "fails_there: use fails_here or fails_on_moto"),
        ('[[fails_here]]\nreason = "x"', "with reason and tests"),
        ("[[fails_here", "with reason and tests"),
    ],
)
def test_a_file_of_differences_that_cannot_be_used_is_named_with_its_fault(
    text: str, message: str, tmp_path: Path
) -> None:
    path = file_of(tmp_path, text)

    with pytest.raises(UserError, match=message) as error:
        read_reasons(path)

    assert str(path) in str(error.value)


def test_the_differences_that_are_kept_are_of_the_services_that_are_compared() -> None:
    tests = [test for each in read_reasons(command.DIFFERENCES) for test in each.tests]

    assert tests
    assert {service_of(test) for test in tests} <= {*moto_tests.SERVICES, "templates"}


def test_results_are_read_from_a_report_by_their_ids(tmp_path: Path) -> None:
    report = tmp_path / "moto.xml"
    report.write_text(REPORT)

    assert moto_tests.read_results(report) == {
        "tests/test_sts/test_sts.py::test_role[a.b/c]": True,
        "tests/test_sts/test_sts.py::TestRole::test_it": False,
        "tests/test_sts/test_sts.py::test_setup": False,
    }


def test_a_checkout_without_the_commit_is_rejected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    monkeypatch.setattr(sys, "argv", ["test-peers", "--moto", str(tmp_path)])

    assert command.main() == 1

    (error,) = capsys.readouterr().err.splitlines()
    assert error.startswith(f"Error: MOTO={tmp_path} has no commit {moto_tests.MOTO.commit}")
    assert error.endswith(f"git -C {tmp_path} fetch https://github.com/getmoto/moto {moto_tests.MOTO.commit}")
