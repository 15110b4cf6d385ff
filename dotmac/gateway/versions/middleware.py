"""/api/v2 by the views of /api/v1, and what v1's answers say of their successor."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import orjson
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.http import http_date
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError

from dotmac.core.api.parsers import parse_strictly
from dotmac.gateway.refusals import refuse
from dotmac.gateway.versions import changes
from dotmac.gateway.versions.shapes import ForeignNames, Shape, shape_for

_LINKS = ("next", "previous")


class VersionMiddleware:
    """Turns a request into the views' version, and its answer back."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        parts = changes.split(request.path_info)
        if parts is None:
            return self.get_response(request)
        name, rest = parts
        if name not in changes.NAMES:
            return _unknown(request)
        shape = shape_for(name, rest)
        if name != changes.NATIVE:
            _turn(request, rest)
        try:
            if shape is not None:
                _inward(request, shape)
        except ForeignNames as error:
            # Names the field as it was sent.
            shape, response = None, _foreign(request, name, error)
        else:
            response = self.get_response(request)
        if name != changes.NATIVE:
            _outward(response, name, shape)
        _announce(response, name, rest)
        return response


def _unknown(request: HttpRequest) -> HttpResponse:
    return refuse(
        request,
        status=404,
        code="unknown_version",
        title=_("There is no such version of the API."),
        detail=_("There are %s.") % ", ".join(changes.NAMES),
        versions=list(changes.NAMES),
    )


def _foreign(request: HttpRequest, version: str, error: ForeignNames) -> HttpResponse:
    says = _("%(version)s calls it %(name)s.")
    return refuse(
        request,
        status=400,
        code="invalid",
        title=_("Some values are not valid."),
        detail=_("Nothing was changed. See errors for each field."),
        errors=[
            {
                "field": name,
                "code": "renamed",
                "detail": says % {"version": version, "name": own},
            }
            for name, own in error.names.items()
        ],
    )


def _turn(request: Any, rest: str) -> None:
    """Point the request at the views' routes."""
    request.path_info = f"{changes.ROOT}{changes.NATIVE}/{rest}"
    request.path = request.path_info
    request.META["PATH_INFO"] = request.path_info


def _inward(request: Any, shape: Shape) -> None:
    """Query and body by the views' names. What cannot be read is left to them."""
    if query := request.META.get("QUERY_STRING", ""):
        pairs = parse_qsl(query, keep_blank_values=True)
        request.META["QUERY_STRING"] = urlencode(shape.query_inward(pairs))
        request.GET = QueryDict(request.META["QUERY_STRING"])
    if request.content_type != "application/json" or not request.body:
        return
    try:
        body = parse_strictly(request.body)
    except ParseError:
        return
    # Not orjson: it refuses whole numbers beyond 64 bits, which the views refuse well.
    request._body = json.dumps(shape.body_inward(body)).encode()
    request.META["CONTENT_LENGTH"] = str(len(request._body))


def _outward(response: HttpResponse, version: str, shape: Shape | None) -> None:
    """The answer by the version's names, with links that stay in the version."""
    if location := response.get("Location"):
        response["Location"] = _link(location, version, shape)
    kind = response.get("Content-Type", "").partition(";")[0]
    is_problem = kind == "application/problem+json"
    if response.streaming or not (is_problem or kind == "application/json"):
        return
    _render(response)
    if not response.content:
        return
    body = orjson.loads(response.content)
    if shape is not None:
        turn = shape.problem_outward if is_problem else shape.body_outward
        body = turn(body)
    if isinstance(body, dict) and not is_problem:
        body |= {
            name: _link(body[name], version, shape)
            for name in _LINKS
            if isinstance(body.get(name), str)
        }
    response.content = orjson.dumps(body)
    if response.has_header("Content-Length"):
        response["Content-Length"] = str(len(response.content))


def _render(response: Any) -> None:
    if getattr(response, "is_rendered", True) is False:
        response.render()


def _link(url: str, version: str, shape: Shape | None) -> str:
    parts = urlsplit(url)
    found = changes.split(parts.path)
    if found is None:
        return url
    query = parts.query
    if shape is not None and query:
        pairs = parse_qsl(query, keep_blank_values=True)
        query = urlencode(shape.query_outward(pairs))
    path = f"{changes.ROOT}{version}/{found[1]}"
    return urlunsplit((parts.scheme, parts.netloc, path, query, ""))


def _announce(response: HttpResponse, name: str, rest: str) -> None:
    """Deprecation (RFC 9745), Sunset (RFC 8594) and the way to the successor."""
    version, successor = changes.version(name), changes.successor_of(name, rest)
    if successor is None:
        return
    if version.deprecated_at is not None:
        response["Deprecation"] = f"@{int(version.deprecated_at.timestamp())}"
    if version.sunset_at is not None:
        response["Sunset"] = http_date(version.sunset_at.timestamp())
    link = f"<{changes.ROOT}{successor.name}/{rest}>"
    response["Link"] = f'{link}; rel="successor-version"'
