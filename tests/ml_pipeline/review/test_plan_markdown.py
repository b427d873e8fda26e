import json
from dataclasses import replace
from datetime import date

import pytest

from helpers.infra.stacks.changes import PlannedChange
from helpers.infra.stacks.fixed_costs import CostLine
from helpers.infra.stacks.plan import StackPlan
from ml_pipeline.definitions import Registration
from ml_pipeline.review.cost import RunCost, StepCost
from ml_pipeline.review.plan import PipelinePlan, Plan
from ml_pipeline.review.plan_markdown import LONGEST_SECTION, section

ACCOUNT = "123456789012"
COST = RunCost((StepCost("clean", 0.4567, "2 x ml.m5.xlarge for an hour"), StepCost("join", 0.5, "a guess")))
NEW = Registration(
    json.dumps({"Steps": [{"Name": "clean", "Role": f"arn:aws:iam::{ACCOUNT}:role/job"}]}), "", "role", {}
)
PIPELINE = PipelinePlan("P", None, NEW, COST)
STACKS = [
    StackPlan(
        "a-trial-storage",
        (
            PlannedChange("add", "Topic", "AWS::SNS::Topic", ""),
            PlannedChange("replace", "Bucket", "AWS::S3::Bucket", "BucketName, Tags", "BucketName"),
        ),
    ),
    StackPlan("a-trial-keys", note="No changes: a-trial-keys matches the template.", is_change=False),
    StackPlan(
        "a-trial-late", note="a-trial-late is new: all its resources will be added. It waits for <Bucket>."
    ),
]


PLAN = Plan(
    "trial",
    ACCOUNT,
    STACKS,
    [PIPELINE],
    [CostLine("10 interface endpoints in 2 zones", 146.0), CostLine("4 KMS keys", 4.0)],
    date(2026, 11, 24),
    "eu-north-1",
)


def rendered(
    stacks: list[StackPlan] | None = None, *pipelines: PipelinePlan, waiting: str = "", problem: str = ""
) -> str:
    if waiting or problem:
        return section(replace(PLAN, pipelines=[], waiting=waiting, problem=problem))
    return section(
        replace(PLAN, stacks=STACKS if stacks is None else stacks, pipelines=pipelines or [PIPELINE])
    )


def test_what_the_account_lacks_comes_first() -> None:
    short = section(replace(PLAN, shortages=["The zone a lacks <b>.", f"The quota in {ACCOUNT} is 0."]))

    assert short.startswith(
        "## Plan for `trial`\n\n"
        "> [!WARNING]\n> - The zone a lacks &lt;b>.\n> - The quota in ACCOUNT is 0.\n\n### Stacks\n"
    )


def test_the_section_reads_as_a_whole() -> None:
    assert (
        rendered()
        == """\
## Plan for `trial`

### Stacks

> [!WARNING]
> **1 to replace, 1 to add.** Replaced and deleted resources lose their content.

| Stack | Action | Resource | Type | What changes |
| --- | --- | --- | --- | --- |
| `a-trial-storage` | ⚠️ **replace** | `Bucket` | `AWS::S3::Bucket` | **`BucketName`**, `Tags` |
| `a-trial-storage` | add | `Topic` | `AWS::SNS::Topic` |  |

> a-trial-late is new: all its resources will be added. It waits for &lt;Bucket>.

No changes to `a-trial-keys`.

### Pipeline `P`

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
| **Fixed costs** | **150.00 a month** |
| 10 interface endpoints in 2 zones | 146.00 a month |
| 4 KMS keys | 4.00 a month |
| **One execution of `P`** | **0.96** |
| step `clean`: 2 x ml.m5.xlarge for an hour | 0.46 |
| step `join`: a guess | 0.50 |

An estimate from prices of eu-north-1 as of 2026-11-24, without usage-based costs: storage, requests, \
traffic, logs, Studio.
"""
    )


def test_nothing_to_change_is_reported_without_a_table() -> None:
    text = rendered([STACKS[1]], replace(PIPELINE, old=NEW))

    assert "No changes to `a-trial-keys`." in text
    assert "`P` is up to date" in text
    assert "| Stack |" not in text
    assert "WARNING" not in text


def test_a_pipeline_that_cannot_be_planned_is_shown_with_the_reason() -> None:
    missing = "The stacks are missing:\n  - @keys"

    waiting, problem = rendered(waiting=missing), rendered(problem=missing)

    assert "### Pipelines\n\n> The stacks are missing:\n>   - &#64;keys" in waiting
    assert "> The pipelines cannot be built: The stacks are missing:\n>   - &#64;keys" in problem
    assert "One execution" not in waiting + problem


def test_a_secret_is_not_shown_only_where_it_is() -> None:
    secret = "ghp_" + "a" * 36
    old = replace(NEW, definition=json.dumps({"Steps": [{"Arguments": {"Environment": {"X": secret}}}]}))

    text = rendered(None, replace(PIPELINE, old=old))

    assert secret not in text
    assert "a secret at `$.Steps[0].Arguments.Environment.X`." in text
    assert "```diff" not in text


@pytest.mark.parametrize("size", [10, 900, 5000])
def test_a_section_is_never_longer_than_three_of_them_fit_into_a_comment(size: int) -> None:
    many = StackPlan("s", tuple(PlannedChange("add", f"R{n}", "AWS::SNS::Topic", "") for n in range(size)))
    long = replace(NEW, definition=json.dumps({f"key {n}": "x" * 20 for n in range(size)}))

    text = rendered([many], PipelinePlan("P", None, long, COST), PipelinePlan("Q", NEW, long))

    assert len(text) <= LONGEST_SECTION
    assert ("lines more" in text) == (size > 10)
    assert ("… and" in text.split("### Pipeline")[0]) == (size > 10)
    assert text.count("```") == 4
    assert "### Cost estimate" in text


def test_nothing_in_a_definition_or_a_template_ends_its_code_block_or_table_cell() -> None:
    tricky = replace(NEW, description="````\n@everyone")
    change = PlannedChange("add", "A|B`@you", "AWS::SNS::Topic", "")

    text = rendered([StackPlan("s", (change,))], PipelinePlan("P", None, tricky))

    assert "`````diff" in text
    assert "`A\\|B'@you`" in text


def test_each_pipeline_has_a_part_and_a_cost_of_its_own() -> None:
    text = rendered(None, PIPELINE, PipelinePlan("Q", NEW, NEW, RunCost((StepCost("load", 2.0, "a guess"),))))

    assert text.index("### Pipeline `P`") < text.index("### Pipeline `Q`") < text.index("### Cost estimate")
    assert "`Q` is up to date, nothing would change." in text
    assert "| **One execution of `Q`** | **2.00** |\n| step `load`: a guess | 2.00 |" in text


def test_a_cost_below_a_cent_is_not_nothing_and_an_unknown_one_is_reported() -> None:
    def with_cost(usd: float | None) -> str:
        return rendered(None, replace(PIPELINE, cost=RunCost((StepCost("clean", usd, ""),))))

    assert "**less than 0.01**" in with_cost(0.001)
    assert "**unknown**" in with_cost(None)
