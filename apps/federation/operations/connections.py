"""Connections to identity providers: made, changed, tested, switched on and off.

Who says through whom people sign in could become any of them, so all of this asks
for the right to manage roles everywhere, beside its own permission.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.text import slugify

from apps.federation.enums import ConnectionKind
from apps.federation.errors import (
    AddressRefused,
    ConnectionTaken,
    ConnectionUnchecked,
    DomainsRefused,
    MetadataRefused,
)
from apps.federation.gateways import oidc
from apps.federation.models import ROLE_HOURS_MAX, Connection
from apps.federation.operations.withdrawal import withdraw_unfounded
from apps.federation.rules.addresses import is_safe
from apps.federation.rules.admission import plain_domains
from apps.federation.rules.proofs import Distrusted
from apps.federation.rules.saml_documents import (
    IdentityProvider,
    days_left,
    read_metadata,
    split_certificates,
)
from apps.identity.enums import UserKind
from apps.identity.errors import BeyondOwnRights
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.db import next_ids, refusing
from dotmac.core.errors import InvalidInput, NotFound
from dotmac.core.http import OutsideUnreachable
from dotmac.core.models import seal_into
from dotmac.core.refs import SubjectRef

CONNECTIONS_MAX = 50
_ROLES = "identity.manage_roles"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFacts:
    """What is said of a connection. `secret` "" keeps the one before.

    `metadata` is a SAML provider's, as XML or the address that serves it; OIDC has
    an issuer and a client id instead.
    """

    name: str
    issuer: str = ""
    client_id: str = ""
    secret: str = ""
    metadata: str = ""
    domains: Iterable[str] = ()
    group_claim: str = "groups"
    extra_scopes: str = ""
    mfa_words: str = ""
    makes_accounts: bool = False
    trusts_mfa: bool = False
    trusts_email: bool = False
    role_hours: int = 24


def create_connection(
    *, kind: str, audience: str, facts: ConnectionFacts, actor: Actor, now: datetime
) -> Connection:
    """A new connection, switched off until it was tested.

    Refused: a name that is taken, an address that is not https, metadata that is
    none, malformed domains, an actor who does not manage all roles.
    """
    refuse_without_roles(actor)
    if kind not in ConnectionKind.values or audience not in UserKind.values:
        raise InvalidInput("There is no such kind.", field="kind")
    columns = _columns(kind, facts)
    slug = slugify(facts.name)[:40]
    if not slug:
        raise InvalidInput("Give a name.", field="name")
    with transaction.atomic():
        if Connection.objects.count() >= CONNECTIONS_MAX:
            raise InvalidInput(f"At most {CONNECTIONS_MAX} connections.", field="name")
        (row_id,) = next_ids(Connection)
        made = Connection(pk=row_id, slug=slug, kind=kind, audience=audience, **columns)
        if facts.secret:
            seal_into(made, "secret", facts.secret)
        with refusing(
            federation_connection_slug_key=lambda: ConnectionTaken(field="name")
        ):
            made.save(force_insert=True)
        _record("create_connection", made, actor, now, kind=kind, audience=audience)
    return made


def change_connection(
    *, connection_id: int, facts: ConnectionFacts, actor: Actor, now: datetime
) -> Connection:
    """Other facts; its kind, door and address stay. It has to be tested again.

    A connection that was on is switched off by another issuer, client or metadata,
    with the roles that it gave, and stays on otherwise. Refused like a new one.
    Repeating it changes nothing.
    """
    refuse_without_roles(actor)
    known = Connection.objects.filter(pk=connection_id).first()
    if known is None:
        raise NotFound
    columns = _columns(known.kind, facts)
    with transaction.atomic():
        row = Connection.objects.locked().get(pk=connection_id)
        before = {name: getattr(row, name) for name in columns}
        changed = {name: new for name, new in columns.items() if new != before[name]}
        if not changed and not facts.secret:
            return row
        for name, new in changed.items():
            setattr(row, name, new)
        if facts.secret:
            seal_into(row, "secret", facts.secret)
        if changed.keys() & {"issuer", "client_id", "sso_url", "certificates"}:
            row.is_active, row.checked_at, row.check_says = False, None, ""
        row.store(*changed, "secret", "is_active", "checked_at", "check_says", now=now)
        facts_changed = {
            name: [str(before[name])[:300], str(new)[:300]]
            for name, new in changed.items()
        }
        _record("change_connection", row, actor, now, **facts_changed)
        withdraw_unfounded(row, now=now)
    oidc.forget()
    return row


def _columns(kind: str, facts: ConnectionFacts) -> dict[str, Any]:
    """The row's plain columns, checked; raises a refusal that names the field."""
    domains = plain_domains(facts.domains)
    if domains is None:
        raise DomainsRefused(field="domains")
    if not facts.group_claim.strip() or len(facts.group_claim) > 150:
        raise InvalidInput("Name the claim that lists groups.", field="group_claim")
    if not 1 <= facts.role_hours <= ROLE_HOURS_MAX:
        raise InvalidInput(f"Between 1 and {ROLE_HOURS_MAX} hours.", field="role_hours")
    common = {
        "name": facts.name.strip()[:80],
        "domains": domains,
        "group_claim": facts.group_claim.strip(),
        "extra_scopes": " ".join(facts.extra_scopes.split())[:200],
        "mfa_words": " ".join(facts.mfa_words.split())[:300],
        "makes_accounts": facts.makes_accounts,
        "trusts_mfa": facts.trusts_mfa,
        "trusts_email": facts.trusts_email,
        "role_hours": facts.role_hours,
    }
    if kind == ConnectionKind.SAML:
        return {**common, **_saml_columns(facts)}
    if not is_safe(facts.issuer, loopback=oidc.may_be_plain()):
        raise AddressRefused(field="issuer")
    if not 0 < len(facts.client_id) <= 255:
        raise InvalidInput("Give the client id.", field="client_id")
    return {**common, "issuer": facts.issuer, "client_id": facts.client_id}


def _saml_columns(facts: ConnectionFacts) -> dict[str, Any]:
    if facts.secret:
        raise InvalidInput("SAML has no secret.", field="secret")
    text = facts.metadata.strip()
    address = text if text.startswith(("http://", "https://")) else ""
    provider = _provider_in(address, text)
    return {
        "issuer": provider.entity_id,
        "sso_url": provider.sso_url,
        "metadata_url": address,
        "certificates": "".join(provider.certificates),
    }


def _provider_in(address: str, text: str) -> IdentityProvider:
    if address and not is_safe(address, loopback=oidc.may_be_plain(), query=True):
        raise AddressRefused(field="metadata")
    try:
        document = oidc.fetch_metadata(address) if address else text.encode()
        found = read_metadata(document)
    except (Distrusted, OutsideUnreachable) as error:
        raise MetadataRefused(str(error)[:300], field="metadata") from error
    if not found.certificates or not is_safe(
        found.sso_url, loopback=oidc.may_be_plain(), query=True
    ):
        raise MetadataRefused(field="metadata")
    return found


def check_connection(*, connection_id: int, actor: Actor, now: datetime) -> Connection:
    """Ask the provider whether it is there, and write down what it said.

    OIDC: discovery and keys are read anew. SAML: the certificates must be good, and
    metadata that was given by address is read again (another one is only told).
    Repeatable; a provider that does not answer changes what is said and no more.
    """
    row = Connection.objects.filter(pk=connection_id).first()
    if row is None:
        raise NotFound
    try:
        says, works = _ask(row, now), True
    except (Distrusted, OutsideUnreachable) as error:
        says, works = str(error), False
    with transaction.atomic():
        row = Connection.objects.locked().get(pk=connection_id)
        row.check_says = says[:300]
        if works:
            row.checked_at = now
        row.store("check_says", "checked_at", now=now)
        _record("check_connection", row, actor, now, works=works, says=row.check_says)
    return row


def _ask(row: Connection, now: datetime) -> str:
    if row.kind == ConnectionKind.SAML:
        certificates = split_certificates(row.certificates)
        if (left := days_left(certificates, now=now)) < 0:
            raise Distrusted("The provider's certificate is over.")
        if row.metadata_url:
            served = read_metadata(oidc.fetch_metadata(row.metadata_url))
            if "".join(served.certificates) != row.certificates:
                return "The provider serves other certificates now: read them anew."
        return f"Certificates are good for {left} more days."
    oidc.forget()
    provider = oidc.discover(row.issuer, now=now)
    keys = oidc.keys_of(provider, now=now)
    if not keys:
        raise Distrusted("The provider publishes no keys.")
    pkce = "" if provider.speaks_pkce else " It does not say that it checks PKCE."
    return f"Answers. Published keys: {len(keys)}.{pkce}"


@transaction.atomic
def switch_connection(
    *, connection_id: int, on: bool, actor: Actor, now: datetime
) -> Connection:
    """Offer it at the door, or no more. Repeating it changes nothing.

    Off takes the roles that its groups gave, the last owner's apart. Sessions that
    were opened through it go on without them; end them on the person's page. Refused
    for one that was never tested with success as it stands.
    """
    refuse_without_roles(actor)
    row = Connection.objects.locked().filter(pk=connection_id).first()
    if row is None:
        raise NotFound
    if row.is_active == on:
        return row
    if on and row.checked_at is None:
        raise ConnectionUnchecked
    row.is_active = on
    row.store("is_active", now=now)
    _record("switch_connection", row, actor, now, on=on)
    withdraw_unfounded(row, now=now)
    return row


def refuse_without_roles(actor: Actor) -> None:
    """Raise BeyondOwnRights unless the actor manages roles everywhere."""
    if not actor.scope(_ROLES).everything:
        raise BeyondOwnRights(missing=[_ROLES])


def connection_subject(row: Connection) -> SubjectRef:
    return SubjectRef("federation", "connection", row.pk, row.slug)


def _record(
    verb: str, row: Connection, actor: Actor, now: datetime, **changes: object
) -> None:
    facts: Mapping[str, object] = changes
    ops.record(
        action=f"federation.{verb}",
        subject=connection_subject(row),
        actor=actor,
        now=now,
        changes=facts,
    )
