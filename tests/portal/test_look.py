"""Staff see what a customer sees: the same pages, read only, short, told to him."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.identity import operations as identity
from apps.identity.models import PortalLook, Session
from apps.ops.models import AuditEntry
from dotmac.core import portal
from dotmac.core.actors import Actor, ActorKind
from dotmac.core.errors import InvalidInput, NotFound
from dotmac.portal.look import PREFIX
from tests.console.lines import put_on_line
from tests.sessions import enter
from tests.world import NOON, SYSTEM

pytestmark = pytest.mark.django_db


@pytest.fixture
def sola(world):
    return enter(world.sola)


@pytest.fixture
def look(world, sola):
    """look(customer): the browser of Sola, who looks."""

    def look(customer, reason="cannot find the bill"):
        url = f"/console/customers/{customer.pk}/look"
        return sola.post(url, {"reason": reason})

    return look


def bare(page):
    """The page without banner, form tokens and the place of its links."""
    text = page.content.decode()
    text = re.sub(r'<div class="pt-look".*?</form></div>', "", text, flags=re.DOTALL)
    text = re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", text)
    text = re.sub(r'name="key" value="[^"]+"', "", text)
    return text.replace(PREFIX, "/portal/")


def paths():
    """The portal's pages that show the account, without values in their path."""
    shown = [page for page in portal.pages() if page.only_shows]
    plain = [page.path for page in shown if "<" not in page.path]
    return ["", "help", "usage", *plain]


def test_what_is_shown_is_the_customers_own_page(world, sola, look):
    put_on_line(world, world.chidi, now=timezone.now())
    assert look(world.chidi.customer)["Location"] == PREFIX
    own = enter(world.chidi, face="portal", key="portal_sid")

    compared = 0
    for path in paths():
        theirs, seen = own.get(f"/portal/{path}"), sola.get(PREFIX + path)
        assert seen.status_code == theirs.status_code, path
        assert bare(seen) == bare(theirs), path
        compared += 1
        if seen.status_code == 200:
            assert "Nothing can be done here" in seen.content.decode()
            assert 'href="/portal/' not in seen.content.decode()
    assert compared >= 6
    assert sola.get(f"{PREFIX}nothing-here").status_code == 404
    assert sola.get(f"{PREFIX}bills/999999").status_code == 404


def test_no_post_passes_and_no_page_that_acts(world, sola, look):
    look(world.chidi.customer)
    before = AuditEntry.objects.count()

    for path in [*paths(), "choose", "series/usage", "bills/1", "services/1"]:
        for method in ("post", "put", "patch", "delete"):
            answer = getattr(sola, method)(PREFIX + path, {"customer": 1})
            assert answer.status_code in {403, 404, 405}, (method, path)
            if method == "post" and path in paths():
                assert answer.status_code in {403, 405}, path
    personal = ("profile", "security", "devices", "people")
    for path in ("pay/return?reference=x", *personal):
        assert sola.get(f"{PREFIX}{path}").status_code == 403, path
    assert AuditEntry.objects.count() == before
    # Nor does the staff member's session open the customer's own address.
    assert sola.get("/portal/")["Location"].startswith("/portal/sign-in")
    assert sola.post("/portal/pay", {}).status_code == 302
    assert not Session.objects.filter(user=world.chidi.user).exists()


def test_a_page_that_writes_is_stopped_by_the_database(world, sola, look, monkeypatch):
    look(world.chidi.customer)
    page = next(page for page in portal.pages() if page.name == "account")

    def write(_page, **_path):
        identity.write_note(
            customer_id=world.chidi.customer.pk, text="x", actor=SYSTEM, now=NOON
        )
        return {}

    monkeypatch.setattr(page, "context", write)
    assert sola.get(f"{PREFIX}account").status_code == 403
    # The mode ends with the look: the next request writes again.
    assert look(world.chidi.customer).status_code == 302


def test_a_look_begins_and_ends_in_the_audit_and_the_customer_is_told(
    world, sola, look
):
    assert look(world.chidi.customer, reason="").status_code == 422
    look(world.chidi.customer, reason="cannot find the bill")
    hub = f"/console/customers/{world.chidi.customer.pk}"
    sola.post(f"{hub}/end-look")
    sola.post(f"{hub}/end-look")

    assert sola.get(PREFIX)["Location"] == "/console/"
    told = AuditEntry.objects.filter(action__contains="_look").order_by("pk")
    assert [(row.action, row.actor_label, row.customer_id) for row in told] == [
        ("identity.begin_look", "sola", world.chidi.customer.pk),
        ("identity.end_look", "sola", world.chidi.customer.pk),
    ]
    phone = enter(world.chidi, face="portal", key="portal_sid")
    for page in ("/portal/", "/portal/account"):
        assert "cannot find the bill" in phone.get(page).content.decode()
    assert "looked at by staff" in sola.get(f"{hub}?tab=history").content.decode()


def test_a_look_ends_by_itself(world, sola, look):
    look(world.chidi.customer)
    row = PortalLook.objects.get()
    assert row.ends_at - row.started_at == timedelta(minutes=15)
    with pytest.raises(IntegrityError), transaction.atomic():
        PortalLook.objects.update(ends_at=row.ends_at + timedelta(seconds=1))

    assert identity.end_looks(now=row.ends_at - timedelta(seconds=1)) == 0
    ago = timedelta(minutes=20)
    PortalLook.objects.update(
        started_at=row.started_at - ago, ends_at=row.ends_at - ago
    )
    assert sola.get(PREFIX)["Location"] == "/console/"
    assert identity.end_looks(now=timezone.now()) == 1
    assert identity.end_looks(now=timezone.now()) == 0
    ended = AuditEntry.objects.get(action="identity.end_look")
    assert (ended.actor_kind, ended.changes["by"]) == ("system", "sola")


def test_only_who_may_looks_and_only_within_reach(world, look, sola):
    chidi = world.chidi.customer
    for person, status in ((world.femi, 403), (world.nuru, 403), (world.remi, 404)):
        browser = enter(person)
        answer = browser.post(f"/console/customers/{chidi.pk}/look", {"reason": "x"})
        assert answer.status_code == status, person.username
        assert browser.get(PREFIX)["Location"] == "/console/"
    assert PortalLook.objects.exists() is False
    look(chidi)
    # A right that is taken away ends the look with the next page.
    identity.unassign_role(
        user_id=world.sola.id, role_slug="support", unit_id=world.operator.pk,
        actor=SYSTEM, now=NOON,
    )  # fmt: skip
    assert sola.get(PREFIX)["Location"] == "/console/"


def test_a_new_look_ends_the_one_before(world, sola, look):
    look(world.chidi.customer)
    look(world.dayo.customer)

    assert PortalLook.objects.filter(ended_at=None).count() == 1
    assert "Dayo" in sola.get(PREFIX).content.decode()


def test_programs_and_customers_do_not_look(world):
    for actor in (SYSTEM, Actor(kind=ActorKind.STAFF, id=1, label="x")):
        with pytest.raises(InvalidInput):
            identity.begin_look(
                customer_id=world.chidi.customer.pk, reason="x", actor=actor, now=NOON
            )
    with pytest.raises(NotFound):
        identity.begin_look(customer_id=2**40, reason="x", actor=SYSTEM, now=NOON)
    stranger = enter(world.esi, face="portal", key="portal_sid")
    assert stranger.get(PREFIX)["Location"] == "/console/"
