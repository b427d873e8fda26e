"""Training on several instances with XGBoost's own tracker and collective, which use loopback here."""

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from helpers.local_aws.xgboost_container.library import xgboost

_LOOPBACK = "127.0.0.1"
_POLL_SECONDS = 0.05
_MEETING_POINT_VARIABLE = "SAGEMAKER_MEETING_POINT"
"""The same as `environment.MEETING_POINT_VARIABLE`."""


@dataclass(frozen=True)
class Host:
    """An instance of the job, with the names in resourceconfig.json."""

    name: str
    others: Sequence[str]

    @property
    def is_alone(self) -> bool:
        """Whether there is only one instance."""
        return len(self.others) == 1


def read_host(config: Path) -> Host:
    """Return the instance that a configuration folder belongs to."""
    resources = json.loads((config / "resourceconfig.json").read_text())
    return Host(resources["current_host"], sorted(resources["hosts"]))


def hosts_with_data(host: Host, *, has_data: bool) -> list[str]:
    """Return the instances that have data. Each instance calls this with whether it has data."""
    with _ring(host.name, host.others, "first"):
        return [
            name
            for rank, name in enumerate(host.others)
            if xgboost.collective.broadcast(has_data if name == host.name else None, rank)
        ]


@contextmanager
def training_ring(host: Host, hosts: Sequence[str]) -> Iterator[None]:
    """Train with other instances within the block; a single instance needs none."""
    if len(hosts) == 1:
        yield
        return
    with _ring(host.name, hosts, "second"):
        yield


@contextmanager
def _ring(name: str, hosts: Sequence[str], file_name: str) -> Iterator[None]:
    """Connect to the other instances through the tracker of the first one, whose port is in a file."""
    file = Path(os.environ[_MEETING_POINT_VARIABLE]) / f"tracker-{file_name}"
    tracker = None
    if name == hosts[0]:
        tracker = xgboost.tracker.RabitTracker(n_workers=len(hosts), host_ip=_LOOPBACK, sortby="task")
        tracker.start()
        partial = file.with_suffix(".new")
        partial.write_text(str(tracker.worker_args()["dmlc_tracker_port"]))
        partial.replace(file)
    while not file.exists():
        time.sleep(_POLL_SECONDS)
    arguments = {
        "dmlc_tracker_uri": _LOOPBACK,
        "dmlc_tracker_port": int(file.read_text()),
        "dmlc_task_id": f"{hosts.index(name):03}",  # ranks follow the order of these strings
    }
    with xgboost.collective.CommunicatorContext(**arguments):
        yield
    if tracker:
        tracker.wait_for()
