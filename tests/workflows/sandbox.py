"""A repository whose workflows run on this machine with act, the embedded AWS and a recording GitHub."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from helpers.aws import ANY_ENVIRONMENT
from helpers.environments import promoted
from helpers.local_aws.server_state import ServerState
from helpers.project_settings import project_settings
from ml_pipeline.params import DEFAULT_PIPELINE
from ml_pipeline.params.files import parameter_file
from tests.workflows.github_server import TOKEN, GitHub

ROOT = Path(__file__).parents[2]
VIRTUAL_ENVIRONMENT = Path(sys.prefix)
ACT = VIRTUAL_ENVIRONMENT / "workflows" / "bin" / "act"
STAND_INS = Path(__file__).parent / "stand_ins"
REPOSITORY = project_settings().repository
USES = re.compile(r"uses: ([\w-]+/([\w-]+))@([0-9a-f]{40})")


@dataclass(frozen=True)
class Step:
    """An executed step: its job and its result."""

    job: str
    name: str
    result: str


@dataclass
class Run:
    """The result of a workflow run."""

    event: str
    code: int
    seconds: float
    steps: list[Step] = field(default_factory=list)
    results: dict[str, str] = field(default_factory=dict)
    """Results by job."""
    summaries: dict[str, str] = field(default_factory=dict)
    """Step summaries by job."""
    output: str = ""

    def failed_step(self) -> str:
        """Return the name of the failed step, which must exist."""
        (name,) = {step.name for step in self.steps if step.result == "failure"}
        return name


def _is_of_another_pipeline(name: str) -> bool:
    """Return whether a file is the module or the parameters of a pipeline other than the first one.

    Workflows treat all pipelines alike, and a model pipeline takes minutes in each environment.
    """
    path = Path(name)
    folder = path.parent.as_posix()
    is_module = folder == "ml_pipeline/pipelines" and path.stem not in {"__init__", DEFAULT_PIPELINE}
    return is_module or folder == "ml_pipeline/params/pipelines"


def _run_on_one_instance(parameters: Path) -> None:
    """Let the jobs of the first pipeline do without YARN, which takes two thirds of their time."""
    text = parameters.read_text()
    parameters.write_text(re.sub(r'(?<="pyspark_process_instance_count": )\d+', "1", text))


class Sandbox:
    """A copy of this repository with its first pipeline and its own history."""

    def __init__(self, folder: Path, server: ServerState, github: GitHub):
        assert "SANDBOX" not in os.environ, "a workflow in a sandbox must make no sandbox of its own"
        self.folder = folder
        self.repository = folder / "repository"
        self.github = github
        self.server = server
        self.executed: set[tuple[str, str]] = set()
        """The executed steps, each with its workflow and job."""
        self.seconds: dict[str, list[float]] = {}
        (folder / "home" / ".config" / "act").mkdir(parents=True)
        (folder / "home" / ".config" / "act" / "actrc").touch()
        (folder / "venv").symlink_to(VIRTUAL_ENVIRONMENT)
        (folder / "assumed").touch()
        aws = server.environment()
        credentials = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "NO_PROXY")
        variables = {**{name: aws[name] for name in credentials}, ANY_ENVIRONMENT: "yes"}
        (folder / "aws.env").write_text("".join(f"{name}={value}\n" for name, value in variables.items()))
        # act sets the address of GitHub for every step; each shell overrides it.
        (folder / "shell").write_text(f"export GITHUB_API_URL={github.url}\n")
        self._copy()

    def _copy(self) -> None:
        listed = subprocess.run(
            ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file() and not _is_of_another_pipeline(name):  # and not deleted since
                (self.repository / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.repository / name)
        _run_on_one_instance(self.repository / parameter_file(DEFAULT_PIPELINE).relative_to(ROOT))
        for path in (self.repository / ".github" / "workflows").glob("*.yml"):
            # act has no concurrency queues, and its workflow schema does not know this property.
            path.write_text(re.sub(r"\n +queue: max(?=\n)", "", path.read_text()))
        self.git("init", "--quiet", "--initial-branch", "main")
        self.git("remote", "add", "origin", f"https://github.com/{REPOSITORY}.git")
        self.commit("First")

    def git(self, *words: str) -> str:
        identity = ["-c", "user.name=Someone", "-c", "user.email=someone@example.com"]
        done = subprocess.run(
            ["git", *identity, "-C", self.repository, *words], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, message: str) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def change(self, path: str, old: str, new: str) -> str:
        """Commit a change to a file."""
        text = (self.repository / path).read_text()
        assert old in text
        (self.repository / path).write_text(text.replace(old, new, 1))
        return self.commit(f"Change {path}")

    def assumed(self) -> list[str]:
        """Return which workflow assumed which role, in order."""
        return (self.folder / "assumed").read_text().splitlines()

    def scripts(self) -> dict[tuple[str, str], str]:
        """Return the scripts of all workflows by job name and step."""
        found = {}
        for path in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
            for job in yaml.safe_load(path.read_text())["jobs"].values():
                name = job["name"].split(" ${{")[0]
                found |= {
                    (f"{path.stem}: {name}", step["name"]): step["run"]
                    for step in job.get("steps", [])
                    if "run" in step
                }
        return found

    def never_executed(self) -> set[tuple[str, str]]:
        """Return the scripts that no run has executed yet, in any job."""
        scripts = self.scripts()
        done = {
            (step, script)
            for (job, step), script in scripts.items()
            if any(executed == step and name.startswith(job) for name, executed in self.executed)
        }
        return {(job, step) for (job, step), script in scripts.items() if (step, script) not in done}

    def run(
        self,
        workflow: str,
        event: str,
        payload: Mapping[str, Any] | None = None,
        options: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        *,
        is_set_up: bool = True,
    ) -> Run:
        """Run a workflow for an event, with the variables of `make github-setup`."""
        if is_set_up:
            options = [*self.variables(), *options]
        with self.running(workflow, event, payload, options, environment) as process:
            lines = list(process.stdout or [])
        return self._result(workflow, event, process, lines)

    @contextmanager
    def running(
        self,
        workflow: str,
        event: str,
        payload: Mapping[str, Any] | None = None,
        options: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> Iterator[subprocess.Popen[str]]:
        """Start a workflow for an event, and stop it with all its processes after the block."""
        shutil.rmtree(self.folder / "artifacts", ignore_errors=True)
        event_path = self.folder / "event.json"
        event_path.write_text(json.dumps({"repository": {"full_name": REPOSITORY}, **(payload or {})}))
        self.started = time.monotonic()
        process = subprocess.Popen(
            [
                ACT,
                event,
                *("--workflows", f".github/workflows/{workflow}.yml"),
                *("--eventpath", event_path),
                *("--platform", "ubuntu-latest=-self-hosted"),
                *("--action-offline-mode", "--no-skip-checkout", "--json"),
                *("--actor", "someone"),
                *("--secret", f"GITHUB_TOKEN={TOKEN}"),
                *self._stand_ins(),
                *options,
            ],
            cwd=self.repository,
            env={**self._environment(), **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def variables(self) -> Iterator[str]:
        yield from ("--var", f"AWS_REGION={project_settings().region}")
        yield from ("--var", "DEPLOY_ROLE_ARN=arn:aws:iam::123456789012:role/deploy")
        # begin: model life cycle
        yield from ("--var", "MODEL_READER_ROLE_ARN=arn:aws:iam::123456789012:role/model-reader")
        # end: model life cycle
        for name in promoted():
            yield from ("--var", f"PLAN_ROLE_ARN_{name.upper()}=arn:aws:iam::123456789012:role/{name}-plan")
            yield from ("--var", f"AWS_REGION_{name.upper()}={name.settings.region}")
        yield from ("--var", f"AWS_REGION_PREVIEW={project_settings().region}")

    def _stand_ins(self) -> Iterator[str]:
        """Yield the replacements of actions; an action without one makes act fail immediately."""
        texts = [path.read_text() for path in sorted((self.repository / ".github").rglob("*.yml"))]
        for action, name, commit in sorted({found for text in texts for found in USES.findall(text)}):
            if (STAND_INS / name).is_dir():
                yield from ("--local-repository", f"{action}@{commit}={STAND_INS / name}")

    def _environment(self) -> dict[str, str]:
        """Return the variables for act, without the user's own environment and credentials."""
        inherited = (
            "PATH",
            "JAVA_HOME",
            "TMPDIR",
            "LANG",
            "PIP_INDEX_URL",
            "UV_DEFAULT_INDEX",
            "SSL_CERT_FILE",
        )
        return {
            **{name: os.environ[name] for name in inherited if name in os.environ},
            "HOME": str(self.folder / "home"),
            "SANDBOX": str(self.folder),
            "BASH_ENV": str(self.folder / "shell"),
            "MYPY_CACHE_DIR": str(ROOT / ".mypy_cache"),
            "RUFF_CACHE_DIR": str(ROOT / ".ruff_cache"),
        }

    def _result(
        self, workflow: str, event: str, process: "subprocess.Popen[str]", lines: Sequence[str]
    ) -> Run:
        run = Run(event, process.returncode, time.monotonic() - self.started)
        text = []
        for line in lines:
            try:
                entry = json.loads(line)
            except ValueError:
                text.append(line)
                continue
            job = entry.get("job", "").split("/", 1)[-1].strip()
            text.append(f"[{job}] {entry['msg'].rstrip()}\n")
            if entry.get("command") == "summary":
                run.summaries[job] = run.summaries.get(job, "") + entry["content"]
            if entry.get("stage") == "Main" and "stepResult" in entry and len(entry["stepID"]) == 1:
                run.steps.append(Step(job, entry["step"], entry["stepResult"]))
            if "jobResult" in entry:
                run.results[job] = entry["jobResult"]
        run.output = "".join(text)
        for step in run.steps:  # in a called workflow, the name of the calling job precedes that of the job
            called, slash, job = step.job.partition("/")
            self.executed.add((f"{called}: {job}" if slash else f"{workflow}: {step.job}", step.name))
        self.seconds.setdefault(workflow, []).append(run.seconds)
        return run


def pull_request(
    action: str, number: int = 12, labels: Sequence[str] = (), fork: bool = False, **more: Any
) -> dict[str, Any]:
    """Return the event of a pull request with the members that our workflows read."""
    head = f"a-stranger/{REPOSITORY.split('/')[1]}" if fork else REPOSITORY
    return {
        "action": action,
        "number": number,
        "pull_request": {
            "number": number,
            "labels": [{"name": label} for label in labels],
            "head": {"ref": "feature", "repo": {"full_name": head, "fork": fork}},
            "base": {"ref": "main", "repo": {"full_name": REPOSITORY}},
        },
        **more,
    }
