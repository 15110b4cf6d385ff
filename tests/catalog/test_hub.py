"""What catalog adds to the customer page and to the home of the console."""

import pytest

from apps.catalog import selectors
from apps.catalog.models import Order, OrderItem, Plan, PlanPrice
from tests.catalog.shops import make_active, ordered
from tests.sessions import enter

pytestmark = pytest.mark.django_db


def text_of(browser, path):
    answer = browser.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.content.decode()


def test_the_customer_page_shows_its_services(shop, world):
    active = make_active(shop, ordered(shop, world.chidi))
    shop.do.suspend_service(
        service_id=active.pk, reason="abuse", effect="reject", note="Sends spam."
    )
    other = ordered(shop, world.dayo)
    url = f"/console/customers/{world.chidi.customer.pk}"

    page = text_of(enter(world.sola), url)
    tab = text_of(enter(world.sola), f"{url}?tab=services")

    for body in (page, tab):
        assert active.reference in body
        assert "Sends spam." in body
        assert other.reference not in body
    assert "0 on line now." in page
    assert f"{url}/order" in page


def test_only_those_who_may_order_are_offered_to(shop, world):
    url = f"/console/customers/{world.chidi.customer.pk}"
    assert f"{url}/order" not in text_of(enter(world.bisi), url)
    assert "No service yet: order one." in text_of(enter(world.bisi), url)


def test_the_home_names_what_waits_and_what_to_do_first(shop, world):
    ordered(shop, world.chidi)
    assert "Services wait to be provisioned" in text_of(enter(world.sola), "/console/")


def test_a_customer_with_services_but_no_order_is_kept(shop, world):
    """As bulk loading makes them."""
    ordered(shop, world.chidi)
    assert selectors.objections_to_delete_customer(world.chidi.customer.pk) == [
        "The customer has orders."
    ]
    OrderItem.objects.all().delete()
    Order.objects.all().delete()
    assert selectors.objections_to_delete_customer(world.chidi.customer.pk) == [
        "The customer has services."
    ]
    assert selectors.objections_to_delete_customer(world.dayo.customer.pk) == []


def test_rows_name_themselves(shop, world):
    service = ordered(shop, world.chidi)
    item, price = OrderItem.objects.get(), PlanPrice.objects.get()

    assert str(item) == f"{item.order_id}: {service.pk}"
    assert str(Plan.objects.get()) == "Home 20"
    assert str(price).startswith(f"{shop.plan.pk} 15000")
