"""The loader of service descriptions is faster than botocore's, with the same results."""

import boto3
import botocore.session
import pytest
from botocore.exceptions import UnknownServiceError
from botocore.loaders import Loader

from helpers.service_models import LOADER, share_with_all_sessions


@pytest.mark.parametrize(
    ("service", "kind"),
    [("sagemaker", "service-2"), ("s3", "paginators-1"), ("logs", "endpoint-rule-set-1")],
)
def test_a_description_is_what_botocore_reads(service: str, kind: str) -> None:
    assert LOADER.load_service_model(service, kind) == Loader().load_service_model(service, kind)


def test_the_services_are_those_of_botocore() -> None:
    assert LOADER.list_available_services("service-2") == Loader().list_available_services("service-2")


def test_a_file_that_a_service_does_not_have_is_as_if_it_were_empty() -> None:
    session = botocore.session.get_session()
    session.register_component("data_loader", LOADER)

    assert session.create_client("sts", region_name="eu-north-1").waiter_names == []


def test_sessions_of_other_libraries_can_share_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(botocore.session, "create_loader", Loader)
    assert botocore.session.get_session().get_component("data_loader") is not LOADER

    share_with_all_sessions()

    assert boto3.Session()._session.get_component("data_loader") is LOADER


def test_a_misspelled_service_is_unknown() -> None:
    session = botocore.session.get_session()
    session.register_component("data_loader", LOADER)

    with pytest.raises(UnknownServiceError, match="Unknown service: 'sagemakr'"):
        boto3.Session(botocore_session=session).client("sagemakr", region_name="eu-north-1")
