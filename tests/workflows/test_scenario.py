import pytest
from tests.workflows.github_server import recording_github
from tests.workflows.sandbox import Sandbox, pull_request

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory, server):
    with recording_github() as github:
        yield Sandbox(tmp_path_factory.mktemp("sandbox"), server, github)


def test_plan(sandbox):
    run = sandbox.run("plan", "pull_request", pull_request("opened"))
    print(run.output[-6000:])
    print(run.steps, run.results, run.seconds)
    for c in sandbox.github.comments[12]:
        print(c["body"])
    for k, v in run.summaries.items():
        print(k, v[:300])
    assert run.code == 0


def test_deploy(sandbox):
    run = sandbox.run("deploy", "push", {"ref": "refs/heads/main"})
    print(run.output[-5000:])
    print(*run.steps, sep="\n")
    print(run.results, run.seconds)
    for k, v in run.summaries.items():
        print(k, v)
    assert run.code == 1
