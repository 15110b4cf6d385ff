"""Access accounts and their holds."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    inline_serializer,
)
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from apps.network import operations, selectors
from apps.network.api.requests import AccountChanges, NewHandle, NewHold, VlanWanted
from apps.network.api.serializers import AccountSerializer, HandleSerializer
from apps.network.api.usage import AccountUsageSerializer
from apps.network.enums import AccountKind, HoldReason
from apps.network.models import AccessAccount
from dotmac.core.actors import Actor
from dotmac.core.api import filters
from dotmac.core.api.spans import SPAN_PARAMETERS, span_of
from dotmac.core.api.viewsets import ApiViewSet, ListMixin
from dotmac.core.errors import InvalidInput
from dotmac.core.zones import zone_named

_Queued = inline_serializer(
    "DisconnectsQueued", {"queued": serializers.IntegerField(min_value=0)}
)
_ZONE = OpenApiParameter(
    "zone", OpenApiTypes.STR,
    description="Whose clock dates and windows are by, as in Africa/Accra; the"
    " operator's unless told.",
)  # fmt: skip


def _zone(request: Request) -> ZoneInfo:
    """The clock asked for: network knows no customers, so it cannot know theirs."""
    name = request.query_params.get("zone", "")
    if not name:
        return settings.OPERATOR_ZONE
    zone = zone_named(name)
    if zone is None:
        raise ValidationError({"zone": [_("There is no such time zone.")]})
    return zone


class AccountViewSet(ListMixin, ApiViewSet):
    """What may be switched at the edge, with its state and why."""

    queryset = AccessAccount.objects.none()
    serializer_class = AccountSerializer
    permission_by_action = {
        "list": "network.view_account",
        "retrieve": "network.view_account",
        "partial_update": "network.change_account",
        "vlan": "network.assign_vlan",
        "holds": "network.place_hold",
        "lift_hold": "network.lift_hold",
        "disconnect": "network.disconnect_session",
        "handles": "network.view_account",
        "add_handle": "network.add_handle",
        "remove_handle": "network.remove_handle",
        # Not view_usage: customers hold that, and reach their usage by their services.
        "usage": "network.view_session",
    }
    filters = {
        "login": filters.exact("login"),
        "kind": filters.exact("kind", AccountKind),
        "profile": filters.number("profile_id"),
        "closed": filters.yes_no(lambda value: Q(closed_at__isnull=not value)),
    }

    def rows(self, actor: Actor, permission: str) -> QuerySet[AccessAccount]:
        return selectors.accounts(actor, permission)

    def paginate_queryset(self, queryset: Any) -> Any:
        """One page as views: five queries however many accounts there are."""
        rows = super().paginate_queryset(queryset) or []
        views = selectors.account_views([row.pk for row in rows])
        return [views[row.pk] for row in rows]

    @extend_schema(responses=AccountSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One account."""
        return self._view(self.get_object().pk)

    @extend_schema(request=AccountChanges, responses=AccountSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change what is given. Another speed reaches running sessions by CoA, another
        pool ends them, all else counts from the next login on."""
        account = self.get_object()
        operations.change_access(
            account_id=account.pk, **self.body(AccountChanges), actor=self.actor,
            now=timezone.now(),
        )  # fmt: skip
        return self._view(account.pk)

    @extend_schema(request=VlanWanted, responses={201: AccountSerializer})
    @action(detail=True, methods=["post"])
    def vlan(self, request: Request, pk: str) -> Response:
        """Give the account the first free VLAN id of the group, from its next login on.

        Problem `vlan_group_exhausted` when the group has none.
        """
        account, wanted = self.get_object(), self.body(VlanWanted)
        reach = selectors.vlan_groups(self.actor, "network.assign_vlan")
        if not reach.filter(pk=wanted["group_id"]).exists():
            raise InvalidInput("There is no such VLAN group.", field="group")
        operations.assign_vlan(
            account_id=account.pk, **wanted, actor=self.actor, now=timezone.now()
        )
        return self._view(account.pk, status=201)

    @extend_schema(request=NewHold, responses={201: AccountSerializer})
    @action(detail=True, methods=["post"])
    def holds(self, request: Request, pk: str) -> Response:
        """Hold the account; running sessions end (or slow) a few seconds later."""
        account = self.get_object()
        operations.place_hold(
            account_id=account.pk, **self.body(NewHold), actor=self.actor,
            now=timezone.now(),
        )  # fmt: skip
        return self._view(account.pk, status=201)

    @extend_schema(responses=AccountSerializer)
    @action(detail=True, methods=["delete"], url_path=r"holds/(?P<reason>[a-z_]{1,16})")
    def lift_hold(self, request: Request, pk: str, reason: str) -> Response:
        """Lift the hold of one reason; holds for other reasons stay."""
        if reason not in HoldReason.values:
            raise NotFound
        account = self.get_object()
        operations.lift_hold(
            account_id=account.pk, reason=reason, actor=self.actor, now=timezone.now()
        )
        return self._view(account.pk)

    @extend_schema(request=None, responses={202: _Queued})
    @action(detail=True, methods=["post"])
    def disconnect(self, request: Request, pk: str) -> Response:
        """Ask the NASes to end the account's sessions; see coa-requests for answers."""
        queued = operations.request_disconnects(
            account_id=self.get_object().pk, actor=self.actor, now=timezone.now(),
            reason="asked by staff",
        )  # fmt: skip
        return Response({"queued": queued}, status=202)

    @extend_schema(responses=HandleSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None, filter_backends=[])
    def handles(self, request: Request, pk: str) -> Response:
        """Devices and lines that are let in as this account without a password."""
        rows = selectors.account_handles(self.get_object().pk)
        return Response(HandleSerializer(rows, many=True).data)

    @extend_schema(request=NewHandle, responses={201: HandleSerializer})
    @handles.mapping.post
    def add_handle(self, request: Request, pk: str) -> Response:
        """Let one in, on NASes with `ipoe`; adding it again changes nothing."""
        row = operations.add_handle(
            account_id=self.get_object().pk, **self.body(NewHandle), actor=self.actor,
            now=timezone.now(),
        )  # fmt: skip
        return Response(HandleSerializer(row).data, status=201)

    @extend_schema(responses={204: None})
    @action(
        detail=True, methods=["delete"], url_path=r"handles/(?P<handle>[0-9]{1,18})"
    )
    def remove_handle(self, request: Request, pk: str, handle: str) -> Response:
        """Let it in no longer; a session that runs stays."""
        operations.remove_handle(
            account_id=self.get_object().pk, handle_id=int(handle), actor=self.actor,
            now=timezone.now(),
        )  # fmt: skip
        return Response(status=204)

    @extend_schema(
        parameters=[*SPAN_PARAMETERS, _ZONE], responses=AccountUsageSerializer
    )
    @action(detail=True, methods=["get"])
    def usage(self, request: Request, pk: str) -> Response:
        """Octets by hour, thirty days unless told; hours without any are left out."""
        account = self.get_object()
        now, zone = timezone.now(), _zone(request)
        start, end = span_of(request, now, zone)
        hours = selectors.usage_hours([account.pk], start, end)
        windows = selectors.usage_windows([account.pk], at=now, zone=zone)
        data = {
            "account": account.pk,
            "start": start,
            "end": end,
            "octets_in": sum(hour.octets_in for hour in hours),
            "octets_out": sum(hour.octets_out for hour in hours),
            "hours": hours,
            "zone": zone.key,
            "windows": windows[account.pk],
        }
        return Response(AccountUsageSerializer(data).data)

    def _view(self, account_id: int, *, status: int = 200) -> Response:
        view = selectors.account_view(account_id)
        return Response(self.get_serializer(view).data, status=status)
