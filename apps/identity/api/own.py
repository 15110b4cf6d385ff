"""One's own access through the API: step-up, sign-ins, keys."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.identity import operations, selectors
from apps.identity.models import ApiKey, Session
from dotmac.core.actors import STEP_UP_LIFETIME, Actor
from dotmac.core.api import address_of
from dotmac.core.api.viewsets import ApiViewSet, ListMixin, RetrieveMixin
from dotmac.core.errors import NotFound

OWN = "identity.manage_own_access"
DAYS_DEFAULT = 90


class StepUpRequest(serializers.Serializer[Any]):
    otp = serializers.CharField(
        max_length=24, help_text="A one-time code, or a recovery code."
    )


class StepUpAnswer(serializers.Serializer[Any]):
    confirmed_at = serializers.DateTimeField()
    valid_until = serializers.DateTimeField(
        help_text="Until then dangerous operations are let through."
    )


class StepUpViewSet(ApiViewSet):
    queryset = Session.objects.none()
    serializer_class = StepUpAnswer
    permission_by_action = {"create": OWN}

    @extend_schema(
        request=StepUpRequest,
        responses={200: StepUpAnswer},
        operation_id="auth_step_up",
    )
    def create(self, request: Request) -> Response:
        """Show the second factor again, for the sign-in behind the token.

        After `step_up_required`: send a code, then repeat what was refused.
        Problems: `otp_invalid`, `otp_reused`, `no_second_factor`,
        `too_many_attempts` (Retry-After).
        """
        session_id = self.actor.session_id
        if session_id is None:
            raise NotFound
        now = timezone.now()
        operations.step_up(
            session_id=session_id,
            otp=self.body(StepUpRequest)["otp"],
            address=address_of(request),
            device=request.headers.get("User-Agent", ""),
            now=now,
        )
        answer = {"confirmed_at": now, "valid_until": now + STEP_UP_LIFETIME}
        return Response(StepUpAnswer(answer).data)


class SignInSerializer(serializers.ModelSerializer[Session]):
    device = serializers.SerializerMethodField(help_text="In words.")
    user_agent = serializers.CharField(source="device")
    last_used_at = serializers.DateTimeField(source="seen_at")
    idle_until = serializers.DateTimeField(source="idle_until_at")
    current = serializers.SerializerMethodField(help_text="The one at hand.")

    class Meta:
        model = Session
        fields = (
            "id", "face", "device", "user_agent", "address", "started_at",
            "last_used_at", "idle_until", "expires_at", "current",
        )  # fmt: skip

    @extend_schema_field(str)
    def get_device(self, row: Session) -> str:
        device = selectors.device_of(row.device)
        return " · ".join(filter(None, (device.browser, device.system)))

    @extend_schema_field(bool)
    def get_current(self, row: Session) -> bool:
        view = self.context.get("view")
        return view is not None and row.pk == view.actor.session_id


class EndedAnswer(serializers.Serializer[Any]):
    ended = serializers.IntegerField()


class SignInViewSet(ListMixin, ApiViewSet):
    """The caller's own sign-ins that work now."""

    queryset = Session.objects.none()
    serializer_class = SignInSerializer
    permission_by_action = {"list": OWN, "destroy": OWN, "destroy_others": OWN}

    def rows(self, actor: Actor, permission: str) -> QuerySet[Session]:
        return selectors.own_sessions(actor.id, now=timezone.now())

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """End one sign-in; its tokens and cookies stop working at once."""
        operations.end_own_session(
            session_id=int(pk), actor=self.actor, now=timezone.now()
        )
        return Response(status=204)

    @extend_schema(
        responses={200: EndedAnswer}, operation_id="auth_sessions_end_others"
    )
    def destroy_others(self, request: Request) -> Response:
        """End all sign-ins but the one that asks."""
        ended = operations.end_other_sessions(actor=self.actor, now=timezone.now())
        return Response({"ended": ended})


class ApiKeySerializer(serializers.ModelSerializer[ApiKey]):
    prefix = serializers.CharField(source="shown_prefix")
    scopes = serializers.ListField(child=serializers.CharField())
    addresses = serializers.ListField(child=serializers.CharField())
    uses = serializers.SerializerMethodField(help_text="How often it was used.")

    class Meta:
        model = ApiKey
        fields = (
            "id", "name", "prefix", "scopes", "addresses", "expires_at",
            "last_used_at", "last_address", "uses", "revoked_at", "created_at",
        )  # fmt: skip

    @extend_schema_field(int)
    def get_uses(self, row: ApiKey) -> int:
        return selectors.counted_uses([row])[row.pk]


class NewApiKey(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80)
    scopes = serializers.ListField(
        child=serializers.CharField(max_length=100),
        min_length=1,
        max_length=200,
        help_text="Permissions; each must be held by who makes the key.",
    )
    days = serializers.IntegerField(
        min_value=1, max_value=366, required=False, default=DAYS_DEFAULT
    )
    addresses = serializers.ListField(
        child=serializers.CharField(max_length=43),
        max_length=20,
        required=False,
        default=list,
        help_text="Addresses or networks from which alone it works.",
    )


class MadeApiKey(ApiKeySerializer):
    key = serializers.CharField(help_text="Shown now and never again.")

    class Meta(ApiKeySerializer.Meta):
        fields = (*ApiKeySerializer.Meta.fields, "key")  # type: ignore[assignment]


class ApiKeyViewSet(ListMixin, RetrieveMixin, ApiViewSet):
    """The caller's own keys, by which programs act in the own name."""

    queryset = ApiKey.objects.none()
    serializer_class = ApiKeySerializer
    permission_by_action = {
        "list": OWN,
        "retrieve": OWN,
        "create": "identity.create_api_key",
        "destroy": OWN,
    }

    def rows(self, actor: Actor, permission: str) -> QuerySet[ApiKey]:
        return selectors.own_api_keys(actor.id)

    @extend_schema(request=NewApiKey, responses={201: MadeApiKey})
    def create(self, request: Request) -> Response:
        """Make a key; staff only, with a second factor shown minutes ago.

        It may do what is in `scopes` as long as its owner may. Problems:
        `step_up_required`, `scope_too_wide`, `malformed_address`, `name_taken`.
        """
        made = operations.create_api_key(
            **self.body(NewApiKey), actor=self.actor, now=timezone.now()
        )
        answer = {**ApiKeySerializer(made.row).data, "key": made.key}
        return Response(answer, status=201, headers={"Cache-Control": "no-store"})

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Take a key back; it stops working at once."""
        operations.revoke_api_key(
            key_id=self.get_object().pk,
            owner_id=self.actor.id,
            actor=self.actor,
            now=timezone.now(),
        )
        return Response(status=204)
