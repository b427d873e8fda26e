"""The text of a template."""

from typing import Any

import pytest
from moto.cloudformation.exceptions import ValidationError

from helpers.local_aws.cloudformation.templates.reading import read_template


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A: !Ref X", {"Ref": "X"}),
        ("A: !GetAtt X.Outputs.Y", {"Fn::GetAtt": ["X", "Outputs.Y"]}),
        ("A: !GetAtt [X, Y]", {"Fn::GetAtt": ["X", "Y"]}),
        ("A: !Condition X", {"Condition": "X"}),
        ("A: !Base64 {'Fn::Sub': x}", {"Fn::Base64": {"Fn::Sub": "x"}}),
        ("A: !ImportValue\n  Fn::Sub: x", {"Fn::ImportValue": {"Fn::Sub": "x"}}),
        (
            "A: !Select [0, !GetAZs {Ref: 'AWS::Region'}]",
            {"Fn::Select": [0, {"Fn::GetAZs": {"Ref": "AWS::Region"}}]},
        ),
        ("A: {Version: 2012-10-17}", {"Version": "2012-10-17"}),
        ("A: 2012-10-17T01:02:03Z", "2012-10-17T01:02:03Z"),
        ("A: [1, true, x]", [1, True, "x"]),
        ('{\t"A": 1}', 1),
        ("{A: 1}", 1),
    ],
)
def test_yaml_and_json_as_cloudformation_reads_them(text: str, expected: Any) -> None:
    assert read_template(text) == {"A": expected}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"A": 1,}}', r"JSON not well-formed. \(line 1, column 9\)"),
        ("A: [1", r"YAML not well-formed. \(line 2, column 1\)"),
        ("- A", "unsupported structure"),
        ("just text", "unsupported structure"),
        ("", "unsupported structure"),
    ],
)
def test_what_is_not_a_template(text: str, message: str) -> None:
    with pytest.raises(ValidationError, match=f"Template format error: {message}"):
        read_template(text)
