"""What checkov says of the templates as they are deployed: loops unrolled, with the values of an environment.

Left alone with the files, checkov does not unroll Fn::ForEach, nor look at what is made on a condition that
is false by default.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from helpers.local_aws.cloudformation.templates.validation import parse_template
from tests.infra_folder import every_stack

pytestmark = pytest.mark.timeout(
    300
)  # seconds: checkov alone takes ten, on a machine with nothing else to do
INFRA = Path(__file__).parents[2] / "infra"
# What a loop makes, and what has a condition: that it was looked at proves that all of the text was.
SCANNED = {
    *(f"AWS::KMS::Key.{use}Key" for use in ("Artifact", "Data", "Log", "Studio", "Volume")),
    *(f"AWS::S3::Bucket.{use}Bucket" for use in ("AccessLog", "Artifact", "Data")),
    *(
        f"AWS::IAM::Role.{role}Role"
        for role in ("PipelineExecution", "ProcessingJob", "TrainingJob", "StudioUser")
    ),
    "AWS::CloudTrail::Trail.DataEventsTrail",
    "AWS::IAM::ManagedPolicy.MandatoryOwner",
    "AWS::IAM::ManagedPolicy.ProtectedBoundaries",
    "AWS::IAM::Role.DefaultGroupRole",
    "AWS::IAM::Role.DeployRole",
    "AWS::Logs::LogGroup.FlowLogGroup",
    "AWS::SageMaker::Domain.StudioDomain",
    "AWS::SNS::Topic.AlarmTopic",
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What checkov says."""
    folder = tmp_path_factory.mktemp("deployed")
    given = {
        **{key: value for stack in every_stack("checkov") for key, value in stack.parameters.items()},
        "ProtectsBoundaries": "true",
    }
    for path in INFRA.glob("*.yaml"):
        template = parse_template(path.read_text(encoding="utf-8"), given)
        template.pop("Transform", None)
        for name in template["Parameters"].keys() & given.keys():
            template["Parameters"][name]["Default"] = given[name]
        (folder / f"{path.stem}.json").write_text(json.dumps(template, default=str), encoding="utf-8")
    result = subprocess.run(
        [
            *("checkov", "--compact", "--skip-download", "--output", "json"),
            *("--framework", "cloudformation", "--directory", str(folder)),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    results: dict[str, Any] = json.loads(result.stdout)["results"]
    return results


def test_what_is_deployed_passes(found: dict[str, Any]) -> None:
    assert [
        f"{each['resource']}: {each['check_id']} {each['check_name']}" for each in found["failed_checks"]
    ] == []
    assert found["parsing_errors"] == []
    assert SCANNED - {each["resource"] for each in found["passed_checks"]} == set()


def test_at_most_five_checks_are_suppressed_each_with_a_reason_at_its_resource(found: dict[str, Any]) -> None:
    skipped = [
        (each["resource"], each["check_result"]["suppress_comment"]) for each in found["skipped_checks"]
    ]
    assert len(skipped) <= 5
    assert all(len(reason.split()) > 5 for _, reason in skipped)
    texts = [path.read_text(encoding="utf-8") for path in INFRA.glob("*.yaml")]
    assert sum(text.count("- id: CKV") for text in texts) == len(skipped)
    assert not any("checkov:skip" in text for text in texts)
