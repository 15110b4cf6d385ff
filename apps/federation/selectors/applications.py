"""Registered applications, and what they are told."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from apps.federation.errors import ApplicationUnknown
from apps.federation.models import Application, ApplicationToken, Consent
from apps.federation.rules.digests import digest_of
from apps.federation.rules.provider import SCOPES, claims_of, group_of
from apps.identity import selectors as identity
from apps.identity.enums import UnitKind
from dotmac.core.actors import Actor

PEOPLE_MAX = 200


@dataclass(frozen=True, slots=True)
class Asking:
    """A known application and one of its own return addresses."""

    application: Application
    return_address: str


@dataclass(frozen=True, slots=True)
class PersonAtApplication:
    """What an access token opens: the claims of its scopes."""

    claims: dict[str, Any] = field(default_factory=dict)


def application_asking(client_id: str, return_address: str) -> Asking:
    """Who asks for a code, and where it may go. Raises ApplicationUnknown.

    Compared letter by letter (RFC 9700, 2.1): nobody is sent to an address that is
    not registered, not even with an error.
    """
    rows = Application.objects.filter(client_id=client_id, is_active=True)
    application = rows.first()
    if application is None or return_address not in application.return_addresses:
        raise ApplicationUnknown
    return Asking(application, return_address)


def leaving_to(client_id: str, address: str) -> str:
    """Where somebody who signed out may be sent; "" where that is not registered."""
    rows = Application.objects.filter(client_id=client_id, is_active=True)
    application = rows.first()
    if application is None or address not in application.leave_addresses:
        return ""
    return address


def applications_visible_to(actor: Actor, permission: str) -> QuerySet[Application]:
    """They are the operator's: all of them, or none."""
    rows = Application.objects.all()
    return rows if actor.may(permission) else rows.none()


def consented_scopes(*, application_id: int, user_id: int) -> set[str]:
    """What the person has agreed to tell this application."""
    rows = Consent.objects.filter(application_id=application_id, user_id=user_id)
    return {
        scope for scopes in rows.values_list("scopes", flat=True) for scope in scopes
    }


def own_consents(actor: Actor) -> QuerySet[Consent]:
    """What the person at hand agreed to, for every application."""
    rows = Consent.objects.filter(user_id=actor.id or 0)
    return rows.select_related("application")


def people_of_application(application_id: int) -> QuerySet[Consent]:
    """Who agreed to use it, the latest first."""
    rows = Consent.objects.filter(application_id=application_id)
    return rows.select_related("user").order_by("-updated_at", "-pk")[:PEOPLE_MAX]


def person_of_token(token: str, *, now: datetime) -> PersonAtApplication | None:
    """Whom a token speaks of, while the sign-in behind it goes on. From live rows."""
    rows = ApplicationToken.objects.filter(
        digest=digest_of(token),
        revoked_at=None,
        expires_at__gt=now,
        application__is_active=True,
    )
    found = rows.first()
    if found is None:
        return None
    session = identity.live_session(session_id=found.session_id, now=now)
    if session is None or not session.is_whole:
        return None
    return PersonAtApplication(claims_of(facts_of(session), found.scopes))


def facts_of(session: Any) -> dict[str, Any]:
    """Everything that a scope may show of who is signed in."""
    user = session.user
    roles = sorted(
        group_of(
            held.role.slug,
            held.unit_id,
            at_operator=held.unit.kind == UnitKind.OPERATOR,
        )
        for held in identity.assignments_of(user.pk)
    )
    return {
        "sub": str(user.pk),
        "name": user.name,
        "preferred_username": user.username,
        "email": user.email,
        "email_verified": identity.proved_email(user),
        "groups": roles,
        "roles": roles,
    }


def discovery_document() -> dict[str, Any]:
    """What programs read about us (OIDC Discovery 3, RFC 8414)."""
    base = settings.BASE_URL
    return {
        "issuer": base,
        "authorization_endpoint": f"{base}/console/authorize",
        "token_endpoint": f"{base}/oidc/token",
        "userinfo_endpoint": f"{base}/oidc/userinfo",
        "revocation_endpoint": f"{base}/oidc/revoke",
        "end_session_endpoint": f"{base}/console/end-session",
        "jwks_uri": f"{base}/.well-known/jwks.json",
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [identity.signing_algorithm()],
        "token_endpoint_auth_methods_supported": [
            "client_secret_basic", "client_secret_post", "none",
        ],
        "revocation_endpoint_auth_methods_supported": [
            "client_secret_basic", "client_secret_post", "none",
        ],
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "consent"],
        "claims_supported": [
            "sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "amr", "sid",
            "name", "preferred_username", "email", "email_verified", "groups", "roles",
        ],
        "authorization_response_iss_parameter_supported": True,
        "claims_parameter_supported": False,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
    }  # fmt: skip
