"""The operator's tools that let people in by DotMac: registered, changed, switched."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from apps.federation.errors import AddressRefused, ApplicationTaken
from apps.federation.models import Application, ApplicationToken, Consent
from apps.federation.rules.digests import digest_of, new_word
from apps.federation.rules.provider import ADDRESSES_MAX, is_return_address
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.db import refusing
from dotmac.core.errors import InvalidInput, NotFound
from dotmac.core.refs import SubjectRef

APPLICATIONS_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSecret:
    """An application and its secret, which is known here only; "" for a public one."""

    row: Application
    secret: str


@transaction.atomic
def register_application(
    *,
    name: str,
    return_addresses: Iterable[str],
    leave_addresses: Iterable[str] = (),
    is_public: bool = False,
    asks_consent: bool = True,
    actor: Actor,
    now: datetime,
) -> NewSecret:
    """A new application with an id, and a secret that is shown once.

    Refused: a name that is taken, addresses that are neither https nor of the
    person's own machine.
    """
    words = _name(name)
    if Application.objects.count() >= APPLICATIONS_MAX:
        raise InvalidInput(f"At most {APPLICATIONS_MAX} applications.", field="name")
    secret = "" if is_public else new_word()
    with refusing(federation_application_name_key=_taken):
        row = Application.objects.create(
            name=words,
            client_id=f"app-{secrets.token_hex(10)}",
            is_public=is_public,
            secret_digest=digest_of(secret) if secret else "",
            return_addresses=_addresses(return_addresses, "return_addresses", least=1),
            leave_addresses=_addresses(leave_addresses, "leave_addresses"),
            asks_consent=asks_consent,
        )
    _record("register_application", row, actor, now, returns=row.return_addresses)
    return NewSecret(row=row, secret=secret)


@transaction.atomic
def change_application(
    *,
    application_id: int,
    name: str,
    return_addresses: Iterable[str],
    leave_addresses: Iterable[str] = (),
    asks_consent: bool = True,
    actor: Actor,
    now: datetime,
) -> Application:
    """Another name, other addresses. Refused like a new one; repeatable."""
    row = _locked(application_id)
    before = [*row.return_addresses]
    row.name = _name(name)
    row.return_addresses = _addresses(return_addresses, "return_addresses", least=1)
    row.leave_addresses = _addresses(leave_addresses, "leave_addresses")
    row.asks_consent = asks_consent
    with refusing(federation_application_name_key=_taken):
        row.store(
            "name", "return_addresses", "leave_addresses", "asks_consent", now=now
        )
    _record(
        "change_application", row, actor, now, returns=[before, row.return_addresses]
    )
    return row


@transaction.atomic
def switch_application(
    *, application_id: int, on: bool, actor: Actor, now: datetime
) -> Application:
    """Let people through to it, or no more: then its tokens end and consents go.

    Repeating it changes nothing.
    """
    row = _locked(application_id)
    if row.is_active == on:
        return row
    row.is_active = on
    row.store("is_active", now=now)
    if not on:
        tokens = ApplicationToken.objects.filter(application=row, revoked_at=None)
        tokens.update(revoked_at=now, updated_at=now)
        Consent.objects.filter(application=row).delete()
    _record("switch_application", row, actor, now, on=on)
    return row


@transaction.atomic
def renew_application_secret(
    *, application_id: int, actor: Actor, now: datetime
) -> NewSecret:
    """A new secret, shown once; the old one works no more. Each call makes another.

    Refused for a public application, which has none.
    """
    row = _locked(application_id)
    if row.is_public:
        raise InvalidInput("A public application has no secret.")
    secret = new_word()
    row.secret_digest = digest_of(secret)
    row.store("secret_digest", now=now)
    _record("renew_application_secret", row, actor, now)
    return NewSecret(row=row, secret=secret)


def _locked(application_id: int) -> Application:
    row = Application.objects.locked().filter(pk=application_id).first()
    if row is None:
        raise NotFound
    return row


def _name(text: str) -> str:
    words = " ".join(text.split())
    if not 0 < len(words) <= 80:
        raise InvalidInput("Give a name of at most 80 characters.", field="name")
    return words


def _taken() -> ApplicationTaken:
    return ApplicationTaken(field="name")


def _addresses(given: Iterable[str], field: str, *, least: int = 0) -> list[str]:
    found = list(dict.fromkeys(given))
    if not least <= len(found) <= ADDRESSES_MAX:
        raise InvalidInput(
            f"Give {least} to {ADDRESSES_MAX} addresses, one a line.", field=field
        )
    if not all(is_return_address(address) for address in found):
        raise AddressRefused(field=field)
    return found


def _record(
    verb: str, row: Application, actor: Actor, now: datetime, **changes: object
) -> None:
    ops.record(
        action=f"federation.{verb}",
        subject=SubjectRef("federation", "application", row.pk, row.name),
        actor=actor,
        now=now,
        changes={"client_id": row.client_id, **changes},
    )
