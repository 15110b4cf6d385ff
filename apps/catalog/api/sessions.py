"""Sessions and usage of services: catalog knows whose account it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.catalog import selectors
from apps.catalog.api.serializers import SessionSerializer, UsageSerializer
from apps.catalog.models import Service
from apps.identity import selectors as identity
from apps.network import selectors as network
from apps.network.selectors import SessionView
from dotmac.core.actors import Actor
from dotmac.core.api import filters
from dotmac.core.api.spans import SPAN_PARAMETERS, span_of
from dotmac.core.api.viewsets import ApiViewSet


class SessionViewSet(ApiViewSet):
    """Who is on line, and who was.

    With `service` or `customer`: their latest sessions, live and past. Without:
    the live sessions of everybody whom the actor may see, page by page.
    """

    queryset = Service.objects.none()
    serializer_class = SessionSerializer
    permission_by_action = {"list": "catalog.view_service"}
    filters = {
        "service": filters.number("pk"),
        "customer": filters.number("customer_id"),
    }

    def rows(self, actor: Actor, permission: str) -> QuerySet[Service]:
        return selectors.services_visible_to(actor, permission)

    @extend_schema(responses=SessionSerializer(many=True))
    def list(self, request: Request) -> Response:
        services = self.filter_queryset(self.get_queryset())
        asked = set(self.filters) & set(request.query_params)
        if not asked and not self.actor.is_customer:
            return self._live(services)
        found = network.sessions_of(selectors.account_ids_of_services(services))
        data = self._data(found)
        return Response({"results": data, "next": None, "previous": None})

    def _live(self, services: QuerySet[Service]) -> Response:
        rows = network.live_sessions(self.actor).filter(stopped_at=None)
        scope = self.actor.scope("catalog.view_service")
        if not scope.everything:
            rows = rows.filter(account_id__in=services.values("access_id"))
        page = self.paginate_queryset(rows) or []
        views = network.session_views([row.pk for row in page])
        # One may have been archived between the two reads.
        shown = [views[row.pk] for row in page if row.pk in views]
        return self.get_paginated_response(self._data(shown))

    def _data(self, sessions: Sequence[SessionView]) -> Any:
        accounts = {found.account_id for found in sessions if found.account_id}
        services = selectors.service_ids_of_accounts(accounts)
        context = {**self.get_serializer_context(), "services": services}
        rows: Any = sessions  # the stubs know no `many`
        return SessionSerializer(rows, many=True, context=context).data


class UsageMixin:
    """GET services/{id}/usage: octets by hour."""

    @extend_schema(parameters=[*SPAN_PARAMETERS], responses=UsageSerializer)
    @action(detail=True, methods=["get"])
    def usage(self: Any, request: Request, pk: str) -> Response:
        """Octets by hour, thirty days unless told; hours without any are left out.

        Dates and windows are by the clock of the unit that the customer belongs to.
        """
        now = timezone.now()
        service = self.get_object()
        zone = identity.zone_of_customer(service.customer_id)
        start, end = span_of(request, now, zone)
        accounts = [service.access_id] if service.access_id else []
        hours = network.usage_hours(accounts, start, end) if accounts else []
        windows = network.usage_windows(accounts, at=now, zone=zone)
        data = {
            "service": service.pk,
            "start": start,
            "end": end,
            "octets_in": sum(hour.octets_in for hour in hours),
            "octets_out": sum(hour.octets_out for hour in hours),
            "hours": hours,
            "zone": zone.key,
            "windows": windows.get(service.access_id, ()),
        }
        return Response(UsageSerializer(data).data)
