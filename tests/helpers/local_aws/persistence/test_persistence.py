"""The parts of a kept state: variable, snapshot, pickling, and who waits for what."""

import io
import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import pytest
from moto.iam.models import IAMBackend
from moto.kms.models import KmsBackend
from moto.s3.models import FakeKey
from moto.s3.utils import _VersionedKeyStore
from moto.ssm.models import ParameterDict
from werkzeug.exceptions import NotFound

from helpers.errors import UserError
from helpers.local_aws import lifecycle
from helpers.local_aws.api.response import ACCOUNT, ApiError
from helpers.local_aws.credentials import Credentials
from helpers.local_aws.jobs.job import HOST_FAILURE, Job
from helpers.local_aws.persistence import snapshot
from helpers.local_aws.persistence.answering import SavedAnswers, is_change
from helpers.local_aws.persistence.kept_state import _locked
from helpers.local_aws.persistence.object_contents import SMALL_BYTES, ObjectContents
from helpers.local_aws.persistence.pickling import dumps, loads
from helpers.local_aws.persistence.saving import LARGE_BYTES, Gate, Saver
from helpers.local_aws.persistence.variable import is_kept
from helpers.local_aws.registry.groups import ModelPackageGroups
from helpers.local_aws.registry.packages import ModelPackages
from helpers.local_aws.server_state import ServerState
from helpers.local_aws.service_clients import ServiceClients
from helpers.local_aws.training.training_job import TrainingJob
from helpers.local_aws.transform.transform_job import TransformJob

# --- LOCAL_AWS_STATE

CLIENTS = ServiceClients("http://127.0.0.1:1", Credentials("key", "secret"), NotFound())


@pytest.mark.parametrize(("value", "expected"), [(None, False), ("", False), ("keep", True)])
def test_state_is_kept_on_request(monkeypatch: pytest.MonkeyPatch, value: str | None, expected: bool) -> None:
    monkeypatch.delenv("LOCAL_AWS_STATE", raising=False)
    if value is not None:
        monkeypatch.setenv("LOCAL_AWS_STATE", value)

    assert is_kept() is expected


def test_another_value_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_AWS_STATE", "yes")

    with pytest.raises(UserError, match="LOCAL_AWS_STATE is 'yes'\nHint: Set it to keep, or unset it"):
        is_kept()


def test_a_server_that_does_not_keep_its_state_is_not_taken_for_one_that_does(
    monkeypatch: pytest.MonkeyPatch, server: ServerState, server_folder: Path
) -> None:
    assert not (server_folder / "state").exists()
    monkeypatch.setenv("LOCAL_AWS_STATE", "keep")

    with pytest.raises(UserError, match="runs without LOCAL_AWS_STATE=keep, which counts when it starts"):
        lifecycle.up(server_folder, 0)


def test_two_servers_do_not_have_one_state(tmp_path: Path) -> None:
    _locked(tmp_path)

    with pytest.raises(
        UserError, match=rf"another server uses the state in {tmp_path}\nHint: End it \(make down\)"
    ):
        _locked(tmp_path)


# --- snapshot


def test_a_snapshot_is_read_as_written(tmp_path: Path) -> None:
    assert snapshot.read(tmp_path) is None

    for pickled in (b"first\nline", b"second"):
        snapshot.write(tmp_path, pickled)
        assert snapshot.read(tmp_path) == pickled
    assert [path.name for path in tmp_path.iterdir()] == [snapshot.FILE]
    assert (tmp_path / snapshot.FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: content[:-1] + b"?",
        lambda content: b"",
        lambda content: b"\x80" + content,
        lambda content: b"[]" + content,
        lambda content: content.partition(b"\n")[0],
    ],
)
def test_a_damaged_snapshot_is_rejected_and_stays(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    snapshot.write(tmp_path, b"state")
    file = tmp_path / snapshot.FILE
    file.write_bytes(damage(file.read_bytes()))
    before = file.read_bytes()

    with pytest.raises(UserError) as caught:
        snapshot.read(tmp_path)

    assert str(caught.value) == (
        f"LOCAL_AWS_STATE=keep: the state in {tmp_path} is damaged\nHint: Delete it (rm -r {tmp_path}), "
        "or unset LOCAL_AWS_STATE"
    )
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("moto", "moto"),
        ("python", "Python"),
        ("requirements", "requirements.txt"),
        ("source", "helpers/local_aws"),
    ],
)
def test_a_snapshot_of_another_version_is_rejected(tmp_path: Path, key: str, name: str) -> None:
    snapshot.write(tmp_path, b"state")
    head, _, pickled = (tmp_path / snapshot.FILE).read_bytes().partition(b"\n")
    header = {**json.loads(head), key: "another"}
    (tmp_path / snapshot.FILE).write_bytes(json.dumps(header).encode() + b"\n" + pickled)

    with pytest.raises(
        UserError, match=f"the state in {tmp_path} was written by {name} another, and this is "
    ):
        snapshot.read(tmp_path)


# --- pickling


@pytest.fixture
def contents(tmp_path: Path) -> ObjectContents:
    return ObjectContents(tmp_path)


def restored(state: Any, contents: ObjectContents) -> Any:
    return loads(dumps(state, contents), contents)


def test_dicts_with_a_factory_make_values_again(contents: ObjectContents) -> None:
    nested: dict[str, Any] = defaultdict(lambda: defaultdict(dict))
    nested["there"]["x"] = {"y": 1}

    again = restored({"nested": nested, "lists": defaultdict(list)}, contents)

    assert again["nested"] == {"there": {"x": {"y": 1}}}
    again["nested"]["new"]["a"]["b"] = 2
    assert again["nested"]["other"] == {}
    again["lists"]["new"].append(1)
    assert again["lists"]["other"] == []


def test_dicts_of_moto_have_their_attributes(contents: ObjectContents) -> None:
    parameters = ParameterDict(ACCOUNT, "us-east-1")
    parameters["there"].append("value")

    again = restored(parameters, contents)

    assert again.account_id == ACCOUNT
    assert again["there"] == ["value"]
    assert again["other"] == []


def test_policies_of_aws_are_those_of_moto(contents: ObjectContents, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
    backend = IAMBackend("aws", ACCOUNT)
    arn = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"
    role = backend.create_role("role", "{}", "/", None, "", [], "3600")
    backend.attach_role_policy(arn, "role")

    pickled = dumps(backend, contents)
    again = loads(dumps(loads(pickled, contents), contents), contents)

    assert len(pickled) < 500_000
    documents = [each.managed_policies[arn].versions[-1].document for each in (again, backend)]
    assert documents[0] == documents[1]
    assert again.managed_policies[arn].arn == arn
    assert again.managed_policies[arn].attachment_count == 1
    again.detach_role_policy(arn, "role")
    assert again.managed_policies[arn].attachment_count == 0
    assert role.managed_policies[arn].attachment_count == 1
    assert not hasattr(again.managed_policies[arn], "no_such_attribute")


def test_locks_are_new_and_free_and_events_as_they_were(contents: ObjectContents) -> None:
    lock, condition, event = threading.Lock(), threading.Condition(), threading.Event()
    event.set()
    with lock, condition:
        again = restored([lock, condition, event, threading.Event(), threading.RLock()], contents)

    assert again[0].acquire(blocking=False)
    with again[1]:
        again[1].notify_all()
    assert again[2].is_set()
    assert not again[3].is_set()


@pytest.mark.parametrize("spec", ["SYMMETRIC_DEFAULT", "RSA_2048", "ECC_NIST_P256"])
def test_a_key_is_the_same_key(contents: ObjectContents, spec: str) -> None:
    usage = "ENCRYPT_DECRYPT" if spec == "SYMMETRIC_DEFAULT" else "SIGN_VERIFY"
    kms = KmsBackend("us-east-1", ACCOUNT)
    made = kms.create_key(None, usage, spec, "", None)

    again = restored(kms, contents)

    if spec == "SYMMETRIC_DEFAULT":
        encrypted, _ = kms.encrypt(made.id, b"secret", {})
        assert again.decrypt(encrypted, {})[0] == b"secret"
    else:
        algorithm = made.signing_algorithms[0]
        _, signature, _ = kms.sign(made.id, b"message", algorithm)
        assert again.verify(made.id, b"message", signature, algorithm)[1]


def test_weak_values_are_those_that_others_hold(contents: ObjectContents) -> None:
    job = Job("name", "arn", {})

    jobs, values = restored([[job], WeakValueDictionary(name=job)], contents)

    assert values["name"] is jobs[0]


def key(name: str, value: bytes) -> FakeKey:
    return FakeKey(name, value, ACCOUNT, "us-east-1")


def test_objects_have_all_their_versions(contents: ObjectContents) -> None:
    store = _VersionedKeyStore()
    first, second = key("name", b"first"), key("name", b"second" * SMALL_BYTES)
    store["name"], store["name"] = first, second

    again = restored(store, contents)

    assert [each.value for each in again.getlist("name")] == [first.value, second.value]
    assert again["name"].etag == second.etag


@pytest.mark.parametrize("size", [0, SMALL_BYTES, SMALL_BYTES + 1, 6 * 1024 * 1024])
def test_content_is_written_once_and_goes_with_its_object(
    contents: ObjectContents, tmp_path: Path, size: int
) -> None:
    keys = [key("name", b"x" * size)]
    first = dumps(keys, contents)
    files = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}

    second = dumps(keys, contents)
    third = dumps(loads(first, contents), contents)
    contents.remove_unnamed()

    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == files
    assert len(files) == (size > SMALL_BYTES)
    assert len(first) < 2 * SMALL_BYTES
    for pickled in (first, second, third):
        assert loads(pickled, contents)[0].value == b"x" * size
    dumps([], contents)
    contents.remove_unnamed()
    assert list(tmp_path.iterdir()) == []


def test_saving_does_not_move_what_a_request_reads(contents: ObjectContents) -> None:
    one = key("name", b"x" * 6 * 1024 * 1024)
    one._value_buffer.seek(10)

    dumps(one, contents)

    assert one._value_buffer.tell() == 10


def test_content_that_is_not_there_is_noticed(contents: ObjectContents, tmp_path: Path) -> None:
    pickled = dumps(key("name", b"x" * 2 * SMALL_BYTES), contents)
    next(tmp_path.iterdir()).write_bytes(b"x")

    with pytest.raises(FileNotFoundError):
        loads(pickled, contents)


def test_a_dict_that_grows_meanwhile_is_written_once_more(contents: ObjectContents) -> None:
    class Grows:
        count = 0

        def __reduce__(self) -> Any:
            Grows.count += 1
            if Grows.count < 5:
                state[f"added {Grows.count}"] = 1
            return str, ("grown",)

    state: dict[str, Any] = {"first": Grows(), "last": 1}

    assert restored(state, contents)["added 4"] == 1


# --- jobs


@pytest.mark.parametrize(
    ("status", "expected", "reason"),
    [
        ("InProgress", "Failed", HOST_FAILURE),
        ("Stopping", "Stopped", None),
        ("Completed", "Completed", None),
    ],
)
def test_a_job_comes_to_its_end(status: Any, expected: str, reason: str | None) -> None:
    job = Job("name", "arn", {}, status=status)

    job.interrupt_by_failure_of_host()

    assert (job.status, job.failure_reason) == (expected, reason)
    assert job.done.is_set()


def test_a_registry_is_kept_and_continues(contents: ObjectContents) -> None:
    groups = ModelPackageGroups("us-east-1")
    groups.create({"ModelPackageGroupName": "g", "Tags": [{"Key": "Owner", "Value": "o"}]})
    ModelPackages(CLIENTS, groups, lambda _: None).create({"ModelPackageGroupName": "g"})

    kept: ModelPackageGroups = loads(dumps(groups, contents), contents)

    packages = ModelPackages(CLIENTS, kept, lambda _: None)
    assert packages.find("g/1").approval_status == "PendingManualApproval"
    assert packages.create({"ModelPackageGroupName": "g"})["ModelPackageArn"].endswith("/g/2")
    with pytest.raises(ApiError, match="already exists"):
        kept.create({"ModelPackageGroupName": "g"})


@pytest.mark.parametrize("kind", [TrainingJob, TransformJob])
def test_a_job_of_each_kind_is_kept(contents: ObjectContents, kind: type[Job]) -> None:
    job = kind("name", "arn", {"OutputDataConfig": {"S3OutputPath": "s3://b/o"}})

    kept: Job = loads(dumps(job, contents), contents)
    kept.interrupt_by_failure_of_host()

    assert (kept.name, kept.arn) == (job.name, job.arn)
    assert (kept.status, kept.failure_reason) == ("Failed", HOST_FAILURE)


# --- saving


class Saves:
    """Counts saves, and can be delayed or fail."""

    def __init__(self, size: int = 1):
        self.size, self.count, self.let = size, 0, threading.Event()
        self.error: Exception | None = None
        self.let.set()

    def __call__(self) -> int:
        self.let.wait(10)
        self.count += 1
        if self.error:
            raise self.error
        return self.size


def test_a_change_is_saved_when_it_was_waited_for() -> None:
    saves = Saves()
    saver = Saver(saves)

    assert saver.wait(saver.changed()) is None
    assert saves.count == 1
    saver.close()


def test_changes_that_come_together_are_saved_at_once() -> None:
    saves = Saves()
    saves.let.clear()
    saver = Saver(saves)
    changes = [saver.changed() for _ in range(100)]
    saves.let.set()

    assert saver.wait(changes[-1]) is None
    assert saves.count <= 2
    saver.close()


def test_what_nobody_waits_for_is_saved_at_the_end_at_the_latest() -> None:
    saves = Saves()
    saver = Saver(saves)
    saver.changed(within=600)
    saver.close()

    assert saves.count == 1


def test_nobody_waits_for_a_large_snapshot() -> None:
    saves = Saves(size=LARGE_BYTES + 1)
    saver = Saver(saves)
    saver.wait(saver.changed())
    saves.let.clear()
    began = time.monotonic()

    assert saver.wait(saver.changed()) is None
    assert time.monotonic() - began < 5
    saves.let.set()
    saver.close()


def test_who_waits_for_a_save_gets_its_error_until_it_succeeds() -> None:
    saves = Saves()
    saver = Saver(saves)
    saves.error = OSError("No space left on device")
    assert saver.wait(saver.changed()) == "OSError: No space left on device"
    saves.error = None

    assert saver.wait(saver.changed()) is None
    saver.close()


def test_a_snapshot_waits_for_changes_and_changes_for_the_snapshot() -> None:
    gate, order = Gate(), []
    changing, may_change, taking, may_take = (threading.Event() for _ in range(4))

    def change() -> None:
        with gate.change():
            changing.set()
            may_change.wait(10)
            order.append("change")

    def take() -> None:
        with gate.closed():
            taking.set()
            may_take.wait(10)
            order.append("snapshot")

    first, snapshot_, later = (threading.Thread(target=target) for target in (change, take, change))
    first.start()
    changing.wait(10)
    snapshot_.start()
    assert not taking.wait(0.1)
    may_change.set()
    assert taking.wait(10)
    changing.clear()
    later.start()
    assert not changing.wait(0.1)
    may_take.set()
    for thread in (first, snapshot_, later):
        thread.join(10)

    assert order == ["change", "snapshot", "change"]


# --- answering


def request(method: str = "POST", target: str = "", body: str = "", path: str = "/") -> dict[str, Any]:
    return {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "HTTP_X_AMZ_TARGET": target,
        "CONTENT_TYPE": "application/x-www-form-urlencoded; charset=utf-8" if body else "",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body.encode()),
    }


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        (request("GET"), False),
        (request("HEAD"), False),
        (request("PUT"), True),
        (request("DELETE"), True),
        (request(target="SageMaker.CreatePipeline"), True),
        (request(target="SageMaker.DescribePipeline"), False),
        (request(target="Logs_20140328.FilterLogEvents"), False),
        (request(target="AmazonSQS.ReceiveMessage"), False),
        (request(body="Action=CreateStack&Name=Get"), True),
        (request(body="Version=1&Action=DescribeStacks"), False),
        (request(body="Action=GetRole"), False),
        (request(target="X.Getaway"), True),
    ],
)
def test_changes_are_known_by_method_and_operation(environ: dict[str, Any], expected: bool) -> None:
    body = environ["wsgi.input"].getvalue()

    assert is_change(environ) is expected
    assert environ["wsgi.input"].read() == body


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        ("200 OK", None, "200 OK"),
        ("200 OK", OSError("disk full"), "400 Bad Request"),
        ("403 Forbidden", OSError("disk full"), "403 Forbidden"),
    ],
)
def test_a_change_that_is_not_saved_has_failed(status: str, error: Exception | None, expected: str) -> None:
    saves, started = Saves(), []
    saves.error = error
    saver = Saver(saves)

    def application(_: Any, start_response: Any) -> list[bytes]:
        start_response(status, [])
        return [b"answer"]

    answers = SavedAnswers(application, saver, Gate(), is_own=lambda _: False)
    environ = request(target="SageMaker.CreatePipeline")
    body = b"".join(answers(environ, lambda status, headers: started.append(status)))
    saver.close()

    assert started == [expected]
    if expected == "400 Bad Request":
        assert b"cannot save its state: OSError: disk full. Unset LOCAL_AWS_STATE" in body
    else:
        assert body == b"answer"
