"""Coming back from a provider: the answer is weighed, the person settled, let in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.federation.enums import ConnectionKind
from apps.federation.errors import FederationRefused, ProviderSilent
from apps.federation.gateways import oidc
from apps.federation.models import Connection, SignInFlow
from apps.federation.operations.admission import settle
from apps.federation.operations.flows import (
    attempt_at,
    claim_answered,
    claim_by_state,
    connection_at,
    distrusted,
    provider_of,
    reading_of,
    words_of_flow,
)
from apps.federation.rules.admission import second_factor_at
from apps.federation.rules.flows import FlowWords
from apps.federation.rules.id_tokens import Expected, KeyUnknown, read_id_token
from apps.federation.rules.proofs import (
    Distrusted,
    Proof,
    from_plain,
    proof_of_claims,
)
from apps.federation.selectors.connections import addresses_of
from apps.identity import operations as identity
from apps.identity.errors import CredentialsRefused
from apps.identity.operations import Attempt, SignedIn
from dotmac.core.http import OutsideUnreachable
from dotmac.core.models import open_sealed

CODE_CHARACTERS_MAX = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class CameBack:
    """A session that was opened, and where the person wanted to go."""

    signed_in: SignedIn
    wanted: str


def finish_federated(
    *,
    slug: str,
    face: str,
    flow_ids: Sequence[int],
    answer: Mapping[str, str],
    address: str = "",
    device: str = "",
    now: datetime,
) -> CameBack:
    """Open a session for who comes back; `flow_ids` are those of this browser.

    A code is redeemed and its ID token weighed (OIDC Core 3.1.3.7), or the assertion
    taken that this browser brought before. Works once for each flow. Staff still owe
    our second factor unless the connection is trusted with it. Raises
    FederationRefused for whatever does not stand up or is not let in, ProviderSilent,
    SignInLocked, and MfaEnrolmentRequired for staff without a second factor to show.
    """
    connection = connection_at(slug, face)
    attempt = attempt_at(slug, address=address, device=device, now=now)
    attempt.refuse_if_locked()
    try:
        if connection.kind == ConnectionKind.OIDC:
            flow, proof = _by_code(connection, flow_ids, answer, now)
        else:
            word = answer.get("word", "")
            flow, proof = _by_assertion(connection, flow_ids, word, now)
    except Distrusted as error:
        raise distrusted(attempt, error) from error
    except OutsideUnreachable as error:
        raise ProviderSilent from error
    signed_in = _let_in(connection, proof, face, attempt)
    return CameBack(signed_in=signed_in, wanted=flow.next)


def _by_code(
    connection: Connection,
    flow_ids: Sequence[int],
    answer: Mapping[str, str],
    now: datetime,
) -> tuple[SignInFlow, Proof]:
    flow = claim_by_state(connection, flow_ids, answer.get("state", ""), now)
    # RFC 9207: an answer that names another issuer is somebody's mix-up.
    if answer.get("iss", connection.issuer) != connection.issuer:
        raise Distrusted("answer: another issuer")
    code = answer.get("code", "")
    if "error" in answer or not 0 < len(code) <= CODE_CHARACTERS_MAX:
        raise Distrusted(f"answer: {answer.get('error', 'no code')[:100]}")
    claims = _claims(connection, words_of_flow(flow), code, now)
    return flow, proof_of_claims(claims, reading_of(connection))


def _claims(
    connection: Connection, words: FlowWords, code: str, now: datetime
) -> dict[str, Any]:
    provider = provider_of(connection, now)
    id_token, access_token = oidc.redeem(
        provider,
        client_id=connection.client_id,
        secret=open_sealed(connection, "secret") if connection.secret else "",
        code=code,
        verifier=words.verifier,
        return_address=addresses_of(connection).callback,
    )
    expected = Expected(
        issuer=connection.issuer, client_id=connection.client_id, nonce=words.nonce
    )
    facts: dict[str, Any] = {"now": now, "access_token": access_token}
    try:
        keys = oidc.keys_of(provider, now=now)
        claims = read_id_token(id_token, keys, expected, **facts)
    except KeyUnknown:
        keys = oidc.keys_of(provider, now=now, anew=True)
        claims = read_id_token(id_token, keys, expected, **facts)
    return _completed(connection, provider, claims, access_token)


def _completed(
    connection: Connection,
    provider: oidc.Provider,
    claims: dict[str, Any],
    access_token: str,
) -> dict[str, Any]:
    """With what only userinfo says. It never overrules what was signed."""
    group = connection.group_claim.partition(".")[0]
    if not provider.userinfo or ("email" in claims and group in claims):
        return claims
    more = oidc.userinfo(provider, access_token)
    if more.get("sub") != claims["sub"]:
        raise Distrusted("userinfo: another subject")
    names = {"name", group} - claims.keys()
    # Whether an address is verified is said of that address alone.
    if claims.get("email", more.get("email")) == more.get("email"):
        names |= {"email", "email_verified"} - claims.keys()
    return {**claims, **{name: more[name] for name in names if name in more}}


def _by_assertion(
    connection: Connection, flow_ids: Sequence[int], word: str, now: datetime
) -> tuple[SignInFlow, Proof]:
    flow = claim_answered(connection, flow_ids, word, now)
    proof = from_plain(json.loads(open_sealed(flow, "answer")))
    SignInFlow.objects.filter(pk=flow.pk).update(answer=None, updated_at=now)
    return flow, proof


def _let_in(
    connection: Connection, proof: Proof, face: str, attempt: Attempt
) -> SignedIn:
    now, facts = attempt.now, {"address": attempt.address, "device": attempt.device}
    settled = settle(connection_id=connection.pk, proof=proof, now=now)
    if settled.refusal is not None:
        raise FederationRefused
    Attempt(username=settled.username, now=now, **facts).refuse_if_locked()
    try:
        signed_in = identity.begin_federated_session(
            user_id=settled.user_id,
            face=face,
            mfa_at=second_factor_at(proof, trusts_mfa=connection.trusts_mfa, now=now),
            may_enrol=settled.made_account,
            now=now,
            **facts,
        )
    except CredentialsRefused as error:
        raise FederationRefused from error
    attempt.succeeded()
    return signed_in
