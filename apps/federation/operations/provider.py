"""DotMac as OpenID provider: codes given, exchanged once, tokens taken back."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from apps.federation.errors import ProtocolError
from apps.federation.models import (
    Application,
    ApplicationToken,
    AuthorisationCode,
    Consent,
)
from apps.federation.rules.digests import digest_of, new_word
from apps.federation.rules.id_tokens import half_hash
from apps.federation.rules.provider import (
    CODE_LIFETIME,
    ID_TOKEN_LIFETIME,
    SCOPES,
    TOKEN_LIFETIME,
    Credentials,
    Wish,
    claims_of,
    fits_challenge,
)
from apps.federation.selectors.applications import Asking, facts_of
from apps.identity import selectors as identity
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.errors import NotFound
from dotmac.core.refs import SubjectRef

FORGET_BATCH_MAX = 5_000
KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the token endpoint answers (RFC 6749, 5.1)."""

    access_token: str
    id_token: str
    expires_in: int
    scope: str


@transaction.atomic
def give_code(*, asking: Asking, wish: Wish, actor: Actor, now: datetime) -> str:
    """A code for the person at hand, for one minute and one use; each call another.

    What the person agrees to is kept, so that the same is not asked again.
    """
    if actor.session_id is None or actor.id is None:
        raise NotFound
    application = asking.application
    consent, made = Consent.objects.get_or_create(
        application=application,
        user_id=actor.id,
        defaults={"scopes": list(wish.scopes), "updated_at": now},
    )
    new = [scope for scope in wish.scopes if scope not in consent.scopes]
    if new:
        consent.scopes = [*consent.scopes, *new]
        consent.store("scopes", now=now)
    code = new_word()
    AuthorisationCode.objects.create(
        application=application,
        session_id=actor.session_id,
        digest=digest_of(code),
        return_address=asking.return_address,
        scopes=list(wish.scopes),
        nonce=wish.nonce,
        challenge=wish.challenge,
        expires_at=now + CODE_LIFETIME,
    )
    if made or new:
        ops.record(
            action="federation.consent",
            subject=SubjectRef(
                "federation", "application", application.pk, application.name
            ),
            actor=actor,
            now=now,
            changes={"scopes": list(wish.scopes)},
        )
    return code


def exchange_code(
    *,
    credentials: Credentials | None,
    code: str,
    return_address: str,
    verifier: str,
    now: datetime,
) -> Given:
    """Tokens for a code (RFC 6749 4.1.3, RFC 7636 4.6, OIDC Core 3.1.3).

    A code works once. A second use ends the tokens of the first, since one of the
    two who have it has stolen it (RFC 6749, 4.1.2). Raises ProtocolError.
    """
    application = authenticate(credentials)
    given = _exchange(application, code, return_address, verifier, now)
    if given is None:
        raise ProtocolError("invalid_grant", "The code does not work.")
    return given


def authenticate(credentials: Credentials | None) -> Application:
    """The application that proves itself; a public one names itself only.

    Unknown, switched off and wrongly proved are refused alike.
    """
    refusal = ProtocolError("invalid_client", "Unknown application.", status=401)
    if credentials is None:
        raise refusal
    rows = Application.objects.filter(client_id=credentials.client_id, is_active=True)
    application = rows.first()
    digest = application.secret_digest if application else ""
    given = digest_of(credentials.secret) if credentials.secret else ""
    if application is None or not hmac.compare_digest(given, digest):
        raise refusal
    return application


@transaction.atomic
def _exchange(
    application: Application,
    code: str,
    return_address: str,
    verifier: str,
    now: datetime,
) -> Given | None:
    """None when refused: what the refusal changed must be committed."""
    rows = AuthorisationCode.objects.select_for_update(of=("self",), no_key=True)
    found = rows.filter(application=application, digest=digest_of(code)).first()
    if found is None:
        return None
    if found.used_at is not None:
        tokens = ApplicationToken.objects.filter(code=found, revoked_at=None)
        tokens.update(revoked_at=now, updated_at=now)
        return None
    found.used_at = now
    found.store("used_at", now=now)
    fits = (
        now < found.expires_at
        and found.return_address == return_address
        and fits_challenge(verifier, found.challenge)
    )
    session = identity.live_session(session_id=found.session_id, now=now)
    if not fits or session is None or not session.is_whole:
        return None
    return _issue(application, found, session, now)


def _issue(
    application: Application, code: AuthorisationCode, session: Any, now: datetime
) -> Given:
    token = new_word()
    ApplicationToken.objects.create(
        application=application,
        session_id=session.pk,
        code=code,
        digest=digest_of(token),
        scopes=code.scopes,
        expires_at=now + TOKEN_LIFETIME,
    )
    issued = int(now.timestamp())
    proved_at = max(session.started_at, session.mfa_at or session.started_at)
    body = {
        **claims_of(facts_of(session), code.scopes),
        "iss": settings.BASE_URL,
        "aud": application.client_id,
        "iat": issued,
        "exp": issued + int(ID_TOKEN_LIFETIME.total_seconds()),
        "auth_time": int(proved_at.timestamp()),
        "amr": ["mfa"] if session.mfa_at else ["pwd"],
        "sid": str(session.pk),
    }
    if identity.signing_algorithm() == "RS256":
        body["at_hash"] = half_hash(token)
    if code.nonce:
        body["nonce"] = code.nonce
    return Given(
        access_token=token,
        id_token=identity.signed_statement(body),
        expires_in=int(TOKEN_LIFETIME.total_seconds()),
        scope=" ".join(name for name in SCOPES if name in code.scopes),
    )


def revoke_token(*, credentials: Credentials | None, token: str, now: datetime) -> None:
    """End an access token of the application (RFC 7009).

    Unknown tokens, and those of others, change nothing and are no error.
    """
    application = authenticate(credentials)
    tokens = ApplicationToken.objects.filter(
        application=application, digest=digest_of(token), revoked_at=None
    )
    tokens.update(revoked_at=now, updated_at=now)


@transaction.atomic
def forget_codes(*, now: datetime, limit: int = FORGET_BATCH_MAX) -> int:
    """Delete codes and tokens that were over a day ago, a bounded batch of each."""
    batch = min(limit, FORGET_BATCH_MAX)
    over = ApplicationToken.objects.filter(expires_at__lt=now - KEPT).order_by("pk")
    old = list(over.values_list("pk", flat=True)[:batch])
    ApplicationToken.objects.filter(pk__in=old).delete()
    codes = AuthorisationCode.objects.filter(
        expires_at__lt=now - KEPT - TOKEN_LIFETIME
    ).order_by("pk")
    spent = list(codes.values_list("pk", flat=True)[:batch])
    AuthorisationCode.objects.filter(pk__in=spent).delete()
    return len(old) + len(spent)
