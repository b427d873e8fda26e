"""The embedded AWS evaluates by the same rules as the simulator: the same decisions for the same table."""

from typing import Any

from policies import EVERYTHING
from policies import Policies as Deployed

from helpers.local_aws.access.conditions import context_of
from helpers.local_aws.access.evaluation import AccessRequest, Policies, evaluate


def decision(request: dict[str, Any], deployed: Deployed) -> str:
    documents = {**deployed.documents, **EVERYTHING}

    def found(names: list[str]) -> Any:
        return documents[names[0]] if names else None

    asked = AccessRequest(
        request["principal"],
        request["action"],
        request["resource"],
        request["account"],
        context_of(request["context"]),
    )
    policies = Policies(
        identity=[documents[name] for name in request["identity"]],
        boundary=found(request["boundary"]),
        resource=found([request["resourcePolicy"]] if request["resourcePolicy"] else []),
        endpoint=found(request["endpoint"]),
    )
    rejected = evaluate(asked, policies)
    if rejected is None:
        return "allowed"
    return "denied" if rejected.statement is None else str(rejected.statement["Sid"])


def test_every_request_of_the_table_is_judged_as_the_simulator_judges_it(
    requests: list[dict[str, Any]], policies: Deployed
) -> None:
    wrong = [
        f"{request['title']}: expected {request['gives']}, got {given}"
        for request in requests
        if (given := decision(request, policies)) != request["gives"]
    ]

    assert not wrong, "\n".join(wrong)
