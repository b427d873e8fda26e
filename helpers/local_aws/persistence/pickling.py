"""Pickles the state; moto's objects contain values that pickle cannot or should not write."""

import io
import pickle
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from copy import copy
from copyreg import __newobj__, dispatch_table  # type: ignore[attr-defined] # how pickle creates objects
from typing import Any
from weakref import WeakValueDictionary

from moto.iam.models import AWSManagedPolicy
from moto.s3.models import FakeKey

from helpers.local_aws.persistence.asymmetric_keys import KEY_REDUCERS
from helpers.local_aws.persistence.aws_policies import UnreadPolicy, reduce_policy
from helpers.local_aws.persistence.object_contents import ObjectContents, StoredContent, open_content

_ATTEMPTS = 100


def dumps(state: Any, contents: ObjectContents) -> bytes:
    """Return the pickle of a state, with the content of S3 objects in files.

    Jobs and executions continue meanwhile. If a dict changes while it is written, it is written again.
    """
    for _ in range(_ATTEMPTS):
        contents.begin()
        file = io.BytesIO()
        pickler = pickle.Pickler(file, pickle.HIGHEST_PROTOCOL)
        pickler.dispatch_table = {
            **_REDUCERS,
            **dict.fromkeys(_kinds_of_dict(), _reduce_dict),
            FakeKey: contents.reduce,
            StoredContent: contents.reduce_content,
        }
        try:
            pickler.dump(state)
        except RuntimeError as error:
            changed = error
        else:
            return file.getvalue()
    raise changed


def loads(pickled: bytes, contents: ObjectContents) -> Any:
    """Return the state in a pickle."""
    return _Unpickler(pickled, contents).load()


class _Unpickler(pickle.Unpickler):
    def __init__(self, pickled: bytes, contents: ObjectContents):
        super().__init__(io.BytesIO(pickled))
        self._contents = contents

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == (open_content.__module__, open_content.__name__):
            return self._contents.open
        return super().find_class(module, name)


class CopiesOf:
    """Creates the values of a defaultdict whose factory cannot be pickled: copies of its first value."""

    def __init__(self, value: Any):
        self._value = value

    def __call__(self) -> Any:
        """Return a new value."""
        return copy(self._value)


def _event(is_set: bool) -> threading.Event:
    event = threading.Event()
    if is_set:
        event.set()
    return event


def _reduce_dict(values: dict[Any, Any]) -> Any:
    """Return how pickle recreates an instance of a dict subclass.

    By default, pickle reads and fills it with the methods of its class, which can return other content, and
    it loses the attributes of a defaultdict.
    """
    factory: Callable[[], Any] | None = getattr(values, "default_factory", None)
    if factory and "<" in getattr(factory, "__qualname__", ""):  # <lambda>, <locals>
        factory = CopiesOf(factory())
    state = (dict(dict.items(values)), getattr(values, "__dict__", {}), factory)
    return __newobj__, (type(values),), state, None, None, _fill_dict


def _fill_dict(values: Any, state: tuple[dict[Any, Any], dict[str, Any], Callable[[], Any] | None]) -> None:
    content, attributes, factory = state
    dict.update(values, content)
    if attributes:
        values.__dict__.update(attributes)
    if factory:
        values.default_factory = factory


def _kinds_of_dict(kind: type = dict) -> Iterator[type]:
    """Yield the dict subclasses of moto, and defaultdict."""
    each: type
    for each in kind.__subclasses__():
        if each is defaultdict or each.__module__.startswith("moto."):
            yield each
            yield from _kinds_of_dict(each)


_REDUCERS: dict[type, Callable[[Any], Any]] = {
    **dispatch_table,
    type(threading.Lock()): lambda _: (threading.Lock, ()),
    type(threading.RLock()): lambda _: (threading.RLock, ()),
    threading.Condition: lambda condition: (threading.Condition, (condition._lock,)),
    threading.Event: lambda event: (_event, (event.is_set(),)),
    WeakValueDictionary: lambda values: (WeakValueDictionary, (dict(values),)),
    AWSManagedPolicy: reduce_policy,
    UnreadPolicy: reduce_policy,
    **KEY_REDUCERS,
}
