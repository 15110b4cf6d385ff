"""A body may name somebody else's thing: that is refused, and nothing is written.

Each line is a body that goes through with one's own id in the place of `?`, so that
what refuses it with a foreign one is whose id it is and nothing else.
"""

import json
import re
from typing import Any

import pytest
import yaml
from django.apps import apps

from apps.billing.models import BillingRun
from apps.identity import operations as identity
from apps.identity.models import Customer
from tests.environment import ROOT
from tests.promises import access_bed as bed_of
from tests.promises.access_rights import holders, lines
from tests.promises.access_table import API
from tests.world import SYSTEM

pytestmark = [pytest.mark.security, pytest.mark.timeout(600)]
NEW = {"kind": "individual", "name": "Zed", "email": "z@x.example"}
CASH = {"amount": {"amount": "10.00", "currency": "NGN"}, "method": "cash"}
NOTE = {"reason": "late", "amount": {"amount": "1.00", "currency": "NGN"}}
BRANCH = {"name": "West", "kind": "branch"}
# Who asks, the route on an object of Esi's, the field of the foreign id, the kind of
# what it names, and the rest of the body ("=kind": Esi's own).
CASES: list[tuple[str, str, str, str, dict[str, Any]]] = [
    ("rita", "POST customers", "unit", "units", NEW),
    ("rita", "PATCH customers/*", "unit", "units", {}),
    ("rita", "PUT customers/*", "unit", "units", NEW),
    ("rita", "POST services", "customer", "customers", {"plan": "=plan"}),
    ("rita", "POST services", "customer", "references", {"plan": "=plan"}),
    ("rita", "POST services", "location", "locations",
     {"customer": "=customers", "plan": "=plan"}),
    ("bola", "POST billing/payments", "customer", "customers", CASH),
    ("bola", "POST billing/payments", "invoice", "invoices",
     {**CASH, "customer": "=customers"}),
    ("bola", "POST billing/credit-notes", "invoice", "invoices", NOTE),
    ("kofi", "POST units", "parent", "units", BRANCH),
    ("kofi", "PUT customers/*/parent", "parent", "relatives", {}),
    ("kofi", "POST customers/*/merges", "duplicate", "relatives", {"reason": "twice"}),
    # Who may see both must not tie one customer's thing to another.
    ("ada", "POST services", "location", "locations",
     {"customer": "=customers", "plan": "=plan"}),
    ("ada", "POST billing/payments", "invoice", "invoices",
     {**CASH, "customer": "=customers"}),
]  # fmt: skip
# Numbers in bodies of routes about somebody's rows that name nobody's thing.
# Work may be given to any colleague.
OWNED = {
    (way, "owner") for way in ("POST customers", "PUT customers/*", "PATCH customers/*")
}
# The operator's own, and a number.
CHANGED = {("PATCH accounts/*", name) for name in ("profile", "pool", "sessions_max")}
NOBODYS = {("POST services", "plan"), ("POST api-keys", "days"), *OWNED, *CHANGED}
REFUSED = {400, 403, 404, 409, 422}


@pytest.fixture
def shelves(bed):
    """Ids by owner and kind; and a billing clerk and a manager of the reseller."""
    world, found = bed.world, {}
    # Nobody merges while bills are made.
    BillingRun.objects.update(finished_at=world.now)
    world.bola = world.hire("bola", "Bola", "billing-clerk", unit_id=world.reseller.pk)
    world.kofi = world.hire("kofi", "Kofi", "manager", unit_id=world.reseller.pk)
    for owner in ("chidi", "esi"):
        customer = Customer.objects.get(pk=bed.of[owner]["customers"])
        relative = identity.register_customer(
            kind="individual", name="Relative", email=f"of-{owner}@mail.example",
            unit_id=customer.unit_id, actor=SYSTEM, now=world.now,
        )  # fmt: skip
        place = identity.add_location(
            customer_id=customer.pk, label="Shop", address="1 Road", actor=SYSTEM,
            now=world.now,
        )  # fmt: skip
        found[owner] = {
            **bed.of[owner], "locations": place.pk, "references": customer.reference,
            "relatives": relative.pk, "plan": world.shop.plan.pk,
        }  # fmt: skip
    return found


def sent(bed, shelves, case, owner):
    """The answer to the body with the id of `owner`."""
    who, route, name, kind, rest = case
    method, address = route.split()
    mine = shelves["esi"]
    body = {
        key: mine[value[1:]] if str(value).startswith("=") else value
        for key, value in rest.items()
    }
    shelf = address.split("/")[0]
    return bed_of.api_of(bed, who).generic(
        method, f"/api/v1/{address.replace('*', str(mine.get(shelf, '')))}",
        json.dumps({**body, name: shelves[owner][kind]}).encode(),
        content_type="application/json", headers={"Idempotency-Key": f"body-{owner}"},
    )  # fmt: skip


def counts():
    """Rows of every table of ours."""
    models = [model for model in apps.get_models() if model._meta.managed]
    return {model._meta.db_table: model._base_manager.count() for model in models}


def names_of(cases):
    return [f"{who} {route} {name} of {kind}" for who, route, name, kind, _ in cases]


@pytest.mark.parametrize("case", CASES, ids=names_of(CASES))
def test_a_foreign_id_in_a_body_is_refused_and_writes_nothing(bed, shelves, case):
    esi = Customer.objects.filter(pk=shelves["esi"]["customers"])
    with bed_of.standing() as undo, bed_of.decided_only():
        # What makes the token is a row of its own.
        bed_of.api_of(bed, case[0])
        own = sent(bed, shelves, case, "esi")
        assert own.status_code in {200, 201, 202}, own.content
        undo()
        before, row = counts(), esi.values().get()
        answer = sent(bed, shelves, case, "chidi")
        after = counts()
        assert answer.status_code in REFUSED, answer.content
        # The sign-in that asked, and nothing else.
        assert after.pop("identity_session") == before.pop("identity_session") + 1
        assert after == before
        assert esi.values().get() == row
        undo()


def test_every_id_in_a_body_about_somebodys_rows_is_tried():
    """From the committed description: a new field fails until it has its line."""
    described = yaml.safe_load((ROOT / "docs/openapi.yaml").read_text())
    schemas, found = described["components"]["schemas"], set()
    routes = {
        (method.upper(), re.sub(r"{\w+}", "*", path.removeprefix("/api/v1/"))): says
        for path, methods in described["paths"].items()
        for method, says in methods.items()
    }
    for method, address, permission in lines(API):
        if method in {"GET", "DELETE"} or holders(permission)[1] != "rows":
            continue
        body = routes[(method, address)].get("requestBody")
        if body is None:
            continue
        schema = next(iter(body["content"].values()))["schema"]
        if "$ref" in schema:
            schema = schemas[schema["$ref"].rsplit("/", 1)[1]]
        for name, says in schema.get("properties", {}).items():
            if says.get("type") == "integer" or "oneOf" in says:
                found.add((f"{method} {address}", name))
    tried = {(route, name) for _who, route, name, _kind, _rest in CASES}
    assert found - NOBODYS == tried
    assert found >= NOBODYS
