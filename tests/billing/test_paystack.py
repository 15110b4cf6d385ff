"""The Paystack client speaks the published protocol and believes only genuine words."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import httpx
import pytest

from apps.billing.gateways import paystack
from apps.billing.gateways.answers import (
    ChargeState,
    GatewayNotConfigured,
    GatewayRefused,
    NoticeRefused,
)
from dotmac.core.http import OutsideUnreachable
from dotmac.devtools.paystack import Behaviour

REFERENCE = "DM-" + "ab" * 16


def open_page(reference: str = REFERENCE, **changes):
    asked = {
        "email": "ada@demo-isp.example",
        "amount_minor": 1_250_000,
        "currency": "NGN",
        "reference": reference,
        "return_url": "http://127.0.0.1:1/portal/pay/return",
    }
    return paystack.open_page(**{**asked, **changes})


def test_opens_a_hosted_page_under_our_reference(gateway):
    page = open_page()

    assert page.reference == REFERENCE
    assert page.url.startswith(f"{gateway.url}/checkout/")
    kept = gateway.book.find(REFERENCE)
    assert (kept.amount, kept.currency) == (1_250_000, "NGN")


def test_reports_a_charge_that_nobody_finished_as_undecided(gateway):
    open_page()

    charge = paystack.find_charge(REFERENCE)

    assert (charge.state, charge.provider_status) == (
        ChargeState.UNDECIDED,
        "abandoned",
    )


def test_reports_a_paid_charge_with_amount_fee_and_time(gateway):
    open_page()
    gateway.pay(REFERENCE)

    charge = paystack.find_charge(REFERENCE)

    assert charge.state == ChargeState.SUCCEEDED
    assert (charge.amount_minor, charge.currency) == (1_250_000, "NGN")
    assert charge.fee_minor == 1_250_000 * 15 // 1000 + 100_00
    assert charge.paid_at is not None
    assert abs(charge.paid_at - datetime.now(UTC)).total_seconds() < 60


def test_reports_a_declined_charge_as_failed(gateway):
    open_page()
    gateway.book.decline(REFERENCE)

    charge = paystack.find_charge(REFERENCE)

    assert (charge.state, charge.message) == (
        ChargeState.FAILED,
        "Declined by the bank",
    )


def test_reports_an_unknown_reference_as_undecided(gateway):
    charge = paystack.find_charge("DM-nobody")

    assert (charge.state, charge.provider_status) == (ChargeState.UNDECIDED, "unknown")


@pytest.mark.parametrize(
    ("_case", "changes", "words"),
    [
        ("a reference used before", {}, "Duplicate Transaction Reference"),
        ("no e-mail", {"email": "nobody", "reference": "DM-1"}, "Invalid Email"),
        ("no amount", {"amount_minor": 0, "reference": "DM-2"}, "Invalid Amount"),
        ("a strange currency", {"currency": "XOF", "reference": "DM-3"}, "not supp"),
    ],
)
def test_raises_what_the_gateway_refuses(gateway, _case, changes, words):
    open_page()

    with pytest.raises(GatewayRefused, match=words):
        open_page(**changes)


def test_takes_an_error_or_silence_for_not_knowing(gateway, settings):
    settings.PAYSTACK_TIMEOUT_S = 0.2
    gateway.behaviour.fail_initialize = 1
    gateway.behaviour.fail_verify = 1
    with pytest.raises(OutsideUnreachable):
        open_page()
    with pytest.raises(OutsideUnreachable):
        paystack.find_charge(REFERENCE)

    gateway.behaviour.hang_initialize_s = gateway.behaviour.hang_verify_s = 0.6
    with pytest.raises(OutsideUnreachable):
        open_page()
    with pytest.raises(OutsideUnreachable):
        paystack.find_charge(REFERENCE)
    assert gateway.book.find(REFERENCE).status == "abandoned"


def test_is_refused_with_another_key(gateway, settings, tmp_path):
    other = tmp_path / "other.key"
    other.write_text("sk_test_other")
    other.chmod(0o600)
    settings.PAYSTACK_SECRET_KEY_PATH = other

    with pytest.raises(GatewayRefused, match="Invalid key"):
        open_page()


@pytest.mark.parametrize("_case", ["missing", "open to others", "empty"])
def test_needs_a_key_file_of_its_own(gateway, settings, tmp_path, _case):
    path = tmp_path / "paystack.key"
    if _case != "missing":
        path.write_text("" if _case == "empty" else "sk_test_x")
        path.chmod(0o644 if _case == "open to others" else 0o600)
    settings.PAYSTACK_SECRET_KEY_PATH = path

    with pytest.raises(GatewayNotConfigured):
        open_page()


def notice(gateway, **changes) -> bytes:
    data = gateway.book.find(REFERENCE).to_data() | changes
    return json.dumps({"event": "charge.success", "data": data}).encode()


def test_reads_a_signed_notice(gateway):
    open_page()
    gateway.book.pay(REFERENCE)
    body, signature = gateway.book.notice_of(gateway.book.find(REFERENCE))

    message = paystack.read_notice(body, signature)

    assert message.kind == "charge.success"
    assert message.charge is not None
    assert message.charge.reference == REFERENCE
    assert message.event_id.startswith("charge.success:")
    assert paystack.read_notice(body, signature.upper()) == message


@pytest.mark.security
@pytest.mark.parametrize(
    "spoil",
    [
        lambda body, sign: (body + b" ", sign(body)),
        lambda body, sign: (body.replace(b"1250000", b"9250000"), sign(body)),
        lambda body, sign: (body, ""),
        lambda body, sign: (body, "é" * 64),
        lambda body, sign: (body, sign(body)[:-1] + "0g"),
        lambda body, sign: (b"x" * 70_000, sign(b"x" * 70_000)),
        lambda body, sign: (b"not json", sign(b"not json")),
        lambda body, sign: (b"[1]", sign(b"[1]")),
        lambda body, sign: (b'{"event": "x"}', sign(b'{"event": "x"}')),
        lambda body, sign: (b"[" * 60_000, sign(b"[" * 60_000)),
    ],
)
def test_refuses_what_is_not_genuine(gateway, spoil):
    open_page()
    body, signature = spoil(notice(gateway), gateway.book.sign)

    with pytest.raises(NoticeRefused):
        paystack.read_notice(body, signature)


@pytest.mark.parametrize(
    "changes", [{"amount": 12.5}, {"amount": True}, {"amount": "12x"}, {"amount": None}]
)
def test_reads_no_charge_out_of_a_malformed_amount(gateway, changes):
    open_page()
    body = notice(gateway, **changes)

    assert paystack.read_notice(body, gateway.book.sign(body)).charge is None


def test_takes_an_instant_without_zone_for_utc(gateway):
    open_page()
    body = notice(gateway, paid_at="2026-11-23T10:00:00", fees=None)

    charge = paystack.read_notice(body, gateway.book.sign(body)).charge

    assert charge is not None
    assert (charge.paid_at, charge.fee_minor) == (
        datetime(2026, 11, 23, 10, tzinfo=UTC),
        0,
    )


def test_serves_a_marked_page_that_pays_without_script(gateway):
    page = open_page()

    shown = httpx.get(page.url)
    paid = httpx.post(page.url, data={"act": "pay"})

    assert "Simulated gateway" in shown.text
    assert "12,500.00 NGN" in shown.text
    assert "<script" not in shown.text
    policy = shown.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "form-action 'self' http://127.0.0.1:1" in policy
    assert paid.status_code == 303
    assert paid.headers["location"] == (
        f"http://127.0.0.1:1/portal/pay/return?trxref={REFERENCE}&reference={REFERENCE}"
    )
    assert gateway.book.find(REFERENCE).status == "success"


def test_declines_lets_try_again_and_abandons(gateway):
    page = open_page()

    httpx.post(page.url, data={"act": "decline"})
    again = httpx.get(page.url)
    left = httpx.post(page.url, data={"act": "abandon"})

    assert "declined" in again.text
    assert left.status_code == 303
    assert gateway.book.find(REFERENCE).status == "failed"
    assert httpx.post(page.url, data={"act": "steal"}).status_code == 400
    assert httpx.get(f"{gateway.url}/checkout/unknown").status_code == 404
    assert httpx.get(f"{gateway.url}/nothing").status_code == 404


def test_charges_another_amount_when_told_to(gateway):
    gateway.book.behaviour = Behaviour(
        charge_instead_minor=5, charge_instead_currency="GHS"
    )
    open_page()
    gateway.pay(REFERENCE)

    charge = paystack.find_charge(REFERENCE)

    assert (charge.amount_minor, charge.currency) == (5, "GHS")


def test_takes_an_answer_about_something_else_for_no_answer(gateway):
    open_page()
    gateway.pay(REFERENCE)
    gateway.behaviour.confuse_references = True

    with pytest.raises(OutsideUnreachable):
        paystack.find_charge(REFERENCE)
    with pytest.raises(OutsideUnreachable):
        open_page("DM-other")


def test_takes_another_server_for_no_answer(gateway, settings):
    settings.PAYSTACK_BASE_URL = f"{gateway.url}/checkout.css#"

    with pytest.raises(OutsideUnreachable):
        open_page()


def test_the_simulator_answers_as_the_documents_say(gateway):
    """Errors of callers who are not ours."""
    url, key = gateway.url, {"Authorization": f"Bearer {gateway.book.secret_key}"}

    assert httpx.get(url).json()["status"] is True
    wrong = httpx.post(f"{url}/transaction/initialize", json={"amount": "1"})
    assert (wrong.status_code, wrong.json()["message"]) == (401, "Invalid key")
    for content in (b"no json", b"[]"):
        answer = httpx.post(
            f"{url}/transaction/initialize", content=content, headers=key
        )
        assert answer.status_code == 400
    bad = {"amount": "1", "email": "x@y.example", "reference": "a b"}
    answer = httpx.post(f"{url}/transaction/initialize", json=bad, headers=key)
    assert answer.json()["message"] == "Invalid reference"
    large = httpx.post(f"{url}/transaction/initialize", content=b"x" * 70_000)
    assert large.status_code == 413
    assert httpx.post(f"{url}/nothing").status_code == 404


def test_the_page_returns_nowhere_when_no_address_was_given(gateway):
    row = gateway.book.initialize(
        {"amount": "500", "email": "x@y.example", "metadata": {"a": 1}}
    )

    page = httpx.post(gateway.page_url(row), data={"act": "pay"})

    assert (page.status_code, "Paid" in page.text) == (200, True)
