"""One error format: RFC 9457 problem+json with a stable `code`."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from dotmac.core import denials
from dotmac.core.errors import AuthenticationRefused, DomainError, PermissionRefused
from dotmac.core.telemetry import request_id_var

CONTENT_TYPE = "application/problem+json"
_CODES = {
    exceptions.NotAuthenticated: "not_authenticated",
    exceptions.AuthenticationFailed: "not_authenticated",
    exceptions.PermissionDenied: "permission_denied",
    exceptions.NotFound: "not_found",
    exceptions.MethodNotAllowed: "method_not_allowed",
    exceptions.UnsupportedMediaType: "unsupported_media_type",
    exceptions.NotAcceptable: "not_acceptable",
    exceptions.ParseError: "malformed",
    exceptions.Throttled: "throttled",
}


def problem(
    *,
    status: int,
    code: str,
    title: str,
    detail: str = "",
    errors: list[dict[str, str]] | None = None,
    **facts: Any,
) -> dict[str, Any]:
    """The body of a problem; `errors` name fields: {field, code, detail}."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail or title,
        "code": code,
        "request_id": request_id_var.get(),
    }
    if errors:
        body["errors"] = errors
    return {**facts, **body}


def problem_of(error: DomainError) -> dict[str, Any]:
    """The body for a refusal."""
    detail = _(error.detail)
    errors = None
    if error.field:
        errors = [{"field": error.field, "code": error.code, "detail": detail}]
    return problem(
        status=error.status,
        code=error.code,
        title=_(error.title),
        detail=detail,
        errors=errors,
        **error.facts,
    )


def problem_response(
    *, status: int, code: str, title: str, detail: str = "", **facts: Any
) -> HttpResponse:
    """A problem from outside DRF (middleware, plain views)."""
    body = problem(status=status, code=code, title=title, detail=detail, **facts)
    return JsonResponse(body, status=status, content_type=CONTENT_TYPE)


def domain_response(error: DomainError) -> HttpResponse:
    """A refusal from outside DRF."""
    response = JsonResponse(
        problem_of(error), status=error.status, content_type=CONTENT_TYPE
    )
    _retry_after(response, error)
    return response


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's hook: every anticipated error becomes a problem, others stay errors."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, PermissionRefused):
        denials.note(error, context["request"])
    if isinstance(error, DomainError):
        set_rollback()
        response = Response(problem_of(error), status=error.status)
        if isinstance(error, AuthenticationRefused):
            response["WWW-Authenticate"] = "Bearer"
        _retry_after(response, error)
    elif isinstance(error, exceptions.APIException):
        set_rollback()
        response = _of_api_exception(error)
    elif isinstance(error, OperationalError):
        response = Response(
            problem(
                status=503,
                code="database_unavailable",
                title=_("The database does not answer. Nothing was changed."),
            ),
            status=503,
            headers={"Retry-After": "5"},
        )
    else:
        return None
    response.content_type = CONTENT_TYPE
    return response


def _retry_after(response: HttpResponse, error: DomainError) -> None:
    if "retry_after_s" in error.facts:
        response["Retry-After"] = str(error.facts["retry_after_s"])


def _of_api_exception(error: exceptions.APIException) -> Response:
    status = error.status_code
    if isinstance(error, exceptions.ValidationError):
        body = problem(
            status=status,
            code="invalid",
            title=_("Some values are not valid."),
            detail=_("Nothing was changed. See errors for each field."),
            errors=list(_field_errors(error.detail)),
        )
    else:
        code = _CODES.get(type(error), str(getattr(error, "default_code", "refused")))
        title = HTTPStatus(status).phrase
        body = problem(status=status, code=code, title=title, detail=str(error.detail))
    headers = {}
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait))
    return Response(body, status=status, headers=headers)


def _field_errors(detail: Any, path: str = "") -> list[dict[str, str]]:
    if isinstance(detail, dict):
        return [
            found
            for name, inner in detail.items()
            for found in _field_errors(inner, f"{path}.{name}" if path else str(name))
        ]
    if isinstance(detail, list):
        found = []
        for index, inner in enumerate(detail):
            nested = isinstance(inner, (dict, list))
            found += _field_errors(inner, f"{path}[{index}]" if nested else path)
        return found
    field = "" if path == "non_field_errors" else path
    code = str(getattr(detail, "code", "invalid"))
    return [{"field": field, "code": code, "detail": str(detail)}]
