"""One customer of the operator, one of a reseller, and an object of each kind of
either, made by the operations; and the people who try to reach them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, timedelta
from decimal import Decimal
from io import BytesIO
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from django.db import transaction
from django.template.base import Template
from django.utils import timezone
from django.utils.safestring import SafeString

from apps.billing import operations as billing
from apps.catalog.models import Order, ProvisioningJob
from apps.federation.models import Application, Consent
from apps.identity import operations as identity
from apps.identity.models import AccessDecision, ApiKey, Passkey, Session
from apps.network import operations as network
from apps.network.models import AddressAssignment, CoaRequest, Nas, Prefix
from apps.ops import operations as ops
from apps.ops.models import AuditEntry, Message, OutboxEvent
from dotmac.core import denials
from dotmac.core.money import Money
from dotmac.core.refs import SubjectRef
from dotmac.gateway import authentication
from tests.billing.owing import bill
from tests.catalog.shops import build_shop
from tests.console.lines import put_on_line
from tests.federation.making import make_application, make_connection
from tests.identity.papers import A_PDF
from tests.promises.access_rights import holders
from tests.sessions import enter
from tests.world import SYSTEM, Api

STAFF = {
    "ada": "o", "mina": "m", "sola": "s", "bisi": "b", "nuru": "n", "femi": "a",
    "remi": "s", "rita": "r",
}  # fmt: skip
LIMITED = {"remi", "rita"}  # work at the reseller, whose customer is Esi
PORTAL = {"chidi": "f", "esi": "f", "dayo": "f", "vera": "v", "bill": "p"}
# Whose sign-ins and keys stand beside the objects of either customer.
KEEPERS = {"chidi": "sola", "esi": "remi"}
OWN = {"chidi": "chidi", "esi": "esi", "vera": "chidi", "bill": "chidi"}


@dataclass
class Bed:
    """Objects by owner ("chidi", "esi") and kind; kinds of the whole by themselves."""

    world: Any
    of: dict[str, dict[str, int]] = field(default_factory=dict)
    whole: dict[str, int] = field(default_factory=dict)


def build(world) -> Bed:
    """Everything, once; a test rolls each of its requests back."""
    _people(world)
    world.shop = build_shop()
    network.create_prefix(
        cidr="100.65.0.0/24", pool_id=world.shop.pool.pk, actor=SYSTEM, now=world.now
    )
    bed = Bed(world)
    for name in ("chidi", "esi"):
        bed.of[name] = _objects(world, name)
    bed.of["chidi"] |= {"staff": world.sola.id, "units": world.operator.pk}
    bed.of["esi"] |= {"staff": world.remi.id, "units": world.reseller.pk}
    for name, keeper in KEEPERS.items():
        bed.of[name] |= _keys_of(getattr(world, keeper))
    bed.whole = _whole(world)
    return bed


def _keys_of(person) -> dict[str, int]:
    """A sign-in, an API key, a passkey and a consent of a member of staff."""
    now = timezone.now()
    sign_in = Session.objects.create(
        user=person.user, face="console", stage="full", started_at=now, seen_at=now,
        mfa_at=now, idle_until_at=now + timedelta(hours=1),
        expires_at=now + timedelta(hours=8),
    )  # fmt: skip
    key = ApiKey.objects.create(
        user=person.user, name="bed", prefix=f"bed{person.username}",
        digest=str(person.id).rjust(64, "0"), scopes=["identity.view_customer"],
        addresses=[], expires_at=now + timedelta(days=9),
    )  # fmt: skip
    passkey = Passkey.objects.create(
        user=person.user, name="bed", credential_id=person.username.encode(),
        public_key=b"-",
    )  # fmt: skip
    tool, _made = Application.objects.get_or_create(
        name="Bed", client_id="bed", is_public=True, return_addresses=["https://bed"]
    )
    consent = Consent.objects.create(
        application=tool, user=person.user, scopes=["openid"]
    )
    return {
        "my-applications": consent.pk,
        "sign-ins": sign_in.pk, "my-sign-ins": sign_in.pk, "api-keys": key.pk,
        "my-keys": key.pk, "my-passkeys": passkey.pk,
    }  # fmt: skip


def _people(world) -> None:
    world.vera = _member(world, "vera", "view")
    world.bill = _member(world, "bill", "billing")
    world.rita = world.hire("rita", "Rita", "reseller", unit_id=world.reseller.pk)
    assert all(getattr(world, name) for name in [*STAFF, *PORTAL])


def _member(world, username, rights):
    password = f"{username} rows over the lagoon"
    user = identity.create_portal_user(
        customer_id=world.chidi.customer.pk, username=username, password=password,
        rights=rights, actor=SYSTEM, now=world.now,
    )  # fmt: skip
    return SimpleNamespace(
        user=user, username=username, password=password, secret="", id=user.pk
    )


def _objects(world, name) -> dict[str, int]:
    person, now = getattr(world, name), world.now
    customer = person.customer
    service, session = put_on_line(world, person, now=timezone.now(), hours=2)
    invoice = bill(customer, 900_000)
    payment = billing.record_payment(
        customer_id=customer.pk, amount=Money(100_000, "NGN"), method="cash",
        actor=SYSTEM, now=now,
    )  # fmt: skip
    note = billing.issue_credit_note(
        invoice_id=invoice.pk, reason="late", amount=Money(100, "NGN"), actor=SYSTEM,
        now=now,
    )  # fmt: skip
    job = ops.start_job(
        kind="test.work",
        subject=SubjectRef("identity", "customer", customer.pk, customer.name),
        actor=SYSTEM, now=now, total=10, customer_id=customer.pk,
    )  # fmt: skip
    ops.send_message(
        to=customer.email, subject=f"To {name}", body="Hello", purpose="invoice",
        unique_key=f"bed-{name}", customer_id=customer.pk, now=now,
    )  # fmt: skip
    network.disconnect_session(
        session_key=session.session_key, generation=session.generation,
        actor=SYSTEM, now=timezone.now(),
    )  # fmt: skip
    handle = network.add_handle(
        account_id=service.access_id, kind="circuit_id", value=f"bed {name}",
        actor=SYSTEM, now=now,
    )  # fmt: skip
    return {
        **_known_of(customer, now),
        "handles": handle.pk,
        "customers": customer.pk,
        "services": service.pk,
        "orders": Order.objects.get(customer=customer).pk,
        "accounts": service.access_id,
        "sessions": session.pk,
        "coa-requests": CoaRequest.objects.filter(account_id=service.access_id)[0].pk,
        "invoices": invoice.pk,
        "credit-notes": note.pk,
        "payments": payment.pk,
        "jobs": job.pk,
        "messages": Message.objects.filter(customer_id=customer.pk)[0].pk,
        "audit": AuditEntry.objects.filter(customer_id=customer.pk)[0].pk,
        "provisioning": ProvisioningJob.objects.filter(service=service)[0].pk,
    }


def _known_of(customer, now) -> dict[str, int]:
    """What hangs on a customer: contact, place, note, paper, copy, merge."""
    told = {"customer_id": customer.pk, "actor": SYSTEM, "now": now}
    contact = identity.add_contact(**told, name="Ify Eze", email="ify@mail.example")
    place = identity.add_location(**told, label="Shop", address="1 Marina")
    paper = identity.add_document(
        **told, kind="contract", name="contract.pdf", content=BytesIO(A_PDF),
        in_portal=True,
    )  # fmt: skip
    note = identity.write_note(**told, text="Calls in the evening.")
    copy = identity.request_export(**told)
    twin = identity.register_customer(
        kind="individual", name=f"Twin of {customer.reference}", phone="",
        email=f"twin-{customer.pk}@mail.example", unit_id=customer.unit_id,
        actor=SYSTEM, now=now,
    )  # fmt: skip
    merge = identity.merge_customers(
        duplicate_id=twin.pk, survivor_id=customer.pk, actor=SYSTEM, now=now
    )
    return {
        "contacts": contact.pk,
        "locations": place.pk,
        "documents": paper.pk,
        "exports": copy.pk,
        "merges": merge.pk,
        "copies": copy.pk,
        "notes": note.pk,
    }


def _whole(world) -> dict[str, int]:
    now = world.now
    role = identity.create_role(name="Own", permissions=[], actor=SYSTEM, now=now)
    rule = identity.create_rule(
        name="Nobody walks on water", why="Try a boat.", effect="deny",
        permissions=["ops.set_business_date"], expression="actor.username == 'peter'",
        actor=SYSTEM, now=now,
    )  # fmt: skip
    identity.ask_rule_step(rule_id=rule.pk, step="switch_on", actor=SYSTEM, now=now)
    rate = billing.set_tax_rate(
        slug="vat", name="VAT", label="VAT", percent=Decimal("7.5"),
        valid_from=date(2026, 1, 1), actor=SYSTEM, now=now,
    )  # fmt: skip
    run = billing.start_run(day=now.date(), actor=SYSTEM, now=now)
    decision = AccessDecision.objects.create(
        at=now, actor_kind="staff", actor_label="ada", permission="ops.view_job",
        granted=True, facts={},
    )  # fmt: skip
    by = {"actor": SYSTEM, "now": now}
    own = identity.define_field(slug="nin", name="NIN", kind="text", **by)
    tag = identity.make_tag(slug="vip", name="VIP", colour="amber", **by)
    group = network.create_vlan_group(
        name="bed", vid_min=100, vid_max=200, actor=SYSTEM, now=now
    )
    nas = Nas.objects.get()
    return {
        "roles": role.pk,
        "connections": make_connection().pk,
        "applications": make_application().row.pk,
        "access-rules": rule.pk,
        "custom-fields": own.pk,
        "tags": tag.pk,
        "decisions": decision.pk,
        "tax-rates": rate.pk,
        "runs": run.pk,
        "billing-runs": run.pk,
        "sites": nas.site_id or 0,
        "nas": nas.pk,
        "rate-profiles": world.shop.profile.pk,
        "pools": world.shop.pool.pk,
        "prefixes": Prefix.objects.order_by("pk")[0].pk,
        "addresses": AddressAssignment.objects.order_by("pk")[0].pk,
        "vlan-groups": group.pk,
        "account-imports": _import(world).pk,
        "plans": world.shop.plan.pk,
        "events": OutboxEvent.objects.order_by("pk")[0].pk,
    }


def _import(world):
    """A preview of one user of an old server."""
    old = b"id,username,attribute,op,value\n1,bed,Cleartext-Password,:=,x\n"
    return network.begin_import(
        name="bed.csv", files=[("radcheck.csv", old)],
        zone=UTC, profile_id=world.shop.profile.pk, actor=SYSTEM, now=timezone.now(),
    )  # fmt: skip


# What is expected --------------------------------------------------------------


def expected(who: str, permission: str, owner: str) -> str:
    """ "sign in", "refused", "missing" or "through", from the table alone.

    `owner` is "chidi", "esi" or "" for what belongs to nobody in particular.
    """
    if who not in STAFF and who not in PORTAL:
        return "sign in"
    letters, reach = holders(permission)
    letter = STAFF.get(who) or PORTAL[who]
    whole = reach == "whole"
    if letter not in letters or (whole and (who in LIMITED or who in PORTAL)):
        return "refused"
    reached = (
        KEEPERS[owner] == who if owner and reach == "own" else _reaches(who, owner)
    )
    if owner and not reached:
        return "missing"
    return "through"


def _reaches(who: str, owner: str) -> bool:
    if who in PORTAL:
        return OWN.get(who) == owner
    return who not in LIMITED or owner == "esi"


# Coming in ---------------------------------------------------------------------


def api_of(bed: Bed, who: str) -> Any:
    """A client with a token; strangers and staff without a code get nowhere.

    What the sign-in itself does is identity's to prove; here it would cost codes.
    """
    if who == "stranger":
        return Api()
    if who == "no-code":
        return Api(_token(bed.world.sola, stage="password"))
    return Api(_token(getattr(bed.world, who), stage="full"))


def _token(person, *, stage: str) -> str:
    """A token for a session that was begun now; at "password" it still owes its code."""
    from django.conf import settings

    from apps.identity.rules.tokens import AccessClaims, write_access_token
    from apps.identity.selectors import jwt_keys

    now = timezone.now()
    session = Session.objects.create(
        user=person.user, face="api", stage=stage, started_at=now, seen_at=now,
        mfa_at=now if stage == "full" and person.secret else None,
        idle_until_at=now + timedelta(hours=1), expires_at=now + timedelta(hours=8),
    )  # fmt: skip
    return write_access_token(
        jwt_keys(), AccessClaims(person.id, session.pk), issuer=settings.BASE_URL,
        jti=f"bed-{session.pk}", now=now,
    )  # fmt: skip


def console_of(bed: Bed, who: str) -> Any:
    if who == "stranger":
        from django.test import Client

        return Client()
    if who == "no-code":
        browser = enter(bed.world.sola)
        row = Session.objects.filter(user=bed.world.sola.user).latest("pk")
        Session.objects.filter(pk=row.pk).update(stage="password", mfa_at=None)
        return browser
    if who in PORTAL:  # a cookie of the portal opens no console
        return enter(getattr(bed.world, who), face="portal", key="portal_sid")
    return enter(getattr(bed.world, who))


@contextmanager
def standing() -> Iterator[Callable[[], None]]:
    """What to call after each request, so that nothing of it stays.

    One savepoint for all of them: each one's own would stay open under the next, and
    for every row PostgreSQL asks all that are open whether they wrote it.
    """
    point = transaction.savepoint()
    try:
        yield lambda: transaction.savepoint_rollback(point)
    finally:
        transaction.savepoint_rollback(point)
        transaction.savepoint_commit(point)


@contextmanager
def decided_only(*, drawn: bool = True) -> Iterator[None]:
    """Requests are decided, and nothing is written down of it; drawn unless said.

    What the log, the audit and the week of decisions hold, and that each page can be
    drawn, is shown elsewhere, once; here it would be paid for thousands of times.
    """
    log = logging.getLogger("django.request")
    before = log.level
    log.setLevel(logging.CRITICAL)
    try:
        with (
            patch.object(authentication, "_write_down"),
            patch.object(denials, "_record"),
            nullcontext() if drawn else patch.object(Template, "render", _blank),
        ):
            yield
    finally:
        log.setLevel(before)


def _blank(_template: Template, _context: Any) -> SafeString:
    return SafeString("")
