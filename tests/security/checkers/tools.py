"""Runs each checker once on all templates or policies, and returns its findings in a common form."""

import json
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
GUARD = HERE.parent / "node_modules" / "@cdklabs" / "cdk-validator-cfnguard"
GUARD_RULES = GUARD / "rules" / "control-tower" / "cfn-guard"
CONTROL_TOWER = "Control Tower"
CDK_NAG = "cdk-nag"
CHECKOV = "checkov"


@dataclass(frozen=True, order=True)
class Finding:
    """A violation of a rule.

    Attributes:
        tool: name of the checker.
        rule: the checker's ID of the rule.
        where: `<template>.<logical id>`, for policies with `.<Sid>`.
        what: the affected action, resource or key; empty if all are affected.
    """

    tool: str
    rule: str
    where: str
    what: str = ""


@dataclass(frozen=True)
class Result:
    """The result of one run.

    Attributes:
        rules: the rules that had something to check, by `<template>`; for policies, by checker.
        known: all rules that were run.
        findings: the violations.
    """

    rules: frozenset[tuple[str, str]]
    known: frozenset[str]
    findings: frozenset[Finding]


def run_control_tower(folder: Path) -> Result:
    """Run cfn-guard with the proactive controls of AWS Control Tower on the templates in a folder."""
    system = {"Linux": "ubuntu", "Darwin": "macos"}[platform.system()]
    machine = {"arm64": "aarch64"}.get(platform.machine(), platform.machine())
    answer = subprocess.run(
        [
            *(GUARD / "bin" / system / machine / "cfn-guard", "validate", "--data", folder),
            *("--rules", GUARD_RULES, "--output-format", "json", "--show-summary", "none", "--structured"),
        ],
        capture_output=True,
        text=True,
        check=False,  # findings also result in an exit code
        timeout=300,
    )
    try:
        reports = json.loads(answer.stdout)
    except json.JSONDecodeError:
        raise AssertionError(answer.stderr) from None
    names = control_tower_names()
    rules, findings = set(), set()
    for report in reports:
        template = Path(report["name"]).stem
        rules |= {(template, names[rule]) for rule in report["compliant"]}
        for failed in (each["Rule"] for each in report["not_compliant"]):
            rule = names[failed["name"]]
            rules.add((template, rule))
            resources = re.findall(r"/Resources/(\w+)", json.dumps(failed["checks"]))
            findings |= {Finding(CONTROL_TOWER, rule, f"{template}.{resource}") for resource in resources}
    return Result(frozenset(rules), frozenset(names.values()), frozenset(findings))


def control_tower_names() -> dict[str, str]:
    """Return the controls, `CT.KMS.PR.1`, by the names of cfn-guard's rules."""
    return {
        rule: path.stem.upper().replace("-", ".")
        for path in GUARD_RULES.rglob("*.guard")
        for rule in re.findall(r"^rule (\w+) when is_cfn_template", path.read_text("utf-8"), re.MULTILINE)
    }


def run_cdk_nag(folder: Path) -> Result:
    """Run cdk-nag's pack AwsSolutions on the templates in a folder, included into CDK stacks."""
    answer = subprocess.run(
        ["node", HERE / "cdk_nag.mjs", folder], capture_output=True, text=True, check=False, timeout=300
    )
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    return Result(
        frozenset((template, rule) for template, rule in found["rules"]),
        frozenset(found["known"]),
        frozenset(Finding(CDK_NAG, *each) for each in found["findings"]),
    )


def run_checkov(folder: Path) -> Result:
    """Run checkov on the templates in a folder."""
    program = shutil.which("checkov")
    assert program, "run by: make security"
    answer = subprocess.run(
        [
            *(program, "--compact", "--skip-download", "--output", "json"),
            *("--framework", "cloudformation", "--directory", folder),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    found = json.loads(answer.stdout)["results"]
    assert found["parsing_errors"] == []
    of_outcome = {
        outcome: [(_stem(each), each["check_id"], each["resource"].split(".")[-1]) for each in found[outcome]]
        for outcome in ("passed_checks", "failed_checks")
    }
    (package,) = Path(program).parents[1].glob("lib/python3*/site-packages/checkov/cloudformation/checks")
    texts = [
        path.read_text("utf-8") for path in package.rglob("*.*") if path.suffix in {".py", ".json", ".yaml"}
    ]
    return Result(
        frozenset((template, rule) for checks in of_outcome.values() for template, rule, _ in checks),
        frozenset(rule for text in texts for rule in re.findall(r"\bCKV2?_AWS_\d+\b", text)),
        frozenset(
            Finding(CHECKOV, rule, f"{template}.{resource}")
            for template, rule, resource in of_outcome["failed_checks"]
        ),
    )


def _stem(check: Mapping[str, Any]) -> str:
    return Path(check["file_path"]).stem


def run_on_policies(policies: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, Result]]:
    """Run cloudsplaining on identity-based policies, and the service authorization reference on all policies.

    Args:
        policies: by `identity` and `resource`, then by name.

    Yields:
        Each checker with its result.
    """
    program = shutil.which("cloudsplaining")
    assert program, "run by: make security"
    answer = subprocess.run(
        [Path(program).with_name("python"), HERE / "scan_policies.py"],
        input=json.dumps(policies),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    for tool, rules in found["rules"].items():
        findings = frozenset(Finding(*each) for each in found["findings"] if each[0] == tool)
        yield tool, Result(frozenset((tool, rule) for rule in rules), frozenset(rules), findings)
