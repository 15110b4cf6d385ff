"""One id through the answer, the log, the audit and what a worker is told."""

import pytest

from apps.ops.models import AuditEntry, OutboxEvent
from dotmac.core.telemetry import (
    new_traceparent,
    read_traceparent,
    request_id_var,
    trace_id_var,
)

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
GOOD = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.unit
@pytest.mark.parametrize("text", [GOOD, f"cc-{TRACE}-{SPAN}-01-what-comes-later"])
def test_reads_a_well_formed_traceparent(text):
    assert read_traceparent(text) == TRACE


@pytest.mark.unit
@pytest.mark.security
@pytest.mark.parametrize(
    "text",
    [
        "",
        "00",
        GOOD.upper(),
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"{GOOD}\n",
        f"{GOOD}\r\nX-Admin: 1",
        f"00-{TRACE[:-1]}g-{SPAN}-01",
        f"01-{TRACE}-{SPAN}-01-{'x' * 5000}",
        "'; DROP TABLE audit; --",
        "\u0660\u0660-" + GOOD[3:],
    ],
)
def test_ignores_a_hostile_one(text):
    assert read_traceparent(text) == ""


@pytest.mark.unit
def test_what_goes_on_is_the_same_trace_with_a_span_of_its_own():
    assert new_traceparent() == ""
    token = trace_id_var.set(TRACE)
    try:
        first, second = new_traceparent(), new_traceparent()
    finally:
        trace_id_var.reset(token)
    assert read_traceparent(first) == read_traceparent(second) == TRACE
    assert first != second


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"X-Request-ID": "my-request-0001"}, "my-request-0001"),
        ({"traceparent": GOOD}, TRACE),
        ({"traceparent": GOOD, "X-Request-ID": "my-request-0002"}, "my-request-0002"),
        ({"traceparent": "rubbish", "X-Request-ID": "no\tgood"}, None),
    ],
)
def test_one_id_in_four_places(world, caplog, headers, expected):
    caplog.set_level("INFO")
    sola = world.api(world.sola)
    caplog.clear()
    body = {"kind": "individual", "name": "A", "email": "a@example.com"}

    answer = sola.post("/api/v1/customers", body, headers=headers)

    found = answer["X-Request-ID"]
    assert answer.status_code == 201
    assert expected in {found, None}
    assert len(found) in {32, len(expected or "")}
    assert AuditEntry.objects.latest("pk").request_id == found
    assert OutboxEvent.objects.latest("pk").request_id == found
    (line,) = [r.msg for r in caplog.records if r.name == "dotmac.request"]
    assert line["request_id"] == found
    assert line.get("trace_id") == (
        TRACE if headers.get("traceparent") == GOOD else None
    )
    refused = sola.post("/api/v1/customers", {}, headers=headers)
    assert refused.json()["request_id"] == refused["X-Request-ID"]
    assert request_id_var.get() == ""
    assert trace_id_var.get() == ""
