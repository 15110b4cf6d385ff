"""The audit log as people and programs read it."""

from __future__ import annotations

import pytest
from django.utils import timezone

from apps.ops import operations
from apps.ops.models import AuditCheck, AuditEntry, AuditLink
from dotmac.core.actors import system_actor
from dotmac.core.refs import SubjectRef

pytestmark = pytest.mark.integration


@pytest.fixture
def entry(world):
    """One change, in the chain."""
    operations.chain_audit()
    made = operations.record(
        action="tests.plan_changed",
        subject=SubjectRef("tests", "plan", 77, "Home 20"),
        actor=system_actor("tests"),
        now=timezone.now(),
        changes={
            "price_id": [None, 12],
            "public": [True, False],
            "tags": ["a", "b", "c"],
        },
    )
    operations.chain_audit()
    return made


def test_the_api_shows_the_state_of_each_entry(world, entry):
    client = world.api(world.femi)
    found = client.get(f"/api/v1/audit/{entry.pk}").json()["chain"]
    assert (found["state"], found["verified_at"]) == ("chained", None)
    assert len(found["hash"]) == 64

    newest = client.get("/api/v1/audit?page_size=2").json()["results"]
    # The sign-in itself was recorded after the chain was made.
    assert newest[0]["chain"]["state"] == "pending"


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("subject_kind=plan&subject_id=77", 1),
        ("action=tests.plan_changed&actor_kind=system", 1),
        ("action=tests.plan_changed&actor_kind=staff", 0),
        ("action=tests.plan_changed&from=2020-01-01&to=2100-01-01", 1),
        ("action=tests.plan_changed&to=2020-01-01", 0),
        ("address=203.0.113.9", 0),
        ("request_id=nothing-like-it", 0),
    ],
)
def test_the_api_narrows(world, entry, query, count):
    answer = world.api(world.femi).get(f"/api/v1/audit?{query}")
    assert len(answer.json()["results"]) == count


def test_a_day_that_is_none_is_refused(world, entry):
    assert world.api(world.femi).get("/api/v1/audit?from=yesterday").status_code == 400


def test_the_page_shows_before_and_after_in_words(world, entry):
    page = world.console(world.femi).get(f"/console/audit/{entry.pk}").content.decode()
    assert "Price" in page
    assert "price_id" not in page
    assert "<del" in page
    assert ">Yes<" in page
    assert "a, b, c" in page
    assert "Chained" in page


def test_the_list_says_what_was_verified_and_what_is_broken(world, entry):
    browser = world.console(world.femi)
    page = browser.get("/console/audit?q=tests.").content.decode()
    assert ("never" in page, "Chained" in page) == (True, True)

    link = AuditLink.objects.get(pk=entry.pk)
    AuditCheck.objects.create(
        kind="verified", checked_at=timezone.now(), stream="2999-01", sequence=1,
        rows=5, good=True,
    )  # fmt: skip
    assert "Verified" in browser.get("/console/audit?q=tests.").content.decode()

    AuditCheck.objects.create(
        kind="verified", checked_at=timezone.now(), good=False,
        findings=[{"stream": link.stream, "sequence": link.sequence, "says": "Edited!"}],
    )  # fmt: skip
    page = browser.get("/console/audit?q=tests.").content.decode()
    assert "the entry is not what was recorded" in page
    assert "Edited!" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [("subject=plan:77", True), ("subject=Home", True), ("subject=plan:78", False)],
)
def test_the_list_finds_by_what_it_is_about(world, entry, query, found):
    page = world.console(world.femi).get(f"/console/audit?{query}").content.decode()
    assert ("tests.plan_changed" in page) is found


def test_an_entry_leads_to_all_of_its_request(world):
    client = world.api(world.ada)
    client.post(
        "/api/v1/customers",
        {"kind": "individual", "name": "Tobi", "email": "tobi@mail.example"},
        headers={"X-Request-ID": "one-request-of-ada"},
    )
    browser = world.console(world.femi)
    page = browser.get("/console/audit?request=one-request-of-ada").content.decode()
    assert "identity.customer" in page
    made = AuditEntry.objects.filter(request_id="one-request-of-ada").first()
    assert made is not None
    detail = browser.get(f"/console/audit/{made.pk}").content.decode()
    assert "/console/audit?request=one-request-of-ada" in detail
