"""The security page lists exactly the existing controls."""

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

import pytest
from checkers import suppressions
from checkers.tools import Result
from checkers.weakening import WEAKENED
from controls import PAGE, ROOT, Control, load, with_table

from helpers.local_aws.cloudformation.templates.validation import parse_template

# Protections other than Deny statements.
PROTECTING = {
    "AWS::CloudTrail::Trail",
    "AWS::EC2::FlowLog",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::VPCEndpoint",
    "AWS::IAM::Role",
    "AWS::KMS::Key",
    "AWS::Route53Resolver::FirewallRuleGroupAssociation",
    "AWS::S3::Bucket",
    "AWS::SNS::Topic",
}
# The parent has a parameter for each value that it passes, not all with defaults.
GIVEN = {"VpcCidr": "10.0.0.0/16"}


@pytest.mark.parametrize("control", load(), ids=lambda control: control.control[:60])
def test_a_control_has_its_text_its_test_and_its_names(control: Control) -> None:
    assert control.line_number()
    assert not control.missing_tests()
    assert control.identifiers, "write `none`, with the reason, if there is no identifier for it"


def to_cover() -> Iterator[str]:
    """Yield the protections in the templates: resources by logical ID, Deny statements as `<id>.<Sid>`."""
    for path in sorted((ROOT / "infra").rglob("*.yaml")):
        template = parse_template(path.read_text(encoding="utf-8"), GIVEN)
        for name, resource in template["Resources"].items():
            if resource["Type"] in PROTECTING:
                yield name
            properties = resource["Properties"]
            document = properties.get("PolicyDocument") or properties.get("KeyPolicy") or {}
            for statement in document.get("Statement", []):
                if statement["Effect"] == "Deny":
                    yield f"{name}.{statement['Sid']}"


def test_all_that_protects_is_in_the_table() -> None:
    parts, patterns = set(to_cover()), {pattern for control in load() for pattern in control.covers}
    covered = {pattern: {part for part in parts if fnmatchcase(part, pattern)} for pattern in patterns}

    assert parts - set().union(*covered.values()) == set()
    assert {pattern for pattern, found in covered.items() if not found} == set(), "is there no more"


def test_the_page_has_the_table_as_it_is_now() -> None:
    page = PAGE.read_text(encoding="utf-8")

    assert with_table(page, load()) == page, "run: make security-page"


def test_identifiers_are_the_rules_that_had_something_to_check(results: Mapping[str, Result]) -> None:
    """All of them, except those whose findings are all suppressed."""
    applied = {
        rule
        for result in results.values()
        for template, rule in result.rules
        if not template.startswith(WEAKENED)
    }
    named = {
        identifier
        for control in load()
        if not control.identifiers.startswith("none: ")
        for identifier in control.identifiers.split(", ")
    }

    assert named - applied == set(), "a rule that nobody runs, or that has nothing to check"
    assert applied - named <= {each.rule for each in suppressions.load()}, "a rule without a control"
