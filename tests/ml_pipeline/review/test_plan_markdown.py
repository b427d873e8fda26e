import json
from dataclasses import replace
from datetime import date

import pytest

from helpers.infra.stacks.changes import PlannedChange
from helpers.infra.stacks.plan import StackPlan
from helpers.infra.stacks.standing_costs import CostLine
from ml_pipeline.releases.registration import Registration
from ml_pipeline.review.cost import RunCost
from ml_pipeline.review.plan_markdown import LONGEST_SECTION, Costs, PipelinePlan, section

ACCOUNT = "123456789012"
COSTS = Costs(
    date(2026, 11, 24),
    "us-east-1",
    [CostLine("10 interface endpoints in 2 zones", 146.0), CostLine("4 KMS keys", 4.0)],
    RunCost(0.4567, "2 x ml.m5.xlarge for an hour"),
)
NEW = Registration(
    json.dumps({"Steps": [{"Name": "clean", "Role": f"arn:aws:iam::{ACCOUNT}:role/job"}]}), "", "role", {}
)
PIPELINE = PipelinePlan("P", None, NEW)
STACKS = [
    StackPlan(
        "a-dev-storage",
        (
            PlannedChange("add", "Topic", "AWS::SNS::Topic", ""),
            PlannedChange("replace", "Bucket", "AWS::S3::Bucket", "BucketName, Tags", "BucketName"),
        ),
    ),
    StackPlan("a-dev-keys", note="No changes: a-dev-keys is as the template says.", is_change=False),
    StackPlan("a-dev-late", note="a-dev-late is new, all of it is to add: it waits for <Bucket>."),
]


def said(
    stacks: list[StackPlan] | None = None, pipeline: PipelinePlan | str = PIPELINE, costs: Costs = COSTS
) -> str:
    return section("dev", STACKS if stacks is None else stacks, pipeline, costs, ACCOUNT)


def test_the_section_reads_as_a_whole() -> None:
    assert (
        said()
        == """\
## Plan for `dev`

### Stacks

> [!WARNING]
> **1 to replace, 1 to add.** What is replaced or deleted goes with what it holds.

| Stack | Action | Resource | Type | What changes |
| --- | --- | --- | --- | --- |
| `a-dev-storage` | ⚠️ **replace** | `Bucket` | `AWS::S3::Bucket` | **`BucketName`**, `Tags` |
| `a-dev-storage` | add | `Topic` | `AWS::SNS::Topic` |  |

> a-dev-late is new, all of it is to add: it waits for &lt;Bucket>.

No changes to `a-dev-keys`.

### Pipeline

`P` is new: 10 lines added, 0 removed.

<details><summary>Definition</summary>

```diff
--- registered
+++ this checkout
@@ -0,0 +1,10 @@
+role: role
+description: ""
+{
+  "Steps": [
+    {
+      "Name": "clean",
+      "Role": "arn:aws:iam::ACCOUNT:role/job"
+    }
+  ]
+}
```

</details>

### Cost estimate

| | USD |
| --- | --- |
| **Standing resources** | **150.00 a month** |
| 10 interface endpoints in 2 zones | 146.00 a month |
| 4 KMS keys | 4.00 a month |
| **One execution**: 2 x ml.m5.xlarge for an hour | **0.46** |

An estimate from prices of us-east-1 as of 2026-11-24, without what depends on use: storage, requests, \
traffic, logs, Studio.
"""
    )


def test_nothing_to_change_is_said_without_a_table() -> None:
    text = said([STACKS[1]], replace(PIPELINE, old=NEW))

    assert "No changes to `a-dev-keys`." in text
    assert "`P` is up to date" in text
    assert "| Stack |" not in text
    assert "WARNING" not in text


def test_a_pipeline_that_cannot_be_planned_says_why() -> None:
    assert "> The stacks are missing:\n>   - &#64;keys" in said(
        pipeline="The stacks are missing:\n  - @keys", costs=replace(COSTS, run=None)
    )


def test_a_secret_is_not_shown_only_where_it_is() -> None:
    secret = "ghp_" + "a" * 36
    old = replace(NEW, definition=json.dumps({"Steps": [{"Arguments": {"Environment": {"X": secret}}}]}))

    text = said(pipeline=replace(PIPELINE, old=old))

    assert secret not in text
    assert "a secret at `$.Steps[0].Arguments.Environment.X`." in text
    assert "```diff" not in text


@pytest.mark.parametrize("size", [10, 900, 5000])
def test_a_section_is_never_longer_than_three_of_them_fit_into_a_comment(size: int) -> None:
    many = StackPlan("s", tuple(PlannedChange("add", f"R{n}", "AWS::SNS::Topic", "") for n in range(size)))
    long = replace(NEW, definition=json.dumps({f"key {n}": "x" * 20 for n in range(size)}))

    text = said([many], PipelinePlan("P", None, long))

    assert len(text) <= LONGEST_SECTION
    assert ("lines more" in text) == (size > 10)
    assert ("… and" in text.split("### Pipeline")[0]) == (size > 10)
    assert text.count("```") == 2
    assert "### Cost estimate" in text


def test_nothing_in_a_definition_or_a_template_ends_the_fence_or_the_cell_it_stands_in() -> None:
    tricky = replace(NEW, description="````\n@everyone")
    change = PlannedChange("add", "A|B`@you", "AWS::SNS::Topic", "")

    text = said([StackPlan("s", (change,))], PipelinePlan("P", None, tricky))

    assert "`````diff" in text
    assert "`A\\|B'@you`" in text


def test_a_cost_below_a_cent_is_not_nothing_and_an_unknown_one_is_said() -> None:
    assert "**less than 0.01**" in said(costs=replace(COSTS, run=RunCost(0.001, "")))
    assert "**unknown**" in said(costs=replace(COSTS, run=RunCost(None, "")))
