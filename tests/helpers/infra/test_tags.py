import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.errors import UserError
from helpers.infra.tags.tags import get_tags_input

allowed = st.characters().filter(lambda c: unicodedata.category(c)[0] in "LZN" or c in "_.:/=+-@")
keys = st.text(allowed, min_size=1, max_size=128).filter(lambda key: not key.lower().startswith("aws:"))


def test_tags_are_given_in_the_form_of_the_api_sorted_by_key() -> None:
    assert get_tags_input({"Project": "p", "Owner": ""}) == [
        {"Key": "Owner", "Value": ""},
        {"Key": "Project", "Value": "p"},
    ]


@given(st.dictionaries(keys, st.text(allowed, max_size=256), max_size=50))
def test_every_valid_dictionary_of_tags_passes_whatever_its_order(tags: dict[str, str]) -> None:
    sent = get_tags_input(tags)

    assert {tag["Key"]: tag["Value"] for tag in sent} == tags
    assert sent == get_tags_input(dict(reversed(tags.items())))


@pytest.mark.parametrize(
    ("tags", "problem"),
    [
        ({f"key{n}": "" for n in range(51)}, "found 51 tags, AWS takes at most 50"),
        ({"": "x"}, "the key has 0 characters; use 1 to 128"),
        ({"k" * 129: "x"}, "the key has 129 characters"),
        ({"k": "v" * 257}, "the value has 257 characters; use at most 256"),
        ({"aws:owner": "x"}, "reserved for AWS"),
        ({"AwS:owner": "x"}, "reserved for AWS"),
        ({"a&b&": "x"}, "the key contains '&'"),
        ({"a": "x\ny"}, r"the value contains '\n'"),
        ({"a": 3}, "the value is of type int; put it in quotes"),
    ],
)
def test_what_aws_would_reject_is_rejected(tags: dict[str, str], problem: str) -> None:
    with pytest.raises(UserError) as rejected:
        get_tags_input(tags)

    assert problem in str(rejected.value)


def test_all_problems_are_reported_together() -> None:
    with pytest.raises(UserError) as rejected:
        get_tags_input({"aws:x": "#", "y!": "ok"})

    assert len(rejected.value.message.splitlines()) == 1 + 3
