"""The PDF of a document…"""

import io
import multiprocessing
from datetime import date
from typing import Any

import pytest
from pypdf import PdfReader

from apps.billing import operations, selectors
from apps.billing.documents.render import render_pdf
from apps.billing.models import Invoice
from dotmac.core.money import Money
from tests.billing import world

pytestmark = [pytest.mark.django_db, pytest.mark.integration]

DAY = date(2026, 11, 20)
LONG_NAME = (
    "Adébáyọ̀ Ọlátúnjí & Sons International Telecommunications Trading Company "
    '(Nigeria) Limited "#$\\*_@[x] <b>'
)


def text_of(pdf: bytes) -> str:
    pages = PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text().split()) for page in pages)


def pdf_of(invoice, day=DAY) -> bytes:
    return selectors.invoice_pdf(invoice_id=invoice.pk, day=day)


@pytest.fixture
def invoice(settings):
    settings.OPERATOR_NAME = "Lagoon Networks Ltd"
    settings.OPERATOR_ADDRESS = "14 Marina Road|Lagos Island, Lagos|Nigeria"
    settings.OPERATOR_TAX_NUMBER = "01234567-0001"
    settings.OPERATOR_BANK_DETAILS = "Zenith Bank, Lagoon Networks Ltd|1012345678"
    world.vat()
    owner = world.customer(LONG_NAME, tax_number="BUYER-9", reference="C-000777")
    world.service(
        owner, world.plan("12500", name="Home Fibre 20"), start=date(2026, 11, 15)
    )
    world.service(owner, world.plan("0.333333"), start=date(2026, 10, 1))
    world.bill(DAY)
    return Invoice.objects.get()


def test_says_what_is_owed_by_whom_and_why(invoice):
    text = text_of(pdf_of(invoice))
    for words in (
        "Lagoon Networks Ltd",
        "14 Marina Road",
        "Tax number 01234567-0001",
        "INV-2026-000001",
        "20 Nov 2026",
        "Please pay by 4 Dec 2026",
        "Tax number BUYER-9",
        "Customer C-000777",
        "Home Fibre 20",
        "15 \N{EN DASH} 30 Nov 2026",
        "16 of 30 days of the month",
        "16/30",
        "12,500.00",
        "6,666.67",
        "0.333333",
        "VAT 7.5 %",
        "NGN 6,667.33",
        "NGN 7,167.38",
        "Zenith Bank",
        "Payment reference: INV-2026-000001",
        "Page 1 / 1",
    ):
        assert words in text, words
    assert "& Sons International" in text
    assert "<b>" in text
    assert "CREDITED" not in text


def test_says_how_long_it_is_overdue(invoice):
    assert "Overdue by 1 day" in text_of(pdf_of(invoice, date(2026, 12, 5)))
    assert "Overdue by 10 days" in text_of(pdf_of(invoice, date(2026, 12, 14)))


def test_of_a_credit_note_names_its_invoice_and_reason(invoice):
    note = operations.issue_credit_note(
        invoice_id=invoice.pk,
        reason="Three days without service",
        amount=Money.of("1075.00", "NGN"),
        actor=world.ACTOR,
        now=world.noon(date(2026, 11, 22)),
    )
    text = text_of(pdf_of(note))
    for words in (
        "Credit note",
        "CN-2026-000001",
        "Credits invoice INV-2026-000001",
        "CREDITED TO",
        "Three days without service",
        "NGN 1,075.00",
    ):
        assert words in text, words
    assert "Amount due" not in text
    assert "Zenith Bank" not in text
    reduced = text_of(pdf_of(invoice))
    assert "Credited NGN -1,075.00" in reduced
    assert "NGN 6,092.38" in reduced


def test_of_a_void_invoice_asks_for_nothing(invoice):
    operations.issue_credit_note(
        invoice_id=invoice.pk,
        reason="",
        full=True,
        actor=world.ACTOR,
        now=world.noon(DAY),
    )
    text = text_of(pdf_of(invoice))
    assert "CREDITED" in text
    assert "How to pay" not in text.replace("HOW TO PAY", "How to pay")


def test_runs_over_pages_and_repeats_its_head():
    world.vat()
    owner, plan = world.customer(), world.plan("100", name="Leased port")
    for _ in range(70):
        world.service(owner, plan, start=date(2026, 11, 1))
    world.bill(DAY)
    pdf = pdf_of(Invoice.objects.get())
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]
    assert len(pages) >= 3
    assert all("Monthly price" in page for page in pages[:-1])
    assert f"Page {len(pages)} / {len(pages)}" in pages[-1]
    assert "Amount due" in pages[-1]


def test_is_archival_and_the_same_for_the_same_facts(invoice):
    first, second = pdf_of(invoice), pdf_of(invoice)
    assert first == second
    assert first.startswith(b"%PDF-1.7")
    metadata = PdfReader(io.BytesIO(first)).xmp_metadata
    assert metadata is not None
    xmp = metadata.stream.get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in xmp
    assert "<pdfaid:conformance>B</pdfaid:conformance>" in xmp
    pages: Any = PdfReader(io.BytesIO(first)).pages
    fonts = {
        str(font["/BaseFont"])
        for page in pages
        for font in (f.get_object() for f in page["/Resources"]["/Font"].values())
    }
    assert fonts
    assert all("NotoSans" in name for name in fonts)


def test_keeps_the_seller_as_it_was(invoice, settings):
    settings.OPERATOR_NAME = "Renamed Ltd"
    text = text_of(pdf_of(invoice))
    assert "Lagoon Networks Ltd" in text
    assert "Renamed" not in text


def test_can_be_drawn_in_a_spawned_process(invoice):
    """typst's threads do not survive a fork; workers spawn or import late."""
    from apps.billing.documents.content import document_data

    detail = selectors.invoice_detail(invoice.pk)
    data = document_data(
        invoice=detail.invoice, lines=detail.lines, taxes=detail.taxes, day=DAY
    )
    here = render_pdf(data)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(render_pdf, (data,)) == here
