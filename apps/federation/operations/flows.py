"""On the way to a provider and back: begun, answered and used once each."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings

from apps.federation.enums import ConnectionKind
from apps.federation.errors import FederationRefused, ProviderSilent
from apps.federation.gateways import oidc
from apps.federation.models import Connection, SignInFlow
from apps.federation.rules import saml, saml_documents
from apps.federation.rules.digests import digest_of, new_word
from apps.federation.rules.flows import (
    FLOW_LIFETIME,
    NONCE_BYTES,
    FlowWords,
    flow_id_of,
    same,
    words_of,
)
from apps.federation.rules.proofs import Distrusted, Reading, to_plain
from apps.federation.selectors.connections import addresses_of, open_connections
from apps.identity.operations import Attempt
from dotmac.core.db import next_ids
from dotmac.core.errors import NotFound
from dotmac.core.http import OutsideUnreachable
from dotmac.core.models import seal_into

log = structlog.get_logger(__name__)

FORGET_BATCH_MAX = 5_000
KEPT = timedelta(days=1)
NEXT_CHARACTERS_MAX = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A flow, and where its browser goes next."""

    flow_id: int
    url: str


def begin_federated(*, slug: str, face: str, wanted: str, now: datetime) -> Begun:
    """Send a browser to the provider. Each call begins a flow of its own.

    PKCE, state and nonce go along (OIDC Core 3.1.2.1, RFC 9700 2.1); a SAML
    request has an id that its answer must repeat. Raises NotFound for what is not
    offered at this door, ProviderSilent where discovery fails.
    """
    connection = connection_at(slug, face)
    provider = None
    if connection.kind == ConnectionKind.OIDC:
        provider = provider_of(connection, now)
    (flow_id,) = next_ids(SignInFlow)
    flow = SignInFlow.objects.create(
        pk=flow_id,
        connection=connection,
        nonce=secrets.token_hex(NONCE_BYTES),
        next=wanted if len(wanted) <= NEXT_CHARACTERS_MAX else "",
        expires_at=now + FLOW_LIFETIME,
    )
    words = words_of_flow(flow)
    if provider is None:
        return Begun(flow_id=flow_id, url=_saml_url(connection, words, now))
    return Begun(flow_id=flow_id, url=_oidc_url(connection, provider, words))


def connection_at(slug: str, face: str) -> Connection:
    """The connection that is switched on for this door; NotFound for all others."""
    connection = open_connections(face).filter(slug=slug).first()
    if connection is None:
        raise NotFound
    return connection


def provider_of(connection: Connection, now: datetime) -> oidc.Provider:
    try:
        return oidc.discover(connection.issuer, now=now)
    except (OutsideUnreachable, Distrusted) as error:
        log.warning(
            "federation_provider_silent", connection=connection.slug, why=str(error)
        )
        raise ProviderSilent from error


def words_of_flow(flow: SignInFlow) -> FlowWords:
    return words_of(settings.SECRET_KEY, flow_id=flow.pk, nonce=flow.nonce)


def reading_of(connection: Connection) -> Reading:
    return Reading(connection.group_claim, tuple(connection.mfa_words.split()))


def _oidc_url(connection: Connection, provider: oidc.Provider, words: FlowWords) -> str:
    scopes = ["openid", "email", "profile", *connection.extra_scopes.split()]
    return oidc.authorize_url(
        provider,
        client_id=connection.client_id,
        redirect_uri=addresses_of(connection).callback,
        scope=" ".join(dict.fromkeys(scopes)),
        state=words.state,
        nonce=words.nonce,
        code_challenge=words.challenge,
    )


def _saml_url(connection: Connection, words: FlowWords, now: datetime) -> str:
    ours = addresses_of(connection)
    return saml_documents.request_url(
        saml_provider_of(connection),
        request_id=words.request_id,
        audience=ours.metadata,
        recipient=ours.consumer,
        now=now,
    )


def saml_provider_of(connection: Connection) -> saml_documents.IdentityProvider:
    return saml_documents.IdentityProvider(
        entity_id=connection.issuer,
        sso_url=connection.sso_url,
        certificates=tuple(saml_documents.split_certificates(connection.certificates)),
    )


def attempt_at(slug: str, *, address: str, device: str, now: datetime) -> Attempt:
    """Answers that do not stand up are counted like wrong passwords."""
    return Attempt(
        username=f"federation:{slug}", address=address, device=device, now=now
    )


def distrusted(attempt: Attempt, error: Distrusted) -> FederationRefused:
    """Count and log an answer that does not stand up; the page says nothing of why."""
    attempt.failed()
    log.warning(
        "federation_distrusted", connection=attempt.username, why=str(error)[:300]
    )
    return FederationRefused()


def take_saml_answer(
    *,
    slug: str,
    face: str,
    encoded: str,
    address: str = "",
    device: str = "",
    now: datetime,
) -> str:
    """Keep what the provider's form brought; the word for the browser that brought it.

    The form comes from another site, so without our cookie, and who posts it need
    not be who asked: an address at the provider can be sent to somebody else. The
    word goes to the poster alone, so that the answer is for a browser that both
    asked and was answered. Every answer counts once, good or not: its flow is
    claimed by one conditional update before the signature is looked at. Raises
    FederationRefused, SignInLocked, NotFound.
    """
    connection = connection_at(slug, face)
    if connection.kind != ConnectionKind.SAML:
        raise NotFound
    attempt = attempt_at(slug, address=address, device=device, now=now)
    attempt.refuse_if_locked()
    try:
        root = saml.document_of(encoded)
        flow = _answered(connection, saml.in_response_to(root), now)
        proof = saml.read_response(
            root, _asked(connection, flow), reading_of(connection), now=now
        )
    except Distrusted as error:
        raise distrusted(attempt, error) from error
    word = new_word()
    seal_into(flow, "answer", json.dumps(to_plain(proof)))
    flow.answer_digest = digest_of(word)
    flow.store("answer", "answer_digest", now=now)
    return word


def _answered(connection: Connection, request_id: str, now: datetime) -> SignInFlow:
    """Claim the flow that was asked by this id, for its one answer."""
    flow_id = flow_id_of(request_id)
    waiting = SignInFlow.objects.filter(
        pk=flow_id or 0, connection=connection, answered_at=None, expires_at__gt=now
    )
    flow = waiting.first()
    if flow is None or not same(words_of_flow(flow).request_id, request_id):
        raise Distrusted("saml: nothing was asked by this id, or it was answered")
    if not waiting.update(answered_at=now, updated_at=now):
        raise Distrusted("saml: answered twice")
    return flow


def _asked(connection: Connection, flow: SignInFlow) -> saml.Asked:
    ours = addresses_of(connection)
    provider = saml_provider_of(connection)
    return saml.Asked(
        issuer=provider.entity_id,
        audience=ours.metadata,
        recipient=ours.consumer,
        request_id=words_of_flow(flow).request_id,
        certificates=provider.certificates,
    )


def claim_by_state(
    connection: Connection, flow_ids: Sequence[int], state: str, now: datetime
) -> SignInFlow:
    """The flow of this browser that the state is of, for its one use."""
    rows = SignInFlow.objects.filter(connection=connection, pk__in=list(flow_ids))
    for flow in rows:
        if same(words_of_flow(flow).state, state):
            return _used(flow, now)
    raise Distrusted("state: of no flow of this browser")


def claim_answered(
    connection: Connection, flow_ids: Sequence[int], word: str, now: datetime
) -> SignInFlow:
    """The flow that this browser began and was answered in, for its one use."""
    rows = SignInFlow.objects.filter(
        connection=connection, pk__in=list(flow_ids), answer__isnull=False
    )
    flow = rows.filter(answer_digest=digest_of(word)).first()
    if flow is None:
        raise Distrusted("saml: no answer for this browser")
    return _used(flow, now)


def _used(flow: SignInFlow, now: datetime) -> SignInFlow:
    unused = SignInFlow.objects.filter(pk=flow.pk, used_at=None, expires_at__gt=now)
    if not unused.update(used_at=now, updated_at=now):
        raise Distrusted("flow: used, or over")
    return flow


def forget_flows(*, now: datetime, limit: int = FORGET_BATCH_MAX) -> int:
    """Delete flows that were over a day ago, one bounded batch. Repeatable."""
    over = SignInFlow.objects.filter(expires_at__lt=now - KEPT).order_by("pk")
    old = list(over.values_list("pk", flat=True)[: min(limit, FORGET_BATCH_MAX)])
    SignInFlow.objects.filter(pk__in=old).delete()
    return len(old)
