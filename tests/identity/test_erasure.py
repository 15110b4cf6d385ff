"""Forgetting a person: what the law keeps stays, everything else is gone."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from apps.billing import operations as billing
from apps.billing.models import (
    Invoice,
    LedgerEntry,
    Payment,
    PromiseToPay,
)
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
from apps.identity.operations import notices
from apps.identity.selectors.customers import only_customer_of
from apps.network.models import AccessAccount, CoaRequest, SessionHistory, SessionLive
from apps.ops import operations as ops
from apps.ops.errors import MessageNotFailed
from apps.ops.models import AuditEntry, Message, OutboxEvent
from dotmac.core.errors import NotFound
from dotmac.core.invariants import all_invariants
from dotmac.core.money import Money
from tests.billing.owing import bill
from tests.console.lines import put_on_line
from tests.identity.lives import CANARY, DIGITS, life_of, where
from tests.sessions import enter
from tests.world import NOON, SYSTEM

pytestmark = pytest.mark.django_db
BY: dict[str, Any] = {"actor": SYSTEM, "now": NOON}


@pytest.fixture
def life(world):
    return life_of(world)


def erase(customer, confirm=None):
    confirm = customer.reference if confirm is None else confirm
    return identity.erase_customer(customer_id=customer.pk, confirm=confirm, **BY)


def test_only_what_the_law_keeps_still_shows_the_person(life):
    login = AccessAccount.objects.get().login
    before = where(CANARY, DIGITS, login)
    assert before >= {
        "identity_customer.name", "identity_customer.custom", "identity_customer.phone",
        "identity_contact.name", "identity_customernote.text",
        "identity_noterevision.text", "identity_customerchange.after",
        "identity_storedfile.name", "identity_user.name", "identity_user.email",
        "identity_onetimelink.email", "identity_resetrequest.name",
        "identity_session.device", "identity_portallook.reason",
        "identity_customerturn.reason", "axes_accessattempt.username",
        "ops_message.body", "ops_message.recipient", "billing_payment.note",
        "billing_promisetopay.note", "billing_invoice.buyer",
        "billing_checkoutintent.page_url", "network_accesshold.note",
        "network_coarequest.login", "catalog_provisioningstep.answer",
    }  # fmt: skip

    erased = erase(life)

    assert where(CANARY, DIGITS) == {"billing_invoice.buyer"}
    # Nothing can be taken out of these two: docs/privacy.md says that they keep it.
    assert where(login) <= {
        "ops_auditentry.subject_label", "ops_auditentry.changes",
        "ops_outboxevent.data",
    }  # fmt: skip
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
    assert Payment.objects.get(state="succeeded").amount_minor == 900_000
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
    shared = world.subscribe("both", "Both Hands", "+2348031000009").user
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
    SessionLive.objects.update(nas_port="pon-7", circuit="olt/7", called="ap-7")

    erase(life)

    renamed = AccessAccount.objects.get()
    assert (renamed.login, renamed.mac_lock) == (f"erased-{account.pk}", "")
    assert bytes(renamed.secret) != bytes(account.secret)
    assert not CoaRequest.objects.exclude(login="").exists()
    rows = SessionLive.objects.all()
    assert list(rows.values_list("octets_in", "started_at")) == octets
    assert {(row.login, row.mac) for row in rows} == {(f"erased-{account.pk}", "")}
    assert {(row.nas_port, row.circuit, row.called) for row in rows} == {("", "", "")}
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
    assert waiting.job.finished_at is not None
    assert PersonalExport.objects.filter(file__isnull=False).count() == 0
    assert PersonalExport.objects.filter(pk=export.pk).exists()
    mail = Message.objects.get(unique_key="erase")
    assert (mail.state, mail.recipient, mail.body) == ("failed", "erased", "")
    with pytest.raises(MessageNotFailed):
        ops.resend_message(message_id=mail.pk, actor=SYSTEM, now=NOON)
    assert ops.forget_messages(customer_id=life.pk, now=NOON) == 0


def test_what_goes_to_the_same_address_for_somebody_else_stays(world, life):
    """Two customers may share an address: a family, an office, an agent."""
    other = world.dayo.customer
    shared: dict[str, Any] = {
        "to": life.email, "subject": "Yours", "body": "x", "purpose": "test", "now": NOON,
    }  # fmt: skip
    theirs = ops.send_message(**shared, unique_key="theirs", customer_id=other.pk)
    nobodys = ops.send_message(**{**shared, "to": life.email.upper()}, unique_key="no")

    erase(life)

    theirs.refresh_from_db()
    nobodys.refresh_from_db()
    assert (theirs.state, theirs.recipient, theirs.body) == ("queued", life.email, "x")
    assert (nobodys.state, nobodys.recipient, nobodys.body) == ("failed", "erased", "")


def test_mail_to_a_colleague_who_is_a_contact_too_is_still_sent(world, life):
    staff = world.sola.user
    identity.add_contact(customer_id=life.pk, name="Sola", email=staff.email, **BY)
    mail = ops.send_message(
        to=staff.email, subject="x", body="x", purpose="test", unique_key="staff",
        now=NOON,
    )  # fmt: skip
    erase(life)
    mail.refresh_from_db()
    assert (mail.state, mail.recipient) == ("queued", staff.email)


def test_a_notice_is_of_the_customer_whom_its_reader_acts_for(world, life):
    world.chidi.user.email = "chidi@new.example"
    world.chidi.user.store("email", now=NOON)
    notices.notify(world.chidi.user, subject="x", body="x", key="k", now=NOON)
    assert Message.objects.get(purpose="identity.notice").customer_id == life.pk
    both = Membership.objects.create(
        user=world.chidi.user, customer=world.dayo.customer
    )
    assert only_customer_of(world.chidi.id) is None
    both.delete()


def test_an_undone_merge_forgets_why_whichever_side_is_erased(world):
    one, other = world.dayo.customer, world.esi.customer
    done = identity.merge_customers(
        duplicate_id=one.pk, survivor_id=other.pk, reason=CANARY, **BY
    )
    identity.undo_merge(merge_id=done.pk, **BY)
    erase(one)
    done.refresh_from_db()
    assert done.reason == ""


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
    with pytest.raises(CustomerErased):
        identity.write_note(customer_id=life.pk, text="Came back.", **BY)
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
