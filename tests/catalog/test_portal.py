"""What customers see of their services."""

from datetime import timedelta

import pytest

from apps.network import operations as network
from apps.network import selectors as network_selectors
from dotmac.core.console.render import rate_text
from tests.catalog.shops import make_active, ordered
from tests.sessions import enter
from tests.world import NOON, SYSTEM

pytestmark = pytest.mark.django_db


def phone(person):
    return enter(person, face="portal", key="portal_sid")


def page(person, path="services"):
    answer = phone(person).get(f"/portal/{path}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_shows_plan_state_and_address(shop, world):
    service = make_active(shop, ordered(shop, world.chidi))
    account = network_selectors.account_view(service.access_id)

    for body in (page(world.chidi), page(world.chidi, "")):
        assert "Home 20" in body
        assert "Active" in body
        assert service.reference in body
    body = page(world.chidi)
    for text in (account.login, *account.addresses, rate_text(20_000_000)):
        assert text in body
    assert service.reference not in page(world.dayo)


def test_says_why_a_line_is_limited_without_our_notes(shop, world):
    service = make_active(shop, ordered(shop, world.chidi))
    shop.do.suspend_service(
        service_id=service.pk,
        reason="non_payment",
        effect="walled_garden",
        note="Third time this year.",
    )
    for body in (page(world.chidi), page(world.chidi, "")):
        assert "A bill is overdue." in body
        assert "Walled garden" in body
        assert "Third time" not in body


def test_says_what_is_being_waited_for_and_what_ended(shop, world):
    waiting = ordered(shop, world.chidi)
    assert "We will connect it soon." in page(world.chidi)
    shop.do.provision_service(service_id=waiting.pk)
    assert "It is being connected now." in page(world.chidi)
    shop.do.terminate_service(service_id=waiting.pk)
    assert "Terminated" in page(world.chidi)
    assert "Your line" not in page(world.chidi, "")


def test_says_when_what_was_paid_is_used_up(shop, world):
    service = make_active(shop, ordered(shop, world.chidi))
    network.change_access(
        account_id=service.access_id,
        expires_at=NOON - timedelta(days=9),
        actor=SYSTEM,
        now=NOON,
    )
    assert "What you paid for is used up." in page(world.chidi)


def test_an_empty_page_has_words(shop, world):
    assert "No service yet." in page(world.esi)


def test_those_who_only_pay_see_no_services(shop, world):
    from apps.identity.models import Membership

    make_active(shop, ordered(shop, world.chidi))
    Membership.objects.filter(user=world.chidi.user).update(rights="billing")

    assert phone(world.chidi).get("/portal/services").status_code in {403, 404}
    assert "Home 20" not in page(world.chidi, "")
