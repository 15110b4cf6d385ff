"""DELETE of a customer over HTTP: money history keeps it, its absence lets it go."""

import pytest

from apps.billing.models import Invoice, LedgerEntry, Payment
from apps.identity.models import Customer
from tests.billing.owing import bill, pay

pytestmark = [pytest.mark.django_db, pytest.mark.integration]
URL = "/api/v1/customers"
IN_LEDGER = "There are entries in the ledger."


def counts():
    return [
        model.objects.count() for model in (Customer, Invoice, Payment, LedgerEntry)
    ]


@pytest.mark.parametrize(
    ("_case", "happens", "objections"),
    [
        (
            "billed",
            lambda chidi: bill(chidi, 5_000),
            ["There are invoices.", IN_LEDGER],
        ),
        ("paid", lambda chidi: pay(chidi, 5_000), [IN_LEDGER, "There are payments."]),
    ],
)
def test_history_of_money_keeps_the_customer(world, _case, happens, objections):
    chidi = world.chidi.customer
    happens(chidi)
    mina, before = world.api(world.mina), counts()

    answer = mina.delete(f"{URL}/{chidi.pk}")

    body = answer.json()
    assert (answer.status_code, body["code"]) == (409, "customer_has_history")
    assert answer["Content-Type"] == "application/problem+json"
    assert body["objections"] == objections
    assert body["detail"] == " ".join(objections)
    assert counts() == before
    assert mina.get(f"{URL}/{chidi.pk}").status_code == 200


def test_without_any_the_customer_goes(world):
    chidi, dayo = world.chidi.customer, world.dayo.customer
    bill(dayo, 5_000)
    mina = world.api(world.mina)

    assert mina.delete(f"{URL}/{chidi.pk}").status_code == 204
    assert mina.get(f"{URL}/{chidi.pk}").status_code == 404
    assert mina.delete(f"{URL}/{chidi.pk}").status_code == 404
    assert list(Customer.objects.all()) == [dayo]
