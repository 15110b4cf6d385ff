"""A customer and its duplicate, with everything that a customer can have."""

from io import BytesIO
from typing import Any

from django.utils import timezone

from apps.billing import operations as billing
from apps.identity import operations as identity
from dotmac.core.money import Money
from tests.billing.owing import bill
from tests.console.lines import put_on_line
from tests.identity.papers import A_PDF
from tests.world import NOON, SYSTEM

BY: dict[str, Any] = {"actor": SYSTEM, "now": NOON}


def survivor_of(world):
    """The survivor: known, with a contact and a tag of its own."""
    customer = world.chidi.customer
    identity.make_tag(slug="vip", name="VIP", colour="amber", **BY)
    identity.make_tag(slug="school", name="School", colour="blue", **BY)
    identity.tag_customers(customer_ids=[customer.pk], add=["vip"], **BY)
    identity.add_contact(
        customer_id=customer.pk,
        name="Ify",
        phone="0803 111 2222",
        is_primary=True,
        **BY,
    )
    return customer


def twin_of(world):
    """Registered again by somebody else: with everything that a customer can have."""
    person = world.dayo
    at: dict[str, Any] = {"customer_id": person.customer.pk, **BY}
    identity.add_contact(**at, name="Ola", email="ola@mail.example", is_primary=True)
    identity.add_location(**at, label="Shop", address="1 Marina")
    identity.write_note(**at, text="Came by the radio.")
    identity.add_document(**at, kind="contract", name="c.pdf", content=BytesIO(A_PDF))
    identity.tag_customers(
        customer_ids=[person.customer.pk], add=["vip", "school"], **BY
    )
    put_on_line(world, person, now=timezone.now())
    bill(person.customer, 900_000)
    billing.record_payment(
        customer_id=person.customer.pk,
        amount=Money(900_000, "NGN"),
        method="cash",
        **BY,
    )
    person.customer.refresh_from_db()
    return person.customer


def merge(duplicate, survivor, **facts):
    return identity.merge_customers(
        duplicate_id=duplicate.pk, survivor_id=survivor.pk, **{**BY, **facts}
    )
