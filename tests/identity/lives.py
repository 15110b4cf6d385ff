"""A customer with a word of its own everywhere, and where that word is found."""

from base64 import b64decode
from io import BytesIO
from typing import Any

import pytest
from django.apps import apps as installed
from django.db import connection, models
from django.utils import timezone

from apps.billing import operations as billing
from apps.billing.models import CheckoutIntent, Payment, PromiseToPay
from apps.catalog import operations as catalog
from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.errors import CredentialsRefused
from apps.identity.models import Session, StoredPiece, User
from apps.ops import operations as ops
from dotmac.core.models import SealedField, open_sealed
from dotmac.core.money import Money
from tests.billing.owing import bill
from tests.console.lines import put_on_line
from tests.identity.papers import A_PDF
from tests.sessions import enter
from tests.world import NOON, SYSTEM

BY: dict[str, Any] = {"actor": SYSTEM, "now": NOON}
CANARY = "Zanzibarfinch"
# No word fits into a telephone number.
DIGITS = "8039998877"


def life_of(world):
    """A customer with a word of its own everywhere, whose service ended and is paid."""
    customer = world.chidi.customer
    at: dict[str, Any] = {"customer_id": customer.pk, **BY}
    identity.define_field(slug="nin", name="NIN", kind="text", **BY)
    identity.change_customer(**at, changes={"email": f"old-{CANARY}@mail.example"})
    customer = identity.change_customer(**at, changes={
        "name": f"{CANARY} Ltd", "address": f"1 {CANARY} Road", "city": CANARY,
        "email": f"{CANARY}@mail.example", "tax_number": CANARY, "source": CANARY,
        "phone": f"0{DIGITS}", "custom": {"nin": CANARY},
    })  # fmt: skip
    _people(world, at)
    identity.add_contact(**at, name=CANARY, email=f"ify-{CANARY}@mail.example")
    place = identity.add_location(**at, label=CANARY, address=f"2 {CANARY} Road")
    identity.check_serviceability(
        location_id=place.pk, answer="yes", note=f"beside {CANARY}", **BY
    )
    note = identity.write_note(**at, text=f"{CANARY} calls at night.")
    identity.edit_note(note_id=note.pk, text=f"{CANARY} calls by day.", **BY)
    identity.add_document(
        **at, kind="identity", name=f"{CANARY}.pdf", content=BytesIO(A_PDF)
    )
    service, _session = put_on_line(world, world.chidi, now=timezone.now())
    catalog.suspend_service(
        service_id=service.pk, reason="abuse", effect="reject", note=CANARY, **BY
    )
    bill(customer, 900_000)
    billing.record_payment(
        customer_id=customer.pk, amount=Money(900_000, "NGN"), method="cash",
        note=f"brother of {CANARY}", **BY,
    )  # fmt: skip
    PromiseToPay.objects.create(
        customer=customer, promised_date=NOON.date(), note=CANARY, made_by="sola",
        made_at=NOON,
    )  # fmt: skip
    _paid_by_card(customer)
    ops.send_message(
        to=f"{CANARY}@mail.example", subject=CANARY, body=CANARY, purpose="test",
        unique_key="erase", customer_id=customer.pk, now=NOON,
    )  # fmt: skip
    catalog.terminate_service(service_id=service.pk, actor=SYSTEM, now=timezone.now())
    identity.close_customer(**at, reason=f"{CANARY} moved away")
    identity.reopen_customer(**at)
    customer.refresh_from_db()
    return customer


def _people(world, at):
    """Who signs in for the customer, who looked at it, and what was mailed to them."""
    identity.invite_member(**at, email=f"aunt-{CANARY}@mail.example", name=CANARY)
    aunt = User.objects.get(email__startswith="aunt-")
    person: dict[str, Any] = {"user_id": aunt.pk, "actor": SYSTEM, "now": NOON}
    identity.rename_user(**person, name=f"Aunt {CANARY}")
    identity.request_email(**person, email=f"new-{CANARY}@mail.example")
    identity.request_reset(name=aunt.email, face="portal", now=NOON)
    with pytest.raises(CredentialsRefused):
        identity.sign_in(
            username=aunt.email, password="wrong", face="portal", now=timezone.now()
        )
    left = identity.invite_member(**at, email=f"left-{CANARY}@mail.example")
    identity.remove_member(customer_id=at["customer_id"], user_id=left.user.pk, **BY)
    enter(world.chidi, face="portal", key="portal_sid")
    Session.objects.filter(user=world.chidi.user).update(device=f"Phone of {CANARY}")
    assert world.ada  # staff has an owner
    enter(world.sola)
    staff = selectors.actor_for_session(
        Session.objects.filter(user=world.sola.user).latest("pk"), now=timezone.now()
    )
    identity.begin_look(
        customer_id=at["customer_id"], reason=CANARY, actor=staff, now=timezone.now()
    )
    for old in ("old", "early"):
        ops.send_message(
            to=f"{old}-{CANARY}@mail.example", subject="x", body="x", purpose="test",
            unique_key=f"erase-{old}", now=NOON,
            customer_id=at["customer_id"] if old == "early" else None,
        )  # fmt: skip


def _paid_by_card(customer):
    payment = Payment.objects.create(
        reference="P-9", customer=customer, method="paystack", state="failed",
        currency="NGN", amount_minor=100, provider="paystack", provider_ref="declined",
        recorded_by="x",
    )  # fmt: skip
    CheckoutIntent.objects.create(
        payment=payment, page_url=f"https://pay.example/{CANARY}", message=CANARY,
        expires_at=NOON,
    )  # fmt: skip


def where(*words):
    """Tables and columns that show a word, found from the models; sealed ones opened."""
    found = set()
    for model in installed.get_models(include_auto_created=True):
        table = model._meta.db_table
        for field in model._meta.local_concrete_fields:
            if isinstance(field, SealedField):
                shown = _opened(model, field.name, words)
            elif isinstance(field, models.BinaryField):
                continue  # digests and blind indexes
            else:
                shown = _shown(table, field.column, words)
            if shown:
                found.add(f"{table}.{field.column}")
    return found


def _shown(table, column, words):
    with connection.cursor() as cursor:
        cursor.execute(
            f'SELECT count(*) FROM "{table}" WHERE "{column}"::text ILIKE ANY(%s)',  # noqa: S608
            [[f"%{word}%" for word in words]],
        )
        return cursor.fetchone()[0]


def _opened(model, name, words):
    for row in model._default_manager.exclude(**{name: None}):
        clear = open_sealed(row, name)
        if model is StoredPiece:
            clear = b64decode(clear).decode("latin-1")
        if any(word.lower() in clear.lower() for word in words):
            return True
    return False
