from dataclasses import replace
from datetime import UTC, datetime

import pytest

from helpers.environments import Environment
from ml_pipeline.definitions import Registration
from ml_pipeline.executions.target import Target
from ml_pipeline.releases.history import Entry
from ml_pipeline.review.pipeline_drift import PipelineDrift, as_document, lines, pipeline_drift

TARGET = Target(Environment("local"), "fares", "P")
CHECKOUT = Registration('{"Steps": []}', "ours", "role", {"Owner": "me"})
MARKED = replace(CHECKOUT, tags={"Owner": "me", "gitops:version": "3"})
NEWEST = Entry(
    version=3,
    time=datetime(2026, 11, 24, tzinfo=UTC),
    who="me",
    commit="c",
    code_hash="h",
    definition_hash="d",
    role_arn=CHECKOUT.role_arn,
    description=CHECKOUT.description,
    tags=dict(CHECKOUT.tags),
    definition=CHECKOUT.definition,
)


def test_what_was_upserted_from_this_checkout_has_no_drift() -> None:
    drift = pipeline_drift("P", MARKED, NEWEST, CHECKOUT)

    assert not drift
    assert list(lines(drift, TARGET)) == ["local: no drift in the pipeline P."]


def test_a_change_by_hand_differs_from_the_record_and_from_the_checkout() -> None:
    drift = pipeline_drift("P", replace(MARKED, description="theirs"), NEWEST, CHECKOUT)

    assert drift.by_hand[:2] == ("--- registered", "+++ version 3")
    assert {'-description: "theirs"', '+description: "ours"'} <= {*drift.by_hand} & {*drift.not_upserted}
    found = list(lines(drift, TARGET))
    assert found[0] == "P was changed by hand:"
    assert "P differs from this checkout:" in found
    assert found[-1] == "local: drift in the pipeline P. Upsert it with: make upsert ENV=local PIPELINE=fares"


def test_a_checkout_that_was_not_upserted_is_not_a_change_by_hand() -> None:
    drift = pipeline_drift("P", MARKED, NEWEST, replace(CHECKOUT, description="newer"))

    assert not drift.by_hand
    assert '+description: "newer"' in drift.not_upserted


def test_a_rollback_is_marked_as_one() -> None:
    back = NEWEST.model_copy(update={"rolled_back_to": 1})

    assert pipeline_drift("P", MARKED, back, CHECKOUT).note == "version 3 is a rollback to 1"


@pytest.mark.parametrize(
    ("there", "newest", "by_hand"),
    [
        (None, NEWEST, ("version 3 was upserted, and then deleted",)),
        (None, None, ()),
        (CHECKOUT, None, ("it is registered, and no upsert is recorded",)),
    ],
)
def test_what_is_missing_is_drift(
    there: Registration | None, newest: Entry | None, by_hand: tuple[str, ...]
) -> None:
    drift = pipeline_drift("P", there, newest, CHECKOUT)

    assert drift
    assert drift.by_hand == by_hand
    assert bool(drift.not_upserted) == (there is None)


def test_programs_get_all_of_it() -> None:
    assert as_document(PipelineDrift("P", by_hand=("-x",))) == {
        "drifted": True,
        "name": "P",
        "by_hand": ("-x",),
        "not_upserted": (),
        "note": "",
    }
