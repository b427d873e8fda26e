"""Runs moto's own tests of a fixed commit against a server."""

import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from xml.etree import ElementTree

from helpers.errors import UserError
from tests.peers import servers
from tests.peers.checkouts import Source
from tests.peers.comparison import Results

MOTO = Source(
    "MOTO", "https://github.com/getmoto/moto", "0af643a5dbfc98797f08ee64f5be3ef8002d56ff", ("tests",)
)
MARKS = "not requires_docker and not network"
TEST_SECONDS = 300
"""Timeout of a test."""

SERVICES: Mapping[str, tuple[str, ...]] = {
    "budgets": ("*",),
    "cloudformation": ("*",),
    "cloudtrail": ("*",),
    "ec2": ("flow_logs*", "security_groups*", "subnets", "vpcs", "vpc_endpoint*", "vpc_service*"),
    "events": ("*",),
    "iam": ("*",),
    "kms": ("*",),
    "logs": ("*",),
    "s3": ("*",),
    "sagemaker": ("sagemaker_domains", "sagemaker_pipeline", "sagemaker_processing", "sagemaker_search"),
    "sns": ("*",),
    "ssm": ("*",),
    "sts": ("*",),
}
"""Services that the templates and pipelines use, each with its test files: `vpcs` is `test_vpcs.py`."""


def run(services: Iterable[str], endpoint: str, folder: Path, report: Path) -> Results:
    """Run the tests of some services against a server.

    Args:
        services: keys of SERVICES.
        endpoint: address of the server.
        folder: folder with the extracted MOTO.
        report: output file in JUnit format.

    Raises:
        UserError: pytest did not complete.
    """
    files = sorted(
        str(path.relative_to(folder))
        for service in services
        for pattern in SERVICES[service]
        for path in (folder / "tests" / f"test_{service}").glob(f"test_{pattern}.py")
    )
    if not files:
        return {}
    server = {"TEST_SERVER_MODE": "true", "TEST_SERVER_MODE_ENDPOINT": endpoint}
    options = ["-c", os.devnull, "--rootdir", ".", "-p", "no:cacheprovider", "-m", MARKS]
    options += ["--timeout", str(TEST_SECONDS)]
    reporting = ["-q", "--tb=short", "-o", "junit_family=xunit1", f"--junitxml={report}"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *reporting, *files],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**servers.environment(), **server},
        check=False,
    )
    report.with_suffix(".txt").write_text(done.stdout)
    if done.returncode not in (0, 1):  # all tests passed, or some failed
        raise UserError(f"pytest could not run moto's tests: {done.stdout[-1000:]}")
    return read_results(report)


def read_results(report: Path) -> Results:
    """Return whether each test of a JUnit report passed, without skipped tests."""
    results: dict[str, bool] = {}
    for case in ElementTree.parse(report).iter("testcase"):
        if case.find("skipped") is None:
            failed = any(case.find(kind) is not None for kind in ("failure", "error"))
            # A test that fails and whose teardown also fails occurs twice.
            results[_id(case)] = results.get(_id(case), True) and not failed
    return results


def _id(case: ElementTree.Element) -> str:
    file, name = case.attrib["file"], case.attrib["name"]
    module = file.removesuffix(".py").replace("/", ".")
    classes = case.attrib["classname"].removeprefix(module).split(".")[1:]
    return "::".join([file, *classes, name])
