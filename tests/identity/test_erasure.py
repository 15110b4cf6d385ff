"""Forgetting a person: what the law keeps stays, everything else is gone."""

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.apps import apps as installed
from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from apps.billing import operations as billing
from apps.billing.models import Invoice, LedgerEntry, Payment, PromiseToPay
from apps.catalog import operations as catalog
from apps.identity import operations as identity
from apps.identity.errors import (
    ConfirmationDiffers,
    CustomerCannotBeErased,
    CustomerErased,
)
from apps.identity.models import (
    Customer,
    CustomerTurn,
    Membership,
    PersonalExport,
    Session,
    StoredFile,
    User,
)
from apps.network.models import AccessAccount, SessionHistory, SessionLive
from apps.ops import operations as ops
from apps.ops.errors import MessageNotFailed
from apps.ops.models import AuditEntry, Message, OutboxEvent
from dotmac.core.errors import NotFound
from dotmac.core.invariants import all_invariants
from dotmac.core.money import Money
from tests.billing.owing import bill
from tests.console.lines import put_on_line
from tests.identity.papers import A_PDF
from tests.sessions import enter
from tests.world import NOON, SYSTEM

pytestmark = pytest.mark.django_db
BY: dict[str, Any] = {"actor": SYSTEM, "now": NOON}
CANARY = "Zanzibarfinch"


@pytest.fixture
def life(world):
    """A customer with a word of its own everywhere, whose service ended and is paid."""
    customer = world.chidi.customer
    at: dict[str, Any] = {"customer_id": customer.pk, **BY}
    customer = identity.change_customer(**at, changes={
        "name": f"{CANARY} Ltd", "address": f"1 {CANARY} Road", "city": CANARY,
        "email": f"{CANARY}@mail.example", "tax_number": CANARY, "source": CANARY,
    })  # fmt: skip
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
    bill(customer, 900_000)
    billing.record_payment(
        customer_id=customer.pk, amount=Money(900_000, "NGN"), method="cash",
        note=f"brother of {CANARY}", **BY,
    )  # fmt: skip
    PromiseToPay.objects.create(
        customer=customer, promised_date=NOON.date(), note=CANARY, made_by="sola",
        made_at=NOON,
    )  # fmt: skip
    ops.send_message(
        to=f"{CANARY}@mail.example", subject=CANARY, body=CANARY, purpose="test",
        unique_key="erase", customer_id=customer.pk, now=NOON,
    )  # fmt: skip
    catalog.terminate_service(service_id=service.pk, actor=SYSTEM, now=timezone.now())
    customer.refresh_from_db()
    return customer


def erase(customer, confirm=None):
    confirm = customer.reference if confirm is None else confirm
    return identity.erase_customer(customer_id=customer.pk, confirm=confirm, **BY)


def where(word):
    """Tables and columns whose text shows the word, found from the models."""
    found = set()
    for model in installed.get_models(include_auto_created=True):
        for field in model._meta.local_concrete_fields:
            if not isinstance(field, (models.CharField, models.TextField, models.JSONField)):  # fmt: skip
                continue
            with connection.cursor() as cursor:
                table, column = model._meta.db_table, field.column
                cursor.execute(
                    f'SELECT count(*) FROM "{table}" WHERE "{column}"::text ILIKE %s',  # noqa: S608
                    [f"%{word}%"],
                )
                if cursor.fetchone()[0]:
                    found.add(f"{table}.{column}")
    return found


def test_only_what_the_law_keeps_still_shows_the_person(life):
    before = where(CANARY)
    assert before >= {
        "identity_customer.name", "identity_contact.name", "identity_customernote.text",
        "identity_noterevision.text", "identity_customerchange.after",
        "identity_storedfile.name", "ops_message.body", "billing_payment.note",
        "billing_promisetopay.note", "billing_invoice.buyer",
    }  # fmt: skip

    erased = erase(life)

    assert where(CANARY) == {"billing_invoice.buyer"}
    assert (erased.state, erased.name, erased.erased_at) == ("closed", "Erased", NOON)
    assert erased.reference == life.reference


def test_money_and_audit_stay_as_they_were(life):
    figures = list(LedgerEntry.objects.order_by("pk").values())
    documents = list(Invoice.objects.order_by("pk").values("reference", "buyer"))
    entries = list(AuditEntry.objects.order_by("pk").values("pk", "action", "changes"))

    erase(life)

    assert list(LedgerEntry.objects.order_by("pk").values()) == figures
    assert (
        list(Invoice.objects.order_by("pk").values("reference", "buyer")) == documents
    )
    after = list(AuditEntry.objects.order_by("pk").values("pk", "action", "changes"))
    assert after[: len(entries)] == entries
    assert Payment.objects.get().amount_minor == 900_000
    assert PromiseToPay.objects.count() == 1
    said = AuditEntry.objects.filter(action="identity.customer.erased.v1")
    assert said.get().customer_id == life.pk
    assert OutboxEvent.objects.filter(name="identity.customer.erased.v1").count() == 1
    with connection.cursor() as cursor:
        for invariant in all_invariants():
            cursor.execute(invariant.sql)
            assert cursor.fetchall() == [], invariant.name


def test_who_signed_in_is_gone_and_who_acts_for_others_is_not(world, life):
    enter(world.chidi, face="portal", key="portal_sid")
    shared = world.subscribe("both", "Both Hands").user
    other = world.dayo.customer
    for customer in (life, other):
        Membership.objects.create(user=shared, customer=customer)

    erase(life)

    assert not User.objects.filter(pk=world.chidi.id).exists()
    assert not Session.objects.filter(user_id=world.chidi.id).exists()
    assert User.objects.filter(pk=shared.pk).exists()
    mine = Membership.objects.filter(user=shared)
    assert life.pk not in set(mine.values_list("customer_id", flat=True))


def test_the_network_forgets_the_login_and_keeps_the_traffic(life):
    account = AccessAccount.objects.get()
    octets = list(SessionLive.objects.values_list("octets_in", "started_at"))

    erase(life)

    renamed = AccessAccount.objects.get()
    assert (renamed.login, renamed.mac_lock) == (f"erased-{account.pk}", "")
    assert bytes(renamed.secret) != bytes(account.secret)
    assert where(account.login) <= {"ops_outboxevent.data", "ops_auditentry.changes"}
    rows = SessionLive.objects.all()
    assert list(rows.values_list("octets_in", "started_at")) == octets
    assert {(row.login, row.mac) for row in rows} == {(f"erased-{account.pk}", "")}
    assert not SessionHistory.objects.exclude(login=renamed.login).exists()


def test_copies_and_mails_that_wait_are_stopped(life):
    export = identity.request_export(customer_id=life.pk, **BY)
    identity.make_next_export(now=NOON)
    waiting = identity.request_export(customer_id=life.pk, **BY)

    erase(life)

    assert not StoredFile.objects.exists()
    assert identity.make_next_export(now=NOON) is None
    waiting.job.refresh_from_db()
    assert waiting.job.state == "cancelled"
    assert PersonalExport.objects.filter(file__isnull=False).count() == 0
    assert PersonalExport.objects.filter(pk=export.pk).exists()
    mail = Message.objects.get(unique_key="erase")
    assert (mail.state, mail.recipient, mail.body) == ("failed", "erased", "")
    with pytest.raises(MessageNotFailed):
        ops.resend_message(message_id=mail.pk, actor=SYSTEM, now=NOON)
    assert ops.forget_messages(customer_id=life.pk, now=NOON) == 0


def test_refused_and_nothing_changed(world, life):
    bill(life, 100_000)
    before = where(CANARY)
    with pytest.raises(
        CustomerCannotBeErased, match=r"1,000\.00 NGN is owed"
    ) as refused:
        erase(life)
    assert len(refused.value.facts["objections"]) == 1
    billing.record_payment(
        customer_id=life.pk, amount=Money(150_000, "NGN"), method="cash", **BY
    )
    with pytest.raises(CustomerCannotBeErased, match="of credit has to be paid out"):
        erase(life)
    assert where(CANARY) == before

    dayo = world.dayo.customer
    put_on_line(world, world.dayo, now=timezone.now())
    with pytest.raises(CustomerCannotBeErased, match="services that are not"):
        erase(dayo)
    for confirm in ("", "C-999999", dayo.name):
        with pytest.raises(ConfirmationDiffers) as told:
            erase(dayo, confirm)
        assert told.value.field == "confirm"
    with pytest.raises(NotFound):
        identity.erase_customer(customer_id=0, confirm="x", **BY)


def test_a_payment_on_its_way_speaks_against_it(life):
    Payment.objects.create(
        reference="P-1", customer=life, method="paystack", state="pending",
        currency="NGN", amount_minor=100, provider="paystack", provider_ref="x",
        recorded_by="x",
    )  # fmt: skip
    with pytest.raises(CustomerCannotBeErased, match="on its way"):
        erase(life)


def test_it_is_for_good(life):
    erase(life)
    turns = CustomerTurn.objects.filter(customer=life).count()
    assert erase(life, "anything").erased_at == NOON
    assert CustomerTurn.objects.filter(customer=life).count() == turns
    with pytest.raises(CustomerErased):
        identity.reopen_customer(customer_id=life.pk, **BY)
    with pytest.raises(CustomerErased):
        identity.request_export(customer_id=life.pk, **BY)
    for wrong in ({"email": "x@mail.example"}, {"address": "1 Marina"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Customer.objects.filter(pk=life.pk).update(**wrong)


def test_the_api_needs_a_fresh_factor_and_the_number(world, life):
    client, at = world.api(world.mina), f"/api/v1/customers/{life.pk}/erase"
    wrong = client.post(at, {"confirm": "C-000000"})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "confirmation_differs")
    assert client.post(at, {}).status_code == 400
    assert (
        world.api(world.sola).post(at, {"confirm": life.reference}).status_code == 403
    )
    fresh = Session.objects.filter(user=world.mina.user)
    fresh.update(mfa_at=timezone.now() - timedelta(hours=1))
    stale = client.post(at, {"confirm": life.reference})
    assert (stale.status_code, stale.json()["code"]) == (403, "step_up_required")
    fresh.update(mfa_at=timezone.now())
    bill(life, 100_000)
    owing = client.post(at, {"confirm": life.reference})
    assert (owing.status_code, owing.json()["code"]) == (
        409,
        "customer_cannot_be_erased",
    )
    billing.record_payment(
        customer_id=life.pk, amount=Money(100_000, "NGN"), method="cash", **BY
    )
    done = client.post(at, {"confirm": life.reference})
    assert done.status_code == 200, done.content
    assert done.json()["name"] == "Erased"


def test_the_console_asks_for_the_number(world, life):
    browser = enter(world.mina)
    at = f"/console/customers/{life.pk}/erase"
    assert "cannot be brought back" in " ".join(
        browser.get(at).content.decode().split()
    )
    refused = browser.post(at, {"confirm": "C-000000"})
    assert refused.status_code == 422
    assert "Type the customer" in refused.content.decode()
    assert browser.post(at, {"confirm": life.reference}).status_code == 302
    page = browser.get(f"/console/customers/{life.pk}").content.decode()
    assert "Erased" in page
    assert f"{life.pk}/erase" not in page
