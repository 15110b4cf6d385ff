"""Why a login is let in or refused."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    extend_schema,
    extend_schema_field,
)
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from apps.network import selectors
from apps.network.models import AccessAttempt
from apps.network.rules.addressing import parsed_address
from apps.network.rules.credentials import MalformedText
from dotmac.core.actors import Actor
from dotmac.core.api.viewsets import ApiViewSet

# RFC 2865 5: an attribute carries at most 253 octets, in hex twice as many.
TEXT_MAX = 512


class ExplainedStepSerializer(serializers.Serializer[Any]):
    """A question that RADIUS asks, and its answer."""

    step = serializers.CharField(
        help_text="nas, account, expiry, hold, device, sessions or profile."
    )
    outcome = serializers.CharField()
    detail = serializers.DictField()


class ToldPairSerializer(serializers.Serializer[Any]):
    attribute = serializers.CharField()
    op = serializers.CharField()
    value = serializers.CharField()


class ExplanationSerializer(serializers.Serializer[Any]):
    """`password` is accept for whom has the right one."""

    verdict = serializers.ChoiceField(
        choices=("accept", "password", "reject", "silent")
    )
    reason = serializers.CharField()
    hold = serializers.CharField(help_text="The reason of the hold that decided.")
    account = serializers.IntegerField(source="account_id", allow_null=True)
    steps = ExplainedStepSerializer(many=True)
    reply = serializers.SerializerMethodField()

    @extend_schema_field(ToldPairSerializer(many=True))
    def get_reply(self, found: selectors.Explanation) -> list[dict[str, str]]:
        """What the NAS would be told."""
        return [
            {"attribute": attribute, "op": op, "value": value}
            for attribute, op, value in found.reply
        ]


def _query(name: str, says: str, *, required: bool = False) -> OpenApiParameter:
    return OpenApiParameter(name, OpenApiTypes.STR, required=required, description=says)


class LoginAttemptViewSet(ApiViewSet):
    """What RADIUS decides, and why."""

    queryset = AccessAttempt.objects.none()
    serializer_class = ExplanationSerializer
    permission_by_action = {"explain": "network.view_session"}

    def rows(self, actor: Actor, permission: str) -> QuerySet[AccessAttempt]:
        return selectors.access_attempts(actor, permission)

    @extend_schema(
        parameters=[
            _query("login", "As the device sends it.", required=True),
            _query("nas", "The NAS's source address.", required=True),
            _query("mac", "The MAC address that the NAS sees."),
            _query("circuit", "Agent-Circuit-Id, for IPoE."),
            _query("remote", "Agent-Remote-Id, for IPoE."),
        ],
        responses=ExplanationSerializer,
    )
    @action(detail=False, methods=["get"], pagination_class=None, filter_backends=[])
    def explain(self, request: Request) -> Response:
        """What it would answer this login now, step by step. Changes nothing."""
        login = self._text("login")
        if not login:
            raise ValidationError({"login": [_("Give a value.")]})
        found = selectors.explain_access(
            self.actor, login=login, nas_address=self._nas(), mac=self._text("mac"),
            circuit=self._text("circuit"), remote=self._text("remote"),
        )  # fmt: skip
        return Response(ExplanationSerializer(found).data)

    def _nas(self) -> str:
        """One that the actor may name: nobody learns of others by asking."""
        try:
            address = str(parsed_address(self._text("nas")))
        except MalformedText as complaint:
            raise ValidationError({"nas": [str(complaint)]}) from None
        known = selectors.explaining_nases(self.actor)
        if address not in {str(nas.address) for nas in known}:
            raise ValidationError({"nas": [_("There is no such NAS.")]})
        return address

    def _text(self, name: str) -> str:
        value = str(self.request.query_params.get(name, ""))
        if len(value) > TEXT_MAX or "\x00" in value:
            raise ValidationError({name: [_("Give a shorter value.")]})
        return value
