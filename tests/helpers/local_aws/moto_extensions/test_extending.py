"""moto is extended only if it still has what is extended."""

from types import SimpleNamespace
from typing import Any

import pytest

from helpers.local_aws.moto_extensions import REPLACEMENTS
from helpers.local_aws.moto_extensions.extending import (
    ExtensionError,
    extend_backend,
    extend_responses,
    replaces,
)


class Backend:
    pass


class Extension(Backend):
    pass


class Backends(dict[str, Any]):
    backend: type = Backend


class Responses:
    @classmethod
    def dispatch(cls) -> str:
        return cls.__name__


class MoreResponses(Responses):
    pass


@pytest.mark.parametrize(
    "target",
    [
        "moto.s3.models:FakeBucket.get_permissions",
        "moto.s3.models:Nothing.x",
        "moto.s3.models:UPLOAD_ID_BYTES",
    ],
)
def test_a_function_that_moto_does_not_have_is_not_replaced(target: str) -> None:
    @replaces(target)
    def stand_in() -> None:
        pass

    with pytest.raises(ExtensionError, match=f"moto has no function {target}, which stand_in replaces"):
        stand_in.install()


def test_all_that_is_replaced_is_there() -> None:
    assert len(REPLACEMENTS) == 4
    for replacement in REPLACEMENTS:
        replacement.install()


def test_a_backend_is_extended_once_and_before_it_is_used() -> None:
    backends = Backends()
    extend_backend(backends, Extension)
    assert backends.backend is Extension
    backends["account"] = {"region": object()}
    extend_backend(backends, Extension)
    in_use = Backends(account={"region": object()})
    with pytest.raises(ExtensionError, match="before it could be extended"):
        extend_backend(in_use, Extension)
    with pytest.raises(ExtensionError, match="Responses does not extend moto's Backend"):
        extend_backend(Backends(), Responses)


def test_responses_are_extended_by_a_subclass_only() -> None:
    urls: Any = SimpleNamespace(__name__="moto.x.urls", url_paths={"{0}/$": Responses.dispatch})
    extend_responses(urls, MoreResponses)
    assert urls.url_paths["{0}/$"]() == "MoreResponses"
    with pytest.raises(ExtensionError, match="Extension does not extend moto's MoreResponses"):
        extend_responses(urls, Extension)
    with pytest.raises(ExtensionError, match=r"moto.x.urls has no responses"):
        extend_responses(SimpleNamespace(__name__="moto.x.urls", url_paths={}), MoreResponses)  # type: ignore[arg-type]
