"""External checkers find nothing in the deployed templates, and find weakened ones."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from checkers import suppressions
from checkers.tools import CDK_NAG, CHECKOV, CONTROL_TOWER, Finding, Result
from checkers.weakening import EXPECTED, WEAKENED

pytestmark = pytest.mark.timeout(300)  # seconds: checkov alone takes ten on an idle machine
TOOLS = (CHECKOV, CONTROL_TOWER, CDK_NAG, "cloudsplaining", "policy_sentry")


def deployed(result: Result) -> list[Finding]:
    """Return the findings in the deployed templates."""
    return sorted(each for each in result.findings if not each.where.startswith(WEAKENED))


@pytest.mark.parametrize("tool", TOOLS)
def test_nothing_is_found_that_is_not_suppressed(
    tool: str, results: Mapping[str, Result], report: Callable[[str], None]
) -> None:
    result, found = results[tool], deployed(results[tool])
    applied = {rule for template, rule in result.rules if not template.startswith(WEAKENED)}
    figures = f"{len(applied)} of {len(result.known)} rules had something to check"
    report(f"{tool}: {figures}, {len(found)} findings are suppressed")

    assert applied
    assert [each for each in found if not any(one.covers(each) for one in suppressions.load())] == []


@pytest.mark.parametrize("finding", EXPECTED, ids=str)
def test_what_is_weakened_is_found(finding: Finding, results: Mapping[str, Result]) -> None:
    before = finding.where.removeprefix(WEAKENED)

    assert finding in results[finding.tool].findings
    assert (finding.rule, before) not in {(each.rule, each.where) for each in deployed(results[finding.tool])}


def test_every_tool_is_seen_to_find_what_is_weakened() -> None:
    assert {finding.tool for finding in EXPECTED} == {*TOOLS}


def test_at_most_ten_suppressions_have_a_reason_and_something_to_suppress(
    results: Mapping[str, Result],
) -> None:
    found = [finding for result in results.values() for finding in deployed(result)]
    suppressed = suppressions.load()

    idle = [
        one
        for each in suppressed
        for one in each.one_by_one()
        if not any(one.covers(finding) for finding in found)
    ]

    assert idle == []
    assert len(suppressed) <= 10
    assert all(len(each.reason.split()) > 5 for each in suppressed)


def test_what_loops_and_conditions_make_is_among_what_is_checked(rendered: Path) -> None:
    made = {
        f"{path.stem}.{name}"
        for path in rendered.glob("*.json")
        for name in json.loads(path.read_text(encoding="utf-8"))["Resources"]
    }

    assert {
        *(f"storage.{use}Bucket" for use in ("AccessLog", "Artifact", "Data")),
        *(f"identity.{role}Role" for role in ("PipelineExecution", "ProcessingJob")),
        *("github-oidc.ProtectedBoundaries", "identity.MandatoryOwner", "job-logs.ProcessingJobsLogGroup"),
        *("operations.DataEventsTrail", "operations.MonthlyBudget", "network.DnsQueryLogGroup"),
    } <= made


def test_no_template_suppresses_anything_by_itself() -> None:
    """Suppressions within a template would be missing in suppressions.yaml."""
    texts = [path.read_text(encoding="utf-8") for path in suppressions.INFRA.rglob("*.yaml")]

    assert texts
    assert not any(word in text for text in texts for word in ("checkov", "cdk_nag", "SuppressedRules"))
