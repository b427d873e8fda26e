"""The policies of the deployed stacks, evaluated together; and what each of their statements is worth."""

from dataclasses import replace
from typing import Any

import boto3
import pytest
from policies import EVERYTHING, Policies, mutants_of, simulate
from rich.console import Console

from helpers.infra.stacks import load_stacks, teardown
from helpers.infra.stacks.deploy import deploy

pytestmark = pytest.mark.timeout(600)  # seconds, as the simulator has: it judges thousands of requests
TRANSFORM = ("github-oidc.PlanPolicy", "Transform")


@pytest.fixture(scope="module")
def evaluation(
    policies: Policies, requests: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[tuple[str, dict[str, str]]]]:
    mutants = [
        mutant
        for name, text in policies.documents.items()
        if not name.startswith("trust/ci-")  # the simulator knows no claims of an identity provider,
        for mutant in mutants_of(name, text)
        if (name, mutant.what) != TRANSFORM  # and no transforms as resources: both have tests of their own
    ]
    verdicts, results = simulate({**policies.documents, **EVERYTHING}, requests, mutants)
    named = [f"{mutant.document}: {mutant.what}" for mutant in mutants]
    return verdicts, list(zip(named, results, strict=True))


def test_every_request_gets_the_verdict_that_is_expected(
    requests: list[dict[str, Any]], evaluation: tuple[list[dict[str, Any]], Any]
) -> None:
    wrong = [
        f"{request['title']}: expected {request['gives']}, got {verdict}"
        for request, verdict in zip(requests, evaluation[0], strict=True)
        if not is_as_expected(request["gives"], verdict)
    ]

    assert not wrong, "\n".join(wrong)
    assert len(requests) >= 60


def is_as_expected(gives: str, verdict: dict[str, Any]) -> bool:
    if "error" in verdict or verdict["ignored"]:  # a key that is ignored proves nothing
        return False
    match gives:
        case "allowed":
            return bool(verdict["result"] == "Allowed")
        case "denied":
            return bool(verdict["result"] == "ImplicitlyDenied")
        case sid:
            return bool(verdict["result"] == "ExplicitlyDenied" and verdict["denies"] == [sid])


def test_every_deny_is_the_only_one_that_stops_some_request(
    policies: Policies, requests: list[dict[str, Any]]
) -> None:
    denies = {
        statement["Sid"]
        for document in policies.documents.values()
        for statement in document["Statement"]
        if statement["Effect"] == "Deny"
    }

    assert denies - {request["gives"] for request in requests} == set()


def test_no_statement_and_no_condition_can_go_unnoticed(
    evaluation: tuple[list[dict[str, Any]], list[tuple[str, dict[str, str]]]],
) -> None:
    """A policy without one of its statements, or one of its conditions, changes a verdict."""
    verdicts, mutants = evaluation
    survivors = [
        name
        for name, results in mutants
        if all(verdicts[int(index)].get("result") == result for index, result in results.items())
    ]

    print(f"{len(mutants) - len(survivors)} of {len(mutants)} mutants are killed")
    assert not survivors, "\n".join(survivors)


def test_no_policy_can_be_detached_from_a_role_unnoticed(
    policies: Policies, requests: list[dict[str, Any]], evaluation: tuple[list[dict[str, Any]], Any]
) -> None:
    detached = [
        (f"{role}: {policy}", index, {**request, "identity": [n for n in request["identity"] if n != policy]})
        for role, attached in policies.of_role.items()
        for policy in attached
        for index, request in enumerate(requests)
        if request["principal"].endswith(f"-local-{role}") and request["gives"] != "denied"
    ]
    results, _ = simulate({**policies.documents, **EVERYTHING}, [request for _, _, request in detached])
    noticed = {
        name
        for (name, index, _), result in zip(detached, results, strict=True)
        if result.get("result") != evaluation[0][index].get("result")
    }

    attachments = {f"{role}: {policy}" for role, attached in policies.of_role.items() for policy in attached}
    print(f"{len(noticed)} of {len(attachments)} attachments are missed")
    assert attachments - noticed == set()


@pytest.mark.parametrize(
    ("numbers", "repository"),
    [
        ({}, "repo:example-owner/example-repository"),
        (
            {"GitHubOwnerId": "12", "GitHubRepositoryId": "345"},
            "repo:example-owner@12/example-repository@345",
        ),
    ],
    ids=["by name", "by number"],
)
def test_github_is_trusted_for_one_repository_and_its_occasions(
    aws: boto3.Session, outputs: dict[str, str], numbers: dict[str, str], repository: str
) -> None:
    iam, issuer = aws.client("iam"), "token.actions.githubusercontent.com"
    (provider,) = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    local = load_stacks("local")[-1]
    given = {"ProjectName": "trust", "ExistingOidcProviderArn": provider["Arn"], **numbers}
    stack = replace(local, name="trust-local-github-oidc", parameters={**local.parameters, **given})
    deploy(aws.client("cloudformation"), stack, Console(quiet=True))
    trusts = {
        role: iam.get_role(RoleName=f"trust-local-{role}")["Role"]["AssumeRolePolicyDocument"]
        for role in ("ci-plan", "ci-deploy")
    }
    teardown(aws, [stack], Console(quiet=True))

    # Whole, and by equality: a claim that is not named, or a pattern, would let others in.
    subjects = {
        "ci-plan": [f"{repository}:pull_request", f"{repository}:ref:refs/heads/main"],
        "ci-deploy": f"{repository}:environment:local",
    }
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


def test_change_sets_may_use_the_one_transform_of_the_templates(policies: Policies) -> None:
    document, sid = TRANSFORM
    (statement,) = (each for each in policies.documents[document]["Statement"] if each["Sid"] == sid)

    assert statement == {
        "Sid": sid,
        "Effect": "Allow",
        "Action": "cloudformation:CreateChangeSet",
        "Resource": "arn:aws:cloudformation:us-east-1:aws:transform/LanguageExtensions",
    }
