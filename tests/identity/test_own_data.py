"""Copies of all personal data: whole, for whom it concerns, gone after a week."""

import json
import zipfile
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.billing import operations as billing
from apps.identity import operations as identity
from apps.identity import selectors, tasks
from apps.identity.errors import ExportGone, ExportNotReady
from apps.identity.models import PersonalExport, StoredFile, StoredPiece
from apps.identity.operations import archives, exports
from apps.ops import operations as ops
from apps.ops.enums import JobState
from apps.ops.models import AuditEntry, Job, Message
from dotmac.core.errors import NotFound
from dotmac.core.money import Money
from tests.billing.owing import bill
from tests.console.lines import put_on_line
from tests.identity.papers import A_PDF
from tests.sessions import enter
from tests.world import NOON, SYSTEM, Api, login

pytestmark = pytest.mark.django_db
BY: dict[str, Any] = {"actor": SYSTEM, "now": NOON}


@pytest.fixture
def asked(world):
    return identity.request_export(customer_id=world.chidi.customer.pk, **BY)


def made(export, now=NOON):
    """The archive, after a worker was there."""
    assert identity.make_next_export(now=now) == export.pk
    opened = identity.open_export(export_id=export.pk, actor=SYSTEM, now=now)
    return zipfile.ZipFile(BytesIO(b"".join(opened.pieces)))


def live(world):
    """Something of Chidi in every app, and something of somebody else."""
    chidi, customer = world.chidi, world.chidi.customer
    put_on_line(world, chidi, now=timezone.now(), hours=2)
    bill(customer, 900_000)
    billing.record_payment(
        customer_id=customer.pk, amount=Money(100_000, "NGN"), method="cash",
        note="paid at the shop", **BY,
    )  # fmt: skip
    at: dict[str, Any] = {"customer_id": customer.pk, **BY}
    identity.add_contact(**at, name="Ify Eze", email="ify@mail.example")
    note = identity.write_note(**at, text="Calls at noon.")
    identity.edit_note(note_id=note.pk, text="Calls in the evening.", **BY)
    identity.add_document(
        **at, kind="contract", name="contract.pdf", content=BytesIO(A_PDF)
    )
    ops.send_message(
        to=customer.email, subject="Welcome", body="Hello Chidi", purpose="test",
        unique_key="copy", customer_id=customer.pk, now=NOON,
    )  # fmt: skip
    identity.write_note(
        customer_id=world.dayo.customer.pk, text="Somebody else's secret.", **BY
    )
    enter(chidi, face="portal", key="portal_sid")
    return at


def test_a_copy_holds_what_every_app_knows(world):
    chidi, customer, at = world.chidi, world.chidi.customer, live(world)

    archive = made(identity.request_export(**at))

    names = {name.removeprefix(f"{customer.reference}/") for name in archive.namelist()}
    assert names >= {
        "README.txt", "identity/customer.json", "identity/contacts.json",
        "identity/notes.json", "identity/documents.json", "identity/sign_ins.json",
        "identity/portal_users.json", "ops/messages.json", "ops/audit.json",
        "catalog/services.json", "catalog/orders.json", "catalog/order_items.json",
        "catalog/provisioning.json", "network/disconnects.json",
        "federation/linked_people.json", "identity/earlier_notes.json",
        "billing/checkouts.json", "network/accounts.json",
        "network/sessions.json", "network/usage.json", "network/addresses.json",
        "billing/invoices.json", "billing/invoice_lines.json", "billing/payments.json",
        "billing/ledger.json",
    }  # fmt: skip

    def table(name):
        return json.loads(archive.read(f"{customer.reference}/{name}.json"))

    assert table("identity/customer")[0]["email"] == customer.email
    assert table("identity/contacts")[0]["name"] == "Ify Eze"
    assert table("identity/notes")[0]["text"] == "Calls in the evening."
    assert table("identity/earlier_notes")[0]["text"] == "Calls at noon."
    assert table("catalog/order_items")[0]["plan_name"]
    assert table("catalog/provisioning")[0]["answer"]
    assert table("identity/sign_ins")[0]["username"] == chidi.username
    assert table("ops/messages")[0]["body"] == "Hello Chidi"
    assert table("network/accounts")[0]["login"]
    assert table("network/sessions")
    assert table("network/usage")
    assert table("billing/invoices")[0]["total_minor"] == 900_000
    assert table("billing/payments")[0]["note"] == "paid at the shop"
    assert table("identity/tags") == []
    [paper] = [name for name in names if name.startswith("documents/")]
    assert archive.read(f"{customer.reference}/{paper}") == A_PDF
    whole = b"".join(archive.read(name) for name in archive.namelist())
    for secret in (b"Somebody else", b"argon2", chidi.password.encode(), b"sola"):
        assert secret not in whole


def test_asking_twice_is_one_copy_and_both_are_on_record(world, asked):
    again = identity.request_export(customer_id=world.chidi.customer.pk, **BY)
    assert again == asked
    assert (asked.job.kind, asked.job.state) == ("identity.personal_export", "queued")
    with pytest.raises(ExportNotReady):
        identity.open_export(export_id=asked.pk, **BY)

    made(asked)

    job = Job.objects.get(pk=asked.job_id)
    assert (job.state, job.result["tables"] > 15) == ("succeeded", True)
    assert identity.make_next_export(now=NOON) is None
    actions = AuditEntry.objects.filter(subject_kind="personal_export")
    assert list(actions.order_by("pk").values_list("action", flat=True)) == [
        "identity.request_export",
        "identity.open_export",
    ]
    assert identity.request_export(customer_id=asked.customer_id, **BY) != asked
    with pytest.raises(NotFound):
        identity.open_export(export_id=0, **BY)
    with pytest.raises(NotFound):
        identity.request_export(customer_id=0, **BY)


def test_two_open_copies_of_one_customer_cannot_be(asked):
    with pytest.raises(IntegrityError), transaction.atomic():
        PersonalExport.objects.create(
            customer_id=asked.customer_id, job_id=asked.job_id, requested_at=NOON
        )


def test_a_copy_goes_after_a_week(asked):
    made(asked)
    week = NOON + timedelta(days=7)
    assert identity.forget_exports(now=week - timedelta(seconds=1)) == 0
    with pytest.raises(ExportGone):
        identity.open_export(export_id=asked.pk, actor=SYSTEM, now=week)
    assert identity.forget_exports(now=week) == 1
    assert StoredFile.objects.exists() is StoredPiece.objects.exists() is False
    with pytest.raises(ExportGone):
        identity.open_export(export_id=asked.pk, **BY)


def test_a_worker_that_died_leaves_it_to_the_next_and_not_for_ever(asked):
    def die(now):
        assert exports._claim(now) is not None

    for attempt in range(exports.ATTEMPTS_MAX):
        at = NOON + attempt * timedelta(minutes=16)
        die(at)
        assert identity.make_next_export(now=at + timedelta(minutes=14)) is None
    late = NOON + timedelta(hours=2)
    assert identity.make_next_export(now=late) is None
    job = Job.objects.get(pk=asked.job_id)
    assert (job.state, job.error) == (
        "failed",
        "The workers that made it were stopped.",
    )
    with pytest.raises(ExportGone):
        identity.open_export(export_id=asked.pk, actor=SYSTEM, now=late)


def test_the_next_worker_finishes_what_the_first_began(asked):
    exports._claim(NOON)
    made(asked, now=NOON + timedelta(minutes=16))
    # The first one wakes up: what it made is not kept beside the other.
    exports._finish(asked.pk, BytesIO(b"late"), 1, NOON + timedelta(minutes=17))  # type: ignore[arg-type]
    assert StoredFile.objects.count() == 1


def test_a_cancelled_copy_is_not_made(asked):
    ops.cancel_job(job_id=asked.job_id, actor=SYSTEM, now=NOON)
    assert identity.make_next_export(now=NOON) is None
    asked.refresh_from_db()
    assert (asked.done_at, asked.file_id) == (NOON, None)


def test_a_copy_that_was_cancelled_while_it_was_made_is_not_kept(asked):
    claimed = exports._claim(NOON)
    assert claimed == asked
    ops.cancel_job(job_id=asked.job_id, actor=SYSTEM, now=NOON)

    exports._finish(asked.pk, BytesIO(b"whole"), 1, NOON)  # type: ignore[arg-type]

    asked.refresh_from_db()
    assert (asked.job.state, asked.file_id, asked.done_at) == ("cancelled", None, NOON)
    assert not StoredFile.objects.exists()


def test_a_cancelled_copy_whose_worker_died_ends_as_cancelled(asked):
    exports._claim(NOON)
    ops.cancel_job(job_id=asked.job_id, actor=SYSTEM, now=NOON)
    assert identity.make_next_export(now=NOON + timedelta(minutes=16)) is None
    assert Job.objects.get(pk=asked.job_id).state == "cancelled"


def test_too_large_and_cancelled_is_cancelled(asked, monkeypatch):
    monkeypatch.setattr(archives, "ARCHIVE_BYTES_MAX", 100)
    exports._claim(NOON)
    ops.cancel_job(job_id=asked.job_id, actor=SYSTEM, now=NOON)
    exports._fail(asked.pk, "More than that.", NOON)
    assert Job.objects.get(pk=asked.job_id).state == "cancelled"


def test_a_job_that_ends_between_two_locks_stops_nobody(asked, monkeypatch):
    """The worker has read it as queued, and somebody cancels before it begins."""
    advance = ops.advance_job

    def late(**facts):
        ops.cancel_job(job_id=asked.job_id, actor=SYSTEM, now=NOON)
        return advance(**facts)

    monkeypatch.setattr(ops, "advance_job", late)
    assert identity.make_next_export(now=NOON) is None
    asked.refresh_from_db()
    assert (asked.job.state, asked.done_at) == ("cancelled", NOON)


def test_erasing_while_a_copy_is_made_ends_its_job(world, asked):
    exports._claim(NOON)
    customer = world.chidi.customer
    erasing = {"customer_id": customer.pk, "confirm": customer.reference}
    identity.erase_customer(**erasing, **BY)
    assert Job.objects.get(pk=asked.job_id).state == "cancelled"
    exports._finish(asked.pk, BytesIO(b"whole"), 1, NOON)  # type: ignore[arg-type]
    assert not StoredFile.objects.exists()


def test_a_job_that_ended_by_itself_does_not_stop_an_erasure(world, asked):
    ops.finish_job(job_id=asked.job_id, state=JobState.FAILED, now=NOON)
    customer = world.chidi.customer
    erasing = {"customer_id": customer.pk, "confirm": customer.reference}
    assert identity.erase_customer(**erasing, **BY).erased_at == NOON
    asked.refresh_from_db()
    assert (asked.job.state, asked.done_at) == ("failed", NOON)


def test_a_deleted_customer_leaves_no_copy_behind(world, asked):
    made(asked)
    waiting = identity.request_export(customer_id=asked.customer_id, **BY)
    identity.delete_customer(customer_id=asked.customer_id, **BY)
    assert StoredFile.objects.exists() is StoredPiece.objects.exists() is False
    assert Job.objects.get(pk=waiting.job_id).state == "cancelled"
    assert not PersonalExport.objects.exists()


def test_a_damaged_document_is_named_and_keeps_nothing_else_back(world):
    at = live(world)
    whole, broken = (
        identity.add_document(**at, kind="contract", name=name, content=BytesIO(A_PDF))
        for name in ("whole.pdf", "broken.pdf")
    )
    StoredPiece.objects.filter(file=broken.file).delete()
    archive = made(identity.request_export(**at))
    folder = f"{world.chidi.customer.reference}/documents"
    assert archive.read(f"{folder}/{whole.pk}-whole.pdf") == A_PDF
    assert f"{folder}/{broken.pk}-broken.pdf" not in archive.namelist()
    listed = archive.read(f"{folder}/DAMAGED.txt").decode()
    assert f"{broken.pk}-broken.pdf" in listed
    assert "whole.pdf" not in listed


def test_an_archive_has_a_limit(asked, monkeypatch):
    monkeypatch.setattr(archives, "ARCHIVE_BYTES_MAX", 100)
    assert identity.make_next_export(now=NOON) == asked.pk
    job = Job.objects.get(pk=asked.job_id)
    assert (job.state, job.error) == ("failed", "More than 100 bytes are held.")
    assert not StoredFile.objects.exists()


def test_beat_makes_and_forgets(asked):
    assert tasks.make_exports() == asked.pk
    assert tasks.make_exports() == 0


# Faces -------------------------------------------------------------------------


def test_the_api_asks_waits_and_gives(world):
    client, customer = world.api(world.mina), world.chidi.customer
    at = f"/api/v1/customers/{customer.pk}/exports"

    said = client.post(at)
    assert said.status_code == 202
    assert said.json()["state"] == "queued"
    one = f"{at}/{said.json()['id']}"
    waiting = client.get(f"{one}/content")
    assert (waiting.status_code, waiting.json()["code"]) == (409, "export_not_ready")
    identity.make_next_export(now=timezone.now())
    ready = client.get(one).json()
    assert (ready["state"], ready["size_bytes"] > 0) == ("succeeded", True)
    assert client.get(at).json()["results"] == [ready]
    answer = client.get(f"{one}/content")
    content = b"".join(answer.streaming_content)
    assert len(content) == ready["size_bytes"] == int(answer["Content-Length"])
    assert answer["Content-Disposition"].startswith('attachment; filename="C-')
    assert zipfile.ZipFile(BytesIO(content)).testzip() is None
    # Through another customer it is not there, and support may not have it.
    other = f"/api/v1/customers/{world.dayo.customer.pk}/exports/{ready['id']}"
    assert client.get(other).status_code == 404
    assert world.api(world.sola).post(at).status_code == 403


def test_customers_ask_by_the_api_and_take_it_in_the_portal(world):
    client, customer = Api(login(Api(), world.chidi)["access"]), world.chidi.customer
    at = f"/api/v1/customers/{customer.pk}/exports"
    assert client.post(at).status_code == 202
    assert client.post(at.replace(str(customer.pk), str(world.esi.customer.pk))).status_code == 404  # fmt: skip
    identity.make_next_export(now=timezone.now())
    pk = selectors.exports_of(customer.pk)[0].pk
    assert client.get(f"{at}/{pk}/content").status_code == 403


def test_the_portal_asks_for_the_password_each_time(world):
    world.chidi.user.email = "chidi@mail.example"
    world.chidi.user.store("email", now=NOON)
    phone = enter(world.chidi, face="portal", key="portal_sid")
    proof = {"password": world.chidi.password}

    wrong = phone.post("/portal/your-data", {"do": "request", "password": "guess"})
    assert wrong.status_code == 422
    assert not PersonalExport.objects.exists()
    assert (
        phone.post("/portal/your-data", {"do": "request", **proof}).status_code == 302
    )
    assert "being put together" in phone.get("/portal/your-data").content.decode()
    identity.make_next_export(now=timezone.now())
    mail = Message.objects.get(purpose="identity.notice")
    assert (mail.subject_line, mail.recipient) == (
        "Your data is ready",
        world.chidi.user.email,
    )
    pk = selectors.exports_of(world.chidi.customer.pk)[0].pk
    wrong = phone.post("/portal/your-data", {"do": "open", "copy": pk, "password": "x"})
    assert wrong.status_code == 422
    answer: Any = phone.post("/portal/your-data", {"do": "open", "copy": pk, **proof})
    content = b"".join(answer.streaming_content)
    assert zipfile.ZipFile(BytesIO(content)).testzip() is None
    told = AuditEntry.objects.get(action="identity.open_export")
    assert told.actor_label == world.chidi.username

    theirs = identity.request_export(customer_id=world.dayo.customer.pk, **BY)
    for copy in (theirs.pk, "x", ""):
        form = {"do": "open", "copy": copy, **proof}
        assert phone.post("/portal/your-data", form).status_code == 404
    assert phone.post("/portal/your-data", {"do": "sell", **proof}).status_code == 404


def test_the_console_asks_and_gives(world):
    browser, customer = enter(world.mina), world.chidi.customer
    hub = f"/console/customers/{customer.pk}"

    assert browser.post(f"{hub}/export")["Location"] == f"{hub}?tab=copies"
    pk = selectors.exports_of(customer.pk)[0].pk
    assert "Queued" in browser.get(f"/console/copies/{pk}").content.decode()
    identity.make_next_export(now=timezone.now())
    page = browser.get(f"/console/copies/{pk}").content.decode()
    assert f"/console/copies/{pk}/open" in page
    answer: Any = browser.post(f"/console/copies/{pk}/open")
    content = b"".join(answer.streaming_content)
    assert zipfile.ZipFile(BytesIO(content)).testzip() is None
    assert browser.get(f"{hub}?tab=copies").status_code == 200


def test_taking_a_copy_needs_a_fresh_factor(world):
    from apps.identity.models import Session

    export = identity.request_export(customer_id=world.chidi.customer.pk, **BY)
    identity.make_next_export(now=timezone.now())
    client = world.api(world.mina)
    long_ago = timezone.now() - timedelta(hours=1)
    Session.objects.update(mfa_at=long_ago)
    at = f"/api/v1/customers/{world.chidi.customer.pk}/exports/{export.pk}/content"
    answer = client.get(at)
    assert (answer.status_code, answer.json()["code"]) == (403, "step_up_required")
