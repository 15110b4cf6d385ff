"""auth/login, auth/refresh, auth/logout and the public keys."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.identity import operations, selectors
from apps.identity.enums import SessionFace
from dotmac.core.api import address_of


class LoginRequest(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=254)
    password = serializers.CharField(max_length=1024, trim_whitespace=False)
    otp = serializers.CharField(
        max_length=24,
        required=False,
        allow_blank=True,
        default="",
        help_text="The one-time code, or a recovery code; staff always need one.",
    )


class RefreshRequest(serializers.Serializer[Any]):
    refresh = serializers.CharField(max_length=256)


class TokensAnswer(serializers.Serializer[Any]):
    access = serializers.CharField()
    refresh = serializers.CharField(help_text="Works once.")
    token_type = serializers.CharField(default="Bearer")
    expires_in = serializers.IntegerField(help_text="Seconds.")


class JsonWebKey(serializers.Serializer[Any]):
    kty = serializers.CharField()
    crv = serializers.CharField()
    use = serializers.CharField()
    alg = serializers.CharField()
    kid = serializers.CharField()
    x = serializers.CharField()


class KeySetAnswer(serializers.Serializer[Any]):
    keys = JsonWebKey(many=True)


class OpenView(APIView):
    """A door that anybody may knock at."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class LoginView(OpenView):
    @extend_schema(
        request=LoginRequest, responses=TokensAnswer, operation_id="auth_login"
    )
    def post(self, request: Request) -> Response:
        """Exchange a name, a password and a one-time code for tokens.

        Problems: `invalid_credentials`, `mfa_required`, `mfa_enrolment_required`,
        `otp_invalid`, `otp_reused` (Retry-After), `too_many_attempts` (Retry-After).
        """
        body = _body(LoginRequest, request)
        signed_in = operations.sign_in(
            username=body["username"],
            password=body["password"],
            otp=body["otp"],
            face=SessionFace.API,
            address=address_of(request),
            device=request.headers.get("User-Agent", ""),
            now=timezone.now(),
        )
        assert signed_in.tokens is not None, "The API's sessions have tokens."
        return _answer(signed_in.tokens)


class RefreshView(OpenView):
    @extend_schema(
        request=RefreshRequest, responses=TokensAnswer, operation_id="auth_refresh"
    )
    def post(self, request: Request) -> Response:
        """Exchange a refresh token, once, for a new pair.

        A token that is used a second time ends the session (`invalid_refresh`).
        """
        body = _body(RefreshRequest, request)
        tokens = operations.refresh_tokens(refresh=body["refresh"], now=timezone.now())
        return _answer(tokens)


class LogoutView(OpenView):
    @extend_schema(
        request=RefreshRequest, responses={204: None}, operation_id="auth_logout"
    )
    def post(self, request: Request) -> Response:
        """End the session; its access tokens stop working at once."""
        body = _body(RefreshRequest, request)
        operations.sign_out(refresh=body["refresh"], now=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)


class KeySetView(OpenView):
    @extend_schema(responses=KeySetAnswer, operation_id="auth_keys")
    def get(self, request: Request) -> Response:
        """The public keys of access tokens (JWKS)."""
        return Response(
            selectors.jwt_key_set(), headers={"Cache-Control": "public, max-age=300"}
        )


def _body(kind: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    body = kind(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


def _answer(tokens: operations.Tokens) -> Response:
    answer = {
        "access": tokens.access,
        "refresh": tokens.refresh,
        "token_type": "Bearer",  # nosec B105
        "expires_in": tokens.expires_in,
    }
    return Response(answer, headers={"Cache-Control": "no-store"})
