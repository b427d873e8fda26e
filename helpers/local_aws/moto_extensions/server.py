"""The WSGI application of moto, with the extensions."""

import json
import traceback
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flask import Response, request
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.exceptions import HTTPException

from helpers.local_aws.moto_extensions import extend_moto

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from flask import Flask


def moto_application() -> "WSGIApplication":
    """Return moto's application with all extensions."""
    extend_moto()
    application: WSGIApplication = _Dispatcher(_create_app)
    return application


# moto's classes have no types, so the base of their subclasses is Any.
class _Dispatcher(DomainDispatcherApplication):  # type: ignore[misc]
    """Finds the service of a request."""

    @staticmethod
    @lru_cache
    def _backend_for(dispatcher: DomainDispatcherApplication, host: str | None) -> Any:
        return DomainDispatcherApplication.get_backend_for_host(dispatcher, host)

    def get_backend_for_host(self, host: str | None) -> Any:
        """Return the service of a host. moto lists its folder 200 times for each request."""
        return self._backend_for(self, host)


def _create_app(service: str) -> "Flask":
    app: Flask = create_backend_app(service)
    app.register_error_handler(Exception, _aws_error)
    return app


def _aws_error(error: Exception) -> Response | HTTPException:
    """Return an unexpected error of moto in the form of an AWS error; the cause is in the server's log.

    The status is not 500, because clients would retry.
    """
    if isinstance(error, HTTPException):
        return error
    traceback.print_exception(error)
    if isinstance(error, NotImplementedError):
        code, cause = "UnknownOperationException", str(error)
    else:
        code, cause = "InternalFailure", f"{type(error).__name__}: {error}"
    message = (
        f"The embedded AWS cannot answer this request ({cause}). Its log has more: .local_aws/server.log"
    )
    if "X-Amz-Target" in request.headers:
        body = json.dumps({"__type": code, "message": message})
        return Response(body, 400, content_type="application/x-amz-json-1.1")
    escaped = message.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    detail = f"<Code>{code}</Code><Message>{escaped}</Message>"
    is_s3 = request.headers.get("Authorization", "").find("/s3/aws4_request") > 0
    body = f"<Error>{detail}</Error>" if is_s3 else f"<ErrorResponse><Error>{detail}</Error></ErrorResponse>"
    return Response(body, 400, content_type="text/xml")
