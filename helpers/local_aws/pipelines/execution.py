"""A pipeline execution: schedules its steps and collects their results."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from helpers.local_aws.jobs.job import HOST_FAILURE, Job
from helpers.local_aws.pipelines.callbacks import Callback
from helpers.local_aws.pipelines.conditions import holds
from helpers.local_aws.pipelines.definition import PipelineDefinition
from helpers.local_aws.pipelines.expressions import ExpressionError, follow_path, resolve
from helpers.local_aws.pipelines.names import new_callback_token
from helpers.local_aws.pipelines.retry_policy import retry_delay
from helpers.local_aws.pipelines.step_cache import cache_key
from helpers.local_aws.pipelines.step_requests import STEP_REQUESTS
from helpers.local_aws.pipelines.step_types import STEP_TYPES
from helpers.local_aws.pipelines.steps import Step, Trigger
from helpers.s3 import join

ExecutionStatus = Literal["Executing", "Stopping", "Stopped", "Failed", "Succeeded", "CompletedWithFailures"]
StepStatus = Literal["Starting", "Executing", "Stopping", "Stopped", "Failed", "Succeeded"]


_log = logging.getLogger(__name__)


class ServiceFaultError(Exception):
    """A call to the service failed with an error for retry policies, such as `Step.THROTTLING`."""

    def __init__(self, message: str, exception_type: str):
        super().__init__(message)
        self.exception_type = exception_type


class StepResource(Protocol):
    """A resource that a step created: a job, a model or a model package."""

    arn: str

    def description(self) -> dict[str, Any]:
        """Return the resource as the API describes it."""


@dataclass
class StepRun:
    """A step within an execution."""

    step: Step
    status: StepStatus = "Starting"
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended: datetime | None = None
    attempts: int = 0
    resource: StepResource | None = None
    callback: Callback | None = None
    outcome: str | None = None
    error_message: str | None = None
    failure_reason: str | None = None
    cache_key: str | None = None
    reused_from: str | None = None
    """ARN of the execution whose cached result is reused."""
    selected_from: str | None = None
    """ARN of the source execution from which a selective execution takes the step's result."""

    @property
    def job(self) -> Job | None:
        """The job that the step has started, if any."""
        return self.resource if isinstance(self.resource, Job) else None

    @property
    def is_terminal(self) -> bool:
        """Whether the step has its final status."""
        return self.status in {"Stopped", "Failed", "Succeeded"}

    def satisfies(self, trigger: Trigger) -> bool:
        """Return whether a step that depends on this one with a trigger can run."""
        ends = {"Completed": "Succeeded", "Failed": "Failed", "Stopped": "Stopped", "Any": self.status}
        return self.is_terminal and self.status == ends[trigger]

    def properties(self) -> dict[str, Any]:
        """Return the properties that other steps can refer to.

        Raises:
            ExpressionError: the step has no properties.
        """
        if self.resource:
            return self.job.properties() if self.job else self.resource.description()
        if self.outcome:
            return {"Outcome": self.outcome}
        if self.callback:
            return {"OutputParameters": self.callback.outputs}
        raise ExpressionError(f"step '{self.step.name}' has no properties")

    def metadata(self) -> dict[str, Any]:
        """Return the step's `Metadata` in `ListPipelineExecutionSteps`."""
        if self.resource:
            return {STEP_REQUESTS[self.step.type].metadata: {"Arn": self.resource.arn}}
        if self.callback:
            return {"Callback": self.callback.metadata()}
        if self.outcome:
            return {"Condition": {"Outcome": self.outcome}}
        if self.error_message:
            return {"Fail": {"ErrorMessage": self.error_message}}
        return {}


@dataclass(frozen=True)
class ExecutionContext:
    """The parts of the service that an execution uses."""

    create: Callable[[Step, Mapping[str, Any]], StepResource]
    """Sends a step's request; raises ServiceFaultError, or ValueError if the request is rejected."""
    cached_run: Callable[[Step, str], tuple[StepRun, str] | None]
    """Returns the cached run for a key, with the ARN of its execution."""
    read_json: Callable[[str], object]
    """Returns the JSON document at an S3 URI; raises ExpressionError."""
    new_name: Callable[[Step, int], str]
    send_callback: Callable[[Callback, object, Literal["Executing", "Stopping"]], object]
    """Sends a callback with the arguments of its step to its queue; raises ExpressionError."""
    on_change: Callable[[], object]
    """Called when the status of a step or the execution has changed."""
    on_step_end: Callable[[StepRun], object]
    """Called when a step has its final status."""


@dataclass(frozen=True)
class Selection:
    """The steps that a selective execution runs, and the results that it takes from its source."""

    selected: frozenset[str]
    reused: Sequence[StepRun]


class PipelineExecution:
    """Runs the steps of a definition: each after its dependencies, independent ones in parallel.

    After a failure, no further steps start, except those that a failure triggers. Running steps continue.
    """

    def __init__(
        self,
        arn: str,
        definition: PipelineDefinition,
        parameters: Mapping[str, object],
        variables: Mapping[str, object],
        context: ExecutionContext,
        *,
        max_parallel_steps: int | None = None,
        selection: Selection | None = None,
    ):
        self.arn = arn
        self.definition = definition
        self.parameters = parameters
        self.status: ExecutionStatus = "Executing"
        self.failure_reason: str | None = None
        self.created = datetime.now(UTC)
        self.modified = self.created
        self.max_parallel_steps = max_parallel_steps
        self.runs: dict[str, StepRun] = {run.step.name: run for run in selection.reused} if selection else {}
        self._selected = selection.selected if selection else frozenset(definition.steps)
        self._variables = variables
        self._context = context
        self._changed = threading.Condition(threading.RLock())
        self._stop_waiting = threading.Event()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_context": None}  # of the server that runs it; see `restore`

    def restore(self, context: ExecutionContext) -> None:
        """Continue in another server: running steps have failed, as for an AWS host failure."""
        self._context = context
        if not self.running:
            return
        with self._changed:
            for run in self.runs.values():
                if not run.is_terminal:
                    self._end_with_server(run)
            is_incomplete = self.status == "Executing" and bool(self._ready_steps())
            self._finish()
            if is_incomplete and self.status == "Succeeded":
                self.status, self.failure_reason = "Failed", HOST_FAILURE

    def _end_with_server(self, run: StepRun) -> None:
        """Set the final status of a step from its job, which the stopped server could not do."""
        if self.status == "Stopping" or (run.job and run.job.status == "Stopped"):
            self._end(run, "Stopped")
        elif run.job and run.job.status == "Completed":
            self._end(run, "Succeeded")
        else:
            self._end(run, "Failed", run.job.failure_reason if run.job else HOST_FAILURE)

    @property
    def running(self) -> bool:
        """Whether the execution is still in progress."""
        return self.status in {"Executing", "Stopping"}

    def start(self) -> None:
        """Start the execution in the background."""
        threading.Thread(target=self._run, name=self.arn.rsplit("/", 1)[-1], daemon=True).start()

    def stop(self) -> None:
        """Stop as `StopPipelineExecution` does: start no further steps, and stop running jobs."""
        with self._changed:
            if self.status != "Executing":
                return
            self.status = "Stopping"
            self.modified = datetime.now(UTC)
            self._stop_waiting.set()
            running = [run for run in self.runs.values() if not run.is_terminal]
            for run in running:
                run.status = "Stopping"
                if run.job:
                    run.job.stop()
            self._changed.notify_all()
        for callback in [run.callback for run in running if run.callback]:
            # The recipient of a callback may have to stop work, so the execution waits for a response.
            with contextlib.suppress(ExpressionError):
                self._context.send_callback(callback, {}, "Stopping")

    def retry(self, max_parallel_steps: int | None = None) -> None:
        """Run failed, stopped and unstarted steps again; keep other results."""
        with self._changed:
            self.runs = {name: run for name, run in self.runs.items() if run.status == "Succeeded"}
            self.status = "Executing"
            self.failure_reason = None
            self.modified = datetime.now(UTC)
            self.max_parallel_steps = max_parallel_steps or self.max_parallel_steps
            self._stop_waiting.clear()
        self.start()

    def limit_parallel_steps(self, most: int | None) -> None:
        """Change how many steps run at the same time; running steps continue."""
        with self._changed:
            self.max_parallel_steps = most
            self.modified = datetime.now(UTC)
            self._changed.notify_all()

    def wait(self, timeout: float) -> bool:
        """Wait at most some seconds for the execution to end; return whether it has ended."""
        with self._changed:
            return self._changed.wait_for(lambda: not self.running, timeout)

    def _run(self) -> None:
        with self._changed:
            while True:
                unfinished = [run for run in self.runs.values() if not run.is_terminal]
                ready = self._ready_steps() if self.status == "Executing" else []
                if not unfinished and not ready:
                    break
                free = (self.max_parallel_steps or len(ready) + len(unfinished)) - len(unfinished)
                for step in ready[: max(free, 0)]:
                    run = self.runs[step.name] = StepRun(step)
                    threading.Thread(target=self._run_step, args=(run,), name=step.name, daemon=True).start()
                self._changed.wait()
            self._finish()

    def _ready_steps(self) -> list[Step]:
        has_failed = any(run.status in {"Failed", "Stopped"} for run in self.runs.values())
        return [
            step
            for step in self.definition.steps.values()
            if step.name in self._selected and step.name not in self.runs
            if all(self._is_satisfied(name, trigger) for name, trigger in step.depends_on.items())
            if step.branch is None or self.runs[step.branch[0]].outcome == step.branch[1]
            if not has_failed or self._follows_a_failure(step)
        ]

    def _is_satisfied(self, name: str, trigger: Trigger) -> bool:
        run = self.runs.get(name)
        return run is not None and run.satisfies(trigger)

    def _follows_a_failure(self, step: Step) -> bool:
        """Return whether a step runs because another one failed or was stopped, or follows such a step."""
        return any(
            self.runs[name].status != "Succeeded" or self._follows_a_failure(self.runs[name].step)
            for name in step.depends_on
            if name in self.runs
        )

    def _is_handled(self, failed: StepRun) -> bool:
        """Return whether a step that the failure triggered has succeeded."""
        return any(
            run.status == "Succeeded"
            and run.step.depends_on.get(failed.step.name, "Completed") != "Completed"
            for run in self.runs.values()
        )

    def _finish(self) -> None:
        failed = [run for run in self.runs.values() if run.status == "Failed"]
        unfinished = [run for run in self.runs.values() if run.status == "Stopped"]
        if self.status == "Stopping":
            self.status = "Stopped"
        elif failed or unfinished:
            is_handled = all(self._is_handled(run) for run in (*failed, *unfinished))
            self.status = "CompletedWithFailures" if is_handled else "Failed" if failed else "Stopped"
            reasons = "; ".join(f"{run.step.name}: {run.failure_reason}" for run in failed)
            self.failure_reason = f"Step failure: {reasons}"[:1300] if failed else None
        else:
            self.status = "Succeeded"
        self.modified = datetime.now(UTC)
        self._changed.notify_all()
        self._context.on_change()

    def _run_step(self, run: StepRun) -> None:
        try:
            match run.step.type:
                case "Condition":
                    self._run_condition(run)
                case "Callback":
                    self._run_callback(run)
                case "Fail":
                    run.error_message = str(self._resolve(run.step.arguments["ErrorMessage"]))
                    self._end(run, "Failed", run.error_message)
                case _:
                    self._run_request(run)
        except (ExpressionError, ValueError) as error:
            self._end(run, "Failed", f"ClientError: {error}")
        except Exception as error:  # a step must always end
            _log.exception("step %s failed", run.step.name)
            self._end(run, "Failed", f"InternalServerError: {error!r}")

    def _end(self, run: StepRun, status: StepStatus, reason: str | None = None) -> None:
        with self._changed:
            run.status = status
            run.failure_reason = reason
            run.ended = datetime.now(UTC)
            self._changed.notify_all()
        self._context.on_change()
        self._context.on_step_end(run)

    def _run_condition(self, run: StepRun) -> None:
        conditions = self._resolve(run.step.arguments["Conditions"])
        run.outcome = str(all(holds(condition) for condition in conditions))
        self._end(run, "Succeeded")

    def _run_callback(self, run: StepRun) -> None:
        step = run.step
        callback = Callback(new_callback_token(), str(self._resolve(step.queue_url)), step.output_parameters)
        arguments = self._resolve(step.arguments)
        with self._changed:
            run.callback = callback
            if self.status != "Stopping":
                run.status = "Executing"
        self._context.send_callback(callback, arguments, "Executing")
        self._context.on_change()
        callback.answered.wait()
        if self.status == "Stopping":
            self._end(run, "Stopped")
        elif callback.failure_reason is not None:
            self._end(run, "Failed", callback.failure_reason)
        else:
            self._end(run, "Succeeded")

    def _run_request(self, run: StepRun) -> None:
        step = run.step
        members = STEP_REQUESTS[step.type].cache_members
        if step.cache_expiry and members:
            run.cache_key = cache_key(step.name, self._request(step, failures=0), members)
            cached = self._context.cached_run(step, run.cache_key)
            if cached:
                original, run.reused_from = cached
                run.resource = original.resource
                self._end(run, "Succeeded")
                return
        began = time.monotonic()
        while True:
            failure, exception_type = self._attempt(run)
            if failure is None:
                return
            delay = (
                retry_delay(step.retry_policies, exception_type, run.attempts - 1, time.monotonic() - began)
                if exception_type
                else None
            )
            if delay is None:
                self._end(run, "Failed", failure)
                return
            if self._stop_waiting.wait(delay):
                self._end(run, "Stopped")
                return

    def _request(self, step: Step, failures: int) -> dict[str, Any]:
        """Return a step's arguments with a new name for its resource, to which they can refer."""
        name, member = self._context.new_name(step, failures), STEP_REQUESTS[step.type].name_member
        variable = STEP_TYPES[step.type].job_name
        arguments: dict[str, Any] = self._resolve(step.arguments, {f"Execution.{variable}": name})
        return {**arguments, member: name} if member else arguments

    def _attempt(self, run: StepRun) -> tuple[str | None, str | None]:
        """Send a step's request once, and wait for its job, if any.

        Returns: the failure reason, and the exception type for retry policies.
        """
        run.attempts += 1
        try:
            resource = self._context.create(run.step, self._request(run.step, failures=run.attempts - 1))
        except ServiceFaultError as fault:
            return str(fault), fault.exception_type
        with self._changed:
            run.resource = resource
            job = run.job
            if job is None:
                self._end(run, "Succeeded")
                return None, None
            if self.status == "Stopping":
                job.stop()
            else:
                run.status = "Executing"
            self._changed.notify_all()
        self._context.on_change()
        job.done.wait()
        if job.status == "Failed":
            return job.failure_reason or "AlgorithmError", job.failure_type
        self._end(run, "Succeeded" if job.status == "Completed" else "Stopped")
        return None, None

    def _resolve(self, value: object, of_job: Mapping[str, object] | None = None) -> Any:
        """Return a value with its functions resolved; `of_job` are the variables of one job."""
        own = of_job or {}
        return resolve(
            value,
            lambda reference: own[reference] if reference in own else self._lookup(reference),
            self._read_property_file,
            self._context.read_json,
        )

    def _lookup(self, reference: str) -> object:
        kind, _, rest = reference.partition(".")
        match kind:
            case "Parameters":
                return self.parameters[rest]
            case "Execution":
                if rest == "CurrentDateTime":
                    return datetime.now(UTC).isoformat()
                return self._variables[rest]
            case _:
                name, _, path = rest.partition(".")
                return follow_path(self._run_of(name).properties(), path, f"step '{name}'")

    def _run_of(self, step_name: str) -> StepRun:
        try:
            return self.runs[step_name]
        except KeyError:
            raise ExpressionError(f"step '{step_name}' was not executed") from None

    def _read_property_file(self, reference: str) -> object:
        _, step_name, _, file_name = reference.split(".", 3)
        output, path = self.definition.steps[step_name].property_files[file_name]
        outputs = self._run_of(step_name).properties()["ProcessingOutputConfig"]
        folder = follow_path(outputs, f"Outputs['{output}'].S3Output.S3Uri", f"step '{step_name}'")
        return self._context.read_json(join(str(folder), path))
