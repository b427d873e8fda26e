"""References between parts of templates."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from helpers.local_aws.cloudformation.templates.references import dependencies, in_order, references


def test_references_are_found_in_all_functions() -> None:
    part = {
        "DependsOn": ["A", "B"],
        "Properties": [
            {"Ref": "C"},
            {"Fn::GetAtt": ["D", "Arn"]},
            {"Fn::Sub": "${E.Arn} ${!Literal} ${!Literal.Arn} ${F}"},
            {"Fn::Sub": ["${G} ${ own } ${own.Arn}", {"own": {"Ref": "H"}, "own.Arn": "x"}]},
            {"Fn::Sub": ["${I.Arn}", {"I": "another I"}]},
        ],
    }
    assert set(references(part)) == set("ABCDEFGHI")
    assert list(references({"DependsOn": "A"})) == ["A"]


@given(st.lists(st.sets(st.integers(0, 9)), min_size=10, max_size=10), st.randoms())
def test_resources_come_after_what_they_refer_to(edges: list[set[int]], random: Any) -> None:
    # References only to smaller numbers: no circular dependencies, which CloudFormation rejects.
    resources = {
        str(name): {"DependsOn": [str(other) for other in others if other < name]}
        for name, others in enumerate(edges)
    }
    names = list(resources)
    random.shuffle(names)
    ordered = in_order({name: resources[name] for name in names})
    assert sorted(ordered) == sorted(names)
    for name in names:
        assert all(ordered.index(other) < ordered.index(name) for other in dependencies(resources, name))
