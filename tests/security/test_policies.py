"""The policies of the deployed stacks, evaluated together, and the effect of each statement.

A lost part of a policy is detected if a decision differs from the table: then
test_every_request_gets_the_decision_that_is_expected fails for the template.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from policies import ACCOUNT, EVERYTHING, PREFIX, Mutant, Policies, in_words, mutants_of, simulate

from helpers.infra.stacks import StackConfiguration, teardown
from helpers.infra.stacks.deploy import deploy
from helpers.local_aws.cloudformation.templates.validation import parse_template
from tests.infra_folder import every_stack
from tests.quiet_console import QuietConsole

pytestmark = pytest.mark.timeout(600)  # seconds, as for the simulator, which evaluates thousands of requests
TRANSFORM = ("github-oidc.PlanPolicy", "Transform")
# The simulator supports neither the claims of identity providers nor transforms: separate tests cover them.
# No one is allowed what these deny; Control Tower requires them for every key, CT.KMS.PR.3.
ASKED_FOR = {(f"keys.{use}Key", "GrantsForServicesOnly") for use in ("Artifact", "Data", "Log")}
BEYOND = (
    *(f"github-oidc.{name}Role: " for name in ("Deploy", "Plan")),
    "github-oidc.ModelReaderRole: ",  # part: model life cycle
    ": ".join(TRANSFORM),
)


@dataclass(frozen=True)
class Evaluation:
    """The decisions on all requests, and those of each mutant on its requests, by index."""

    decisions: Sequence[str]
    mutants: Mapping[Mutant, Mapping[int, str]]
    beyond: Sequence[Mutant]


@pytest.fixture(scope="module")
def evaluation(policies: Policies, requests: list[dict[str, Any]]) -> Evaluation:
    mutants = [mutant for name, text in policies.documents.items() for mutant in mutants_of(name, text)]
    beyond = [mutant for mutant in mutants if str(mutant).startswith(BEYOND)]
    judged = [mutant for mutant in mutants if mutant not in beyond]
    decisions, of_mutants = simulate({**policies.documents, **EVERYTHING}, requests, judged)
    in_turn = [{index: in_words(decision) for index, decision in found.items()} for found in of_mutants]
    return Evaluation(
        [in_words(decision) for decision in decisions], dict(zip(judged, in_turn, strict=True)), beyond
    )


def test_every_resource_with_a_policy_is_evaluated(
    stacks: tuple[StackConfiguration, ...], policies: Policies
) -> None:
    """For resources of any type: a document that is not collected would be in no table."""
    with_statements = [
        f"{stack.name.removeprefix(f'{PREFIX}-')}.{name}"
        for stack in stacks
        for name, resource in parse_template(stack.template, stack.parameters)["Resources"].items()
        if "'Statement'" in str(resource)
    ]

    assert with_statements
    # The policy of a bucket or topic is a separate resource, and is read from the bucket or topic.
    assert {
        name for name in with_statements if {name, name.removesuffix("Policy")}.isdisjoint(policies.documents)
    } == set()


def test_every_request_gets_the_decision_that_is_expected(
    requests: list[dict[str, Any]], evaluation: Evaluation
) -> None:
    wrong = [
        f"{request['title']}: expected {request['gives']}, got {decision}"
        for request, decision in zip(requests, evaluation.decisions, strict=True)
        if decision != request["gives"]
    ]

    assert not wrong, "\n".join(wrong)
    assert len(requests) >= 60


def test_every_deny_is_the_only_one_that_stops_some_request(
    policies: Policies, requests: list[dict[str, Any]], evaluation: Evaluation
) -> None:
    """Each Deny has a request that is allowed without it, including each request that names one."""
    denies = {
        (name, statement["Sid"])
        for name, document in policies.documents.items()
        for statement in document["Statement"]
        if statement["Effect"] == "Deny"
    }
    freed = {
        (mutant.document, mutant.what, index)
        for mutant, decisions in evaluation.mutants.items()
        for index, decision in decisions.items()
        if mutant.kind == "statements" and decision == "allowed" and requests[index]["gives"] == mutant.what
    }
    stopped = {
        index
        for index, request in enumerate(requests)
        if request["gives"] not in {"allowed", "denied"}
        and (request["resourcePolicy"], request["gives"]) not in ASKED_FOR
    }

    assert denies - {(document, sid) for document, sid, _ in freed} == ASKED_FOR
    assert {requests[index]["title"] for index in stopped - {index for *_, index in freed}} == set()


def test_nothing_that_a_policy_loses_goes_unnoticed(
    requests: list[dict[str, Any]], evaluation: Evaluation, report: Callable[[str], None]
) -> None:
    """A statement, a condition, a part of a Deny, a principal: without it, a decision changes."""
    survivors = [
        mutant
        for mutant, decisions in evaluation.mutants.items()
        if all(decision == requests[index]["gives"] for index, decision in decisions.items())
    ]

    of_kind, survived = (Counter(mutant.kind for mutant in each) for each in (evaluation.mutants, survivors))
    for kind, total in of_kind.items():
        report(f"mutants of policies, {kind}: {total - survived[kind]} of {total} killed")
    report(f"mutants of policies, beyond the simulator: {len(evaluation.beyond)}")
    for mutant in evaluation.beyond:
        report(f"  {mutant}")
    assert not survivors, "\n".join(map(str, survivors))


def test_no_policy_can_be_detached_from_a_role_unnoticed(
    policies: Policies, requests: list[dict[str, Any]], report: Callable[[str], None]
) -> None:
    detached = [
        (
            f"{role}: {policy}",
            {**request, "identity": [name for name in request["identity"] if name != policy]},
        )
        for role, attached in policies.of_role.items()
        for policy in attached
        for request in requests
        if request["principal"].endswith(f":role/{PREFIX}-{role}") and policy in request["identity"]
    ]
    decisions, _ = simulate({**policies.documents, **EVERYTHING}, [request for _, request in detached])
    noticed = {
        attachment
        for (attachment, request), decision in zip(detached, decisions, strict=True)
        if in_words(decision) != request["gives"]
    }

    attachments = {f"{role}: {policy}" for role, attached in policies.of_role.items() for policy in attached}
    report(f"policies of roles: {len(noticed)} of {len(attachments)} missed when they are detached")
    assert attachments - noticed == set()


def test_a_boundary_holds_a_role_whatever_is_attached_to_it(policies: Policies) -> None:
    """GitHub's roles are created by an administrator, and have no boundary."""
    assert policies.boundary.keys() == {role for role in policies.of_role if not role.startswith("ci-")}
    asked = [
        {
            "principal": f"arn:aws:iam::{ACCOUNT}:role/{PREFIX}-{role}",
            "action": "iam:CreateUser",
            "resource": f"arn:aws:iam::{ACCOUNT}:user/someone",
            "account": ACCOUNT,
            "context": {},
            "identity": [*policies.of_role[role], "everything"],
            "boundary": boundary,
        }
        for role, name in policies.boundary.items()
        for boundary in ([name], [])
    ]

    decisions, _ = simulate({**policies.documents, **EVERYTHING}, asked)

    assert [in_words(decision) for decision in decisions] == ["denied", "allowed"] * len(policies.boundary)


@pytest.mark.parametrize(
    ("numbers", "repository"),
    [
        ({}, "repo:owner/name"),
        (
            {"GitHubOwnerId": "12", "GitHubRepositoryId": "345"},
            "repo:owner@12/name@345",
        ),
    ],
    ids=["by name", "by number"],
)
def test_github_is_trusted_for_one_repository_and_its_occasions(
    aws: boto3.Session, outputs: dict[str, str], numbers: dict[str, str], repository: str
) -> None:
    iam, issuer = aws.client("iam"), "token.actions.githubusercontent.com"
    (provider,) = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    given = {"ExistingOidcProviderArn": provider["Arn"], **numbers}
    stack = every_stack("trust", **given)[-1]
    deploy(aws.client("cloudformation"), stack, QuietConsole())
    # Complete, and with equality: a missing claim or a pattern would allow others.
    subjects = {
        "ci-plan": [f"{repository}:pull_request", f"{repository}:ref:refs/heads/main"],
        "ci-deploy": f"{repository}:environment:local",
        "ci-model-reader": f"{repository}:environment:local",  # part: model life cycle
    }
    trusts = {
        role: iam.get_role(RoleName=f"trust-local-{role}")["Role"]["AssumeRolePolicyDocument"]
        for role in subjects
    }
    teardown(aws, [stack], QuietConsole())

    assert trusts == {
        role: {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "sts:AssumeRoleWithWebIdentity",
                    "Principal": {"Federated": provider["Arn"]},
                    "Condition": {
                        "StringEquals": {f"{issuer}:aud": "sts.amazonaws.com", f"{issuer}:sub": subject}
                    },
                }
            ],
        }
        for role, subject in subjects.items()
    }
    details = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=provider["Arn"])
    assert (details["Url"], details["ClientIDList"]) == (issuer, ["sts.amazonaws.com"])


def test_change_sets_may_use_the_one_transform_of_the_templates(
    aws: boto3.Session, policies: Policies
) -> None:
    document, sid = TRANSFORM
    (statement,) = (each for each in policies.documents[document]["Statement"] if each["Sid"] == sid)

    assert statement == {
        "Sid": sid,
        "Effect": "Allow",
        "Action": "cloudformation:CreateChangeSet",
        "Resource": f"arn:aws:cloudformation:{aws.region_name}:aws:transform/LanguageExtensions",
    }
