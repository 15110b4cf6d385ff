"""Papers of customers: kept sealed, judged by their bytes, opened on the record."""

from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.errors import (
    CustomerClosed,
    DocumentEmpty,
    DocumentTooLarge,
    DocumentTypeRefused,
    FileBroken,
)
from apps.identity.models import CustomerDocument, StoredFile, StoredPiece
from apps.identity.models.files import PIECE_BYTES
from apps.identity.operations import documents as ops_of
from apps.identity.rules.documents import FORMATS, file_name, format_of
from apps.ops.models import AuditEntry
from dotmac.core.errors import InvalidInput, NotFound
from tests.identity.papers import A_JPEG, A_PDF, A_PNG, A_WEBP
from tests.sessions import enter
from tests.world import NOON, SYSTEM, Api, login

pytestmark = pytest.mark.django_db
BY: dict[str, Any] = {"actor": SYSTEM, "now": NOON}


@pytest.fixture
def keep(world):
    """keep(content, **facts): a paper of Chidi's."""

    def keep(content=A_PDF, who=world.chidi, **facts):
        said = {"kind": "contract", "name": "contract.pdf", **BY, **facts}
        return identity.add_document(
            customer_id=who.customer.pk, content=BytesIO(content), **said
        )

    return keep


def long_pdf(pieces=3, filling=b"x"):
    """A file of more pieces than one."""
    return A_PDF[:-6] + b"%" + filling * (PIECE_BYTES * pieces) + b"\n%%EOF\n"


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (A_PDF, "application/pdf"), (A_JPEG, "image/jpeg"), (A_PNG, "image/png"),
        (A_WEBP, "image/webp"), (A_PNG + b"<script>alert(1)</script>", None),
        (A_JPEG + b"PK\x03\x04", None), (A_WEBP + b"trailing", None),
        (A_PDF + b"\x00" * 2000 + b"<html>", None), (b"MZ" + bytes(99), None),
        (b"<html><script>1</script>", None), (b"GIF89a" + bytes(50), None),
        (b"%PDF-1.4 without an end", None), (b"x", None),
    ],
)  # fmt: skip
def test_the_bytes_say_what_a_file_is(content, media_type):
    found = format_of(content)
    assert (found and found.media_type) == media_type


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("../../etc/passwd", "passwd.pdf"), ("C:\\temp\\bill.exe", "bill.pdf"),
        ('a"\r\nSet-Cookie: x.pdf', "a Set-Cookie x.pdf"), ("....", "document.pdf"),
        ("", "document.pdf"), ("été.PDF", "été.pdf"), ("n" * 300, "n" * 100 + ".pdf"),
        ("bill\u202efdp.exe", "bill fdp.pdf"),
    ],
)  # fmt: skip
def test_a_name_is_made_harmless(said, kept):
    assert file_name(said, FORMATS["application/pdf"]) == kept


def test_what_is_kept_comes_back_whole_and_on_the_record(keep):
    content = long_pdf()
    document = keep(content, name="../Contract of Chidi.exe")

    opened = identity.open_document(document_id=document.pk, **BY)

    assert opened.content == content
    assert (opened.name, opened.media_type) == (
        "Contract of Chidi.pdf",
        "application/pdf",
    )
    assert StoredPiece.objects.count() == 4
    rows = AuditEntry.objects.filter(subject_kind="document").order_by("pk")
    assert list(rows.values_list("action", "subject_label")) == [
        ("identity.add_document", "Contract"),
        ("identity.open_document", "Contract"),
    ]
    assert set(rows.values_list("customer_id", flat=True)) == {document.customer_id}


def test_the_database_shows_no_byte_of_it(keep):
    keep(long_pdf())
    for sealed in StoredPiece.objects.values_list("sealed", flat=True):
        assert b"PDF" not in bytes(sealed)
        assert b"xxxx" not in bytes(sealed)


def test_a_piece_of_another_file_or_a_missing_one_is_noticed(keep):
    document, other = keep(long_pdf()), keep(long_pdf(filling=b"y"))
    mine = StoredPiece.objects.filter(file=document.file).order_by("number")
    theirs = StoredPiece.objects.filter(file=other.file).order_by("number")

    # A piece sealed for its own row, hung into another file: the sum tells.
    piece, foreign = mine[1], theirs[1]
    StoredPiece.objects.filter(pk=piece.pk).delete()
    StoredPiece.objects.filter(pk=foreign.pk).update(file=document.file)
    with pytest.raises(FileBroken):
        identity.open_document(document_id=document.pk, **BY)
    with pytest.raises(FileBroken):
        identity.open_document(document_id=other.pk, **BY)


def test_sealed_bytes_of_another_row_are_noticed(keep):
    document, other = keep(), keep(A_PNG)
    stolen = StoredPiece.objects.get(file=other.file).sealed
    StoredPiece.objects.filter(file=document.file).update(sealed=stolen)
    with pytest.raises(FileBroken):
        identity.open_document(document_id=document.pk, **BY)
    digest = StoredFile.objects.get(pk=document.file_id).digest
    StoredFile.objects.filter(pk=other.file_id).update(digest=digest)
    with pytest.raises(FileBroken):
        identity.open_document(document_id=other.pk, **BY)


def test_refuses_what_cannot_be_kept(keep, world, monkeypatch):
    for content, error in (
        (b"", DocumentEmpty),
        (A_PDF + b" " * ops_of.DOCUMENT_BYTES_MAX, DocumentTooLarge),
        (b"#!/bin/sh\nrm -rf /", DocumentTypeRefused),
    ):
        with pytest.raises(error) as refused:
            keep(content)
        assert refused.value.field == "file"
    with pytest.raises(InvalidInput) as refused:
        keep(kind="passport")
    assert refused.value.field == "kind"
    with pytest.raises(NotFound):
        identity.add_document(
            customer_id=0, kind="other", name="x", content=BytesIO(A_PDF), **BY
        )
    keep()
    monkeypatch.setattr(ops_of, "DOCUMENTS_MAX", 1)
    with pytest.raises(InvalidInput, match="At most 1"):
        keep()
    identity.close_customer(customer_id=world.dayo.customer.pk, **BY)
    with pytest.raises(CustomerClosed):
        keep(who=world.dayo)
    assert (CustomerDocument.objects.count(), StoredFile.objects.count()) == (1, 1)


def test_describes_and_removes(keep):
    document = keep()
    facts = {"document_id": document.pk, **BY}
    identity.change_document(**facts, kind="identity")
    changed = identity.change_document(**facts, in_portal=True, kind="identity")
    identity.change_document(**facts)
    assert (changed.kind, changed.in_portal) == ("identity", True)
    with pytest.raises(InvalidInput):
        identity.change_document(**facts, kind="passport")
    said = AuditEntry.objects.filter(action="identity.change_document")
    assert [row.changes for row in said.order_by("pk")] == [
        {"fields": ["kind"]},
        {"fields": ["in_portal"]},
    ]

    identity.remove_document(**facts)
    assert StoredFile.objects.exists() is StoredPiece.objects.exists() is False
    with pytest.raises(NotFound):
        identity.remove_document(**facts)


def test_a_deleted_customer_leaves_no_file_behind(world, keep):
    keep()
    identity.delete_customer(customer_id=world.chidi.customer.pk, **BY)
    assert StoredFile.objects.exists() is StoredPiece.objects.exists() is False


# The API -----------------------------------------------------------------------


def form(content=A_PDF, name="contract.pdf", **facts):
    file = SimpleUploadedFile(name, content, content_type="text/html")
    return encode_multipart(BOUNDARY, {"file": file, "kind": "contract", **facts})


def at(customer, rest=""):
    return f"/api/v1/customers/{customer.pk}/documents{rest}"


def send(client, customer, body, **headers):
    # Not `post`: that would encode once more what is encoded.
    return client.generic(
        "POST", at(customer), body, MULTIPART_CONTENT, headers=headers
    )


def test_the_api_keeps_lists_and_gives_back(world):
    client, customer = world.api(world.sola), world.chidi.customer
    content = long_pdf(15)  # more than other bodies may have

    made = send(client, customer, form(content, "x.html", in_portal="true"))

    assert made.status_code == 201, made.content
    said = made.json()
    assert (said["name"], said["media_type"], said["size_bytes"]) == (
        "x.pdf",
        "application/pdf",
        len(content),
    )
    assert (said["by"], said["in_portal"]) == ("sola", True)
    [row] = client.get(at(customer)).json()["results"]
    assert row == client.get(at(customer, f"/{said['id']}")).json() == said
    answer = client.get(at(customer, f"/{said['id']}/content"))
    assert answer.content == content
    assert answer["Content-Disposition"] == 'attachment; filename="x.pdf"'
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["Cache-Control"] == "private, no-store"
    changed = client.patch(at(customer, f"/{said['id']}"), {"kind": "identity"})
    assert changed.json()["kind"] == "identity"
    assert client.delete(at(customer, f"/{said['id']}")).status_code == 403
    mina = world.api(world.mina)
    assert mina.delete(at(customer, f"/{said['id']}")).status_code == 204
    assert client.get(at(customer, f"/{said['id']}")).status_code == 404


def test_the_same_upload_twice_is_one_paper(world):
    client, customer = world.api(world.sola), world.chidi.customer
    key = {"Idempotency-Key": "upload-1"}
    content = long_pdf(15)
    first, again = (send(client, customer, form(content), **key) for _ in range(2))
    assert first.json() == again.json()
    assert again["Idempotent-Replay"] == "true"
    assert CustomerDocument.objects.count() == 1
    other = send(client, customer, form(A_PNG), **key)
    assert other.status_code == 422


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        (form(b"MZ" + bytes(50)), 400, "document_type", "file"),
        (form(b""), 400, "document_empty", "file"),
        (form(A_PDF + b" " * 5_000_000), 400, "document_too_large", "file"),
        (form(A_PDF + b" " * 5_400_000), 413, "body_too_large", None),
        (form(kind="passport"), 400, "invalid", "kind"),
        (encode_multipart(BOUNDARY, {"kind": "other"}), 400, "invalid", "file"),
        (b"no form at all", 400, "invalid", None),
    ],
)
def test_bad_uploads_are_told_what_is_wrong(world, body, status, code, field):
    answer = send(world.api(world.sola), world.chidi.customer, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    if field:
        assert field in [each["field"] for each in answer.json()["errors"]]
    assert not CustomerDocument.objects.exists()


def test_json_is_no_upload_and_a_form_no_change(world, keep):
    client, customer, document = world.api(world.sola), world.chidi.customer, keep()
    assert client.post(at(customer), {"kind": "other"}).status_code == 415
    answer = client.patch(at(customer, f"/{document.pk}"), form(), MULTIPART_CONTENT)
    assert answer.status_code == 415


def test_customers_reach_what_is_meant_for_them(world, keep):
    shown, hidden = keep(in_portal=True), keep()
    theirs = keep(who=world.esi, in_portal=True)
    client = Api(login(Api(), world.chidi)["access"])
    mine = world.chidi.customer

    assert [r["id"] for r in client.get(at(mine)).json()["results"]] == [shown.pk]
    assert client.get(at(mine, f"/{hidden.pk}/content")).status_code == 404
    assert client.get(at(mine, f"/{theirs.pk}/content")).status_code == 404
    assert client.get(at(world.esi.customer)).status_code == 404
    assert client.get(at(mine, f"/{shown.pk}/content")).content == A_PDF
    made = send(client, mine, form(A_PNG, "me.png", kind="identity"))
    assert made.json()["in_portal"] is True
    # A paper of one customer is not reached through another.
    sola = world.api(world.sola)
    assert sola.get(at(mine, f"/{theirs.pk}")).status_code == 404


# Console and portal ------------------------------------------------------------


def test_the_console_keeps_and_gives_back(world):
    browser, customer = enter(world.sola), world.chidi.customer
    hub = f"/console/customers/{customer.pk}"
    file = SimpleUploadedFile("contract.pdf", A_PDF)

    asked = browser.get(f"{hub}/add-document").content.decode()
    assert 'enctype="multipart/form-data"' in asked
    done = browser.post(f"{hub}/add-document", {"file": file, "kind": "contract"})
    assert done["Location"] == f"{hub}?tab=documents"

    document = CustomerDocument.objects.get()
    assert "contract.pdf" in browser.get(f"{hub}?tab=documents").content.decode()
    assert "Document: Contract" in browser.get(f"{hub}?tab=history").content.decode()
    answer = browser.post(f"/console/documents/{document.pk}/open")
    assert answer.content == A_PDF
    assert answer["Content-Disposition"].startswith("attachment")
    bad = SimpleUploadedFile("contract.pdf", b"<html>")
    refused = browser.post(f"{hub}/add-document", {"file": bad, "kind": "contract"})
    assert refused.status_code == 422
    assert "Only whole PDF" in refused.content.decode()
    empty = SimpleUploadedFile("contract.pdf", b"")
    refused = browser.post(f"{hub}/add-document", {"file": empty, "kind": "contract"})
    assert "The file is empty" in refused.content.decode()


def test_the_portal_shows_takes_and_gives_back(world, keep):
    shown = keep(in_portal=True)
    hidden, theirs = keep(name="internal.pdf"), keep(who=world.dayo, in_portal=True)
    phone = enter(world.chidi, face="portal", key="portal_sid")

    page = phone.get("/portal/papers").content.decode()
    assert "contract.pdf" in page
    assert "internal.pdf" not in page
    answer = phone.post("/portal/papers", {"do": "open", "document": shown.pk})
    assert (answer.content, answer["Content-Type"]) == (A_PDF, "application/pdf")
    for pk in (hidden.pk, theirs.pk, 0, "x", "9" * 30):
        form = {"do": "open", "document": pk}
        assert phone.post("/portal/papers", form).status_code == 404

    file = SimpleUploadedFile("me.png", A_PNG)
    sent = phone.post("/portal/papers", {"do": "add", "kind": "identity", "file": file})
    assert sent.status_code == 302
    mine = selectors.documents_of(world.chidi.customer.pk)[0]
    assert (mine.file.name, mine.in_portal, mine.actor_kind) == (
        "me.png",
        True,
        "customer",
    )
    bad = SimpleUploadedFile("me.png", b"<html>")
    for body, says in (
        ({"do": "add", "kind": "identity", "file": bad}, "Only whole PDF"),
        ({"do": "add", "kind": "identity"}, "Choose a file"),
    ):
        refused = phone.post("/portal/papers", body)
        assert refused.status_code == 422
        assert says in refused.content.decode()
    assert phone.post("/portal/papers", {"do": "burn"}).status_code == 404


def test_a_form_of_a_page_has_a_limit_too(world):
    phone = enter(world.chidi, face="portal", key="portal_sid")
    file = SimpleUploadedFile("me.pdf", A_PDF + b" " * 5_400_000)
    answer = phone.post("/portal/papers", {"do": "add", "kind": "other", "file": file})
    assert answer.status_code == 413
