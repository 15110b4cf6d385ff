"""One customer's history through the API, in keyset pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from apps.identity import selectors
from apps.identity.api.of_customer import OfCustomerViewSet
from apps.identity.models import Customer
from dotmac.core.api.pagination import (
    PAGE_SIZE,
    PAGE_SIZE_MAX,
    decode_cursor,
    encode_cursor,
    page_size,
)
from dotmac.core.participants import timeline_sources
from dotmac.core.timeline import Place

_KEY = ("at", "source", "id")


class TimelineEntrySerializer(serializers.Serializer[Any]):
    """One line of history; `kind` says what, `id` which row of that kind."""

    kind = serializers.CharField(source="source")
    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    title = serializers.CharField()
    detail = serializers.CharField()
    by = serializers.CharField()


class TimelineViewSet(OfCustomerViewSet):
    """What happened to the customer, told by every app, newest first."""

    queryset = Customer.objects.none()
    serializer_class = TimelineEntrySerializer
    pagination_class = None
    parameters = frozenset({"cursor", "page_size", "app", "format"})
    permission_by_action: ClassVar[dict[str, str]] = {"list": "identity.view_timeline"}

    @extend_schema(
        parameters=[
            OpenApiParameter("cursor", str, description="From `next`."),
            OpenApiParameter(
                "page_size", int, description=f"{PAGE_SIZE}, at most {PAGE_SIZE_MAX}."
            ),
            OpenApiParameter(
                "app", str, description="One app's entries, e.g. billing."
            ),
        ],
        responses=inline_serializer(
            "TimelinePage",
            {
                "results": TimelineEntrySerializer(many=True),
                "next": serializers.URLField(allow_null=True),
            },
        ),
    )
    def list(self, request: Request, customer_id: str) -> Response:
        """One page; what the reader's permissions do not reach is left out."""
        entries, more = selectors.customer_timeline(
            self.customer(),
            actor=self.actor,
            limit=page_size(request),
            before=_place(request),
            app=_app(request),
        )
        following = None
        if more:
            cursor = encode_cursor(entries[-1], _KEY, backwards=False)
            address = request.build_absolute_uri()
            following = str(replace_query_param(address, "cursor", cursor))
        lines = TimelineEntrySerializer(entries, many=True).data
        return Response({"results": lines, "next": following})


def _app(request: Request) -> str:
    app = request.query_params.get("app", "")
    known = {each.name.split(".")[0] for each in timeline_sources("identity.customer")}
    if "app" in request.query_params and app not in known:
        raise ValidationError({"app": [_("One of %s.") % ", ".join(sorted(known))]})
    return app


def _place(request: Request) -> Place | None:
    _backwards, key = decode_cursor(request.query_params.get("cursor"), len(_KEY))
    if key is None:
        return None
    try:
        return datetime.fromisoformat(key[0]), str(key[1]), int(key[2])
    except (ValueError, TypeError) as error:
        raise ParseError(_("The cursor is not valid.")) from error
