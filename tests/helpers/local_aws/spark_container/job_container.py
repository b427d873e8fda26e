"""The Spark container with the job of a test."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from helpers.local_aws.containers.container_job import ContainerExit, ContainerJob
from helpers.local_aws.credentials import Credentials
from helpers.local_aws.spark_container import container as spark_container
from helpers.local_aws.spark_container.sizing import Machine
from tests.spark_submit import QUICK_START

SECRET = "a-very-secret-access-key"
TOKEN = "a-session-token-of-the-role"
MACHINE = Machine(vcpus=2, memory_mib=4096)
CODE = "/opt/ml/processing/input/code"
EXECUTORS = {"spark.executor.extraJavaOptions": QUICK_START}


@dataclass
class Container:
    """The folder of a job, with a blank in its path, and the output of the job."""

    root: Path
    endpoint: str
    lines: list[str] = field(default_factory=list)
    hosts: dict[str, set[str]] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)
    stop_at: str = "never"
    reactions: dict[str, Callable[[], None]] = field(default_factory=dict)
    """Actions that are run when the job prints a line."""

    def write(self, path: str, text: str) -> None:
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def configure(self, classification: str, properties: dict[str, str], **more: Any) -> None:
        entry = {"Classification": classification, "Properties": properties, **more}
        self.write("/opt/ml/processing/input/conf/configuration.json", json.dumps([entry]))

    def job(
        self, *command: str, instances: int = 1, environment: dict[str, str] | None = None
    ) -> ContainerJob:
        return ContainerJob(
            name="job",
            root=self.root,
            description={
                "ProcessingJobName": "job",
                "AppSpecification": {"ContainerEntrypoint": ["smspark-submit", *command]},
                "Environment": {"SPARK_SUBMIT_OPTS": QUICK_START, **(environment or {})},
                "ProcessingResources": {
                    "ClusterConfig": {"InstanceCount": instances, "InstanceType": "ml.m5.xlarge"}
                },
            },
            endpoint=self.endpoint,
            region="us-east-1",
            credentials=Credentials("AKIATEST", SECRET, TOKEN),
        )

    def run(self, *command: str, instances: int = 1, **environment: str) -> ContainerExit:
        job = self.job(*command, instances=instances, environment=environment)
        return spark_container.run(job, self.on_output, self.stop, MACHINE)

    def on_output(self, line: str, host: str = "algo-1") -> None:
        self.lines.append(line)
        self.hosts.setdefault(line, set()).add(host)
        if self.stop_at in line:
            self.stop.set()
        if reaction := self.reactions.get(line):
            threading.Thread(target=reaction, daemon=True).start()

    def printed(self, beginning: str) -> Any:
        """Return the JSON that the job printed after a word; show all output if it did not."""
        for line in self.lines:
            if line.startswith(beginning):
                return json.loads(line.removeprefix(beginning))
        raise AssertionError("\n".join(self.lines))


def alive(pids: list[int]) -> list[str]:
    """Return the command lines of the processes that are still running."""
    living = []
    for pid in pids:
        try:
            process = psutil.Process(pid)
            if process.status() != psutil.STATUS_ZOMBIE:  # ended, but not yet collected by its parent
                living.append(" ".join(process.cmdline()))
        except psutil.NoSuchProcess:
            continue
    return living
