"""Only listed fields change, filters walk no relation, refusals tell nothing."""

import statistics
import time
from typing import Any

import pytest
from django.urls import resolve

from apps.identity.models import AccessRuleStep
from dotmac.gateway import api
from tests.promises import access_bed as bed_of
from tests.promises.test_access_matrix import objects_of
from tests.promises.test_api_routes import path_of
from tests.world import SYSTEM

pytestmark = [pytest.mark.security, pytest.mark.timeout(600)]

# What each write of the API may set on the row of its own table, by hand.
WRITES = {
    "PATCH customers/*": {"kind", "name", "email", "phone", "unit_id", "address", "city",
                          "region", "postal_code", "country", "tax_number", "source",
                          "owner_id", "custom", "search_text", "updated_at",
                          "duplicate_confirmed"},
    "PUT customers/*": {"kind", "name", "email", "phone", "unit_id", "address", "city",
                        "region", "postal_code", "country", "tax_number", "source",
                        "owner_id", "custom", "search_text", "updated_at",
                        "duplicate_confirmed"},
    "PATCH customers/*/contacts/*": {"name", "role", "email", "phone", "is_primary",
                                     "gets_bills", "gets_outages", "updated_at"},
    "PATCH customers/*/locations/*": {"label", "address", "city", "latitude",
                                      "longitude", "serviceability",
                                      "serviceability_note", "checked_at",
                                      "checked_by", "updated_at"},
    "PATCH customers/*/documents/*": {"kind", "in_portal", "updated_at"},
    "PATCH customers/*/notes/*": {"text", "pinned", "edited_at", "updated_at"},
    "PATCH custom-fields/*": {"name", "choices", "required", "in_list", "in_portal",
                              "archived_at", "updated_at"},
    "PATCH tags/*": {"name", "colour", "updated_at"},
    "PATCH roles/*": {"name", "updated_at"},
    "PATCH units/*": {"time_zone", "updated_at"},
    "PATCH access-rules/*": {"name", "why", "effect", "permissions", "expression",
                             "changed_by", "updated_at"},
    "PATCH nas/*": {"name", "address", "site_id", "vendor", "coa_port", "walled_pool",
                    "redirect_url", "enabled", "ipoe", "secret", "counts_32_bits",
                    "updated_at"},
    "PATCH rate-profiles/*": {"name", "on_limit", "down_kbps", "up_kbps", "burst_down_kbps",
                              "burst_up_kbps", "burst_threshold_down_kbps",
                              "burst_threshold_up_kbps", "burst_s", "sessions_max",
                              "throttled_down_kbps", "throttled_up_kbps", "interim_s",
                              "priority", "idle_s", "session_mb", "policy", "throttled_policy",
                              "updated_at"},
    "PATCH accounts/*": {"profile_id", "pool_id", "mac_lock", "sessions_max", "secret",
                         "updated_at"},
}  # fmt: skip
# Bodies of one name that say one fact anew, which is not a column beside others.
WHOLE = {"PUT customers/*/parent", "PUT customers/*/tags"}
VALID: dict[str, dict[str, Any]] = {
    "customers": {"kind": "business", "name": "New name", "email": "new@x.example"},
    "roles": {"name": "Renamed", "permissions": ["identity.view_customer"]},
    "access-rules": {
        "name": "Renamed", "why": "Because.", "effect": "deny",
        "permissions": ["ops.set_business_date"], "expression": "false",
    },
    "units": {"time_zone": "Africa/Accra"},
    "nas": {"name": "renamed"},
    "rate-profiles": {"name": "Renamed", "on_limit": "replace"},
    "contacts": {"name": "Renamed"},
    "locations": {"address": "2 Marina"},
    "notes": {"text": "Calls by day."},
    "documents": {"kind": "identity"},
    "custom-fields": {"name": "Renamed"},
    "tags": {"name": "Renamed"},
    "accounts": {"mac_lock": "02:00:00:aa:bb:cc"},
}  # fmt: skip


def write_routes():
    for route in api.routes(api.urlpatterns):
        for method in getattr(route.callback, "actions", {}):
            if method in {"put", "patch"}:
                path = path_of(str(route.pattern)).removeprefix("/api/v1/")
                yield f"{method.upper()} {path.replace('999999999', '*')}"


def test_every_change_of_a_row_is_in_the_table():
    assert set(write_routes()) == set(WRITES) | WHOLE


@pytest.mark.parametrize("route", sorted(WRITES))
def test_a_body_with_every_column_changes_only_listed_ones(bed, route):
    method, address = route.split()
    kind = address.split("/")[-2]
    [(_owner, path), *_] = objects_of(bed, address)
    view: Any = resolve(f"/api/v1/{path}").func
    model, pk = view.cls.queryset.model, int(path.rsplit("/", 1)[1])
    # A text that waits for approval is not changed.
    AccessRuleStep.objects.update(outcome="declined", decided_at=bed.world.now)
    before = model.objects.filter(pk=pk).values().get()
    body = {**_every_other_column(model, WRITES[route]), **VALID[kind]}

    answer = bed_of.api_of(bed, "ada").generic(
        method, f"/api/v1/{path}", _json(body), content_type="application/json"
    )

    after = model.objects.filter(pk=pk).values().get()
    changed = {name for name in before if before[name] != after[name]}
    assert answer.status_code == 200, answer.content
    assert changed <= WRITES[route]
    assert changed


def _every_other_column(model, listed):
    """Each column that is not listed, with a value that would hurt."""
    found = {}
    for field in model._meta.concrete_fields:
        if not {field.name, field.attname} & listed:
            found[field.name] = found[field.attname] = 1
    return {**found, "is_superuser": True, "password": "x", "state": "closed",
            "id": 999, "pk": 999, "reference": "C-666666", "slug": "owner"}  # fmt: skip


def _json(body):
    import json

    return json.dumps(body).encode()


@pytest.mark.parametrize("collection", ["customers", "roles", "access-rules", "units"])
def test_a_new_row_takes_no_column_that_is_not_listed(bed, collection):
    client = bed_of.api_of(bed, "ada")
    extra = {"id": 4242, "pk": 4242, "created_at": "2001-01-01T00:00:00Z",
             "reference": "C-666666", "slug": "chosen", "state": "prospect",
             "closed_at": "2001-01-01T00:00:00Z", "changed_by": "nobody"}  # fmt: skip
    bodies: dict[str, dict[str, Any]] = {
        "customers": {"kind": "individual", "name": "Zed", "email": "z@x.example"},
        "roles": VALID["roles"],
        "access-rules": VALID["access-rules"],
        "units": {"name": "West", "kind": "branch", "parent": bed.world.operator.pk},
    }
    answer = client.post(f"/api/v1/{collection}", {**extra, **bodies[collection]})
    made = answer.json()
    assert answer.status_code == 201, made
    assert made["id"] != 4242
    assert not str(made["created_at"]).startswith("2001")
    assert made.get("reference") != "C-666666"
    assert made.get("slug") != "chosen"
    assert made.get("closed_at") is None
    assert made.get("changed_by", "ada") == "ada"


def test_filters_walk_no_relation(bed):
    client = bed_of.api_of(bed, "ada")
    known = str(bed.of["chidi"]["customers"])
    refused, asked = 0, 0
    for route in api.routes(api.urlpatterns):
        if getattr(route.callback, "actions", {}).get("get") != "list":
            continue
        path = path_of(str(route.pattern)).replace("999999999", known)
        for query in (
            "customer__user__password__startswith=a", "user__password__startswith=a",
            "unit__parent__name__contains=a", "id__gt=0", "pk=1", "ordering=-password",
            "password=x", "customer__grants__user__username=ada", "created_at__lt=2027",
            "_rules=1", "unit_id__in=1,2",
        ):  # fmt: skip
            asked += 1
            refused += client.get(f"{path}?{query}").status_code == 400
    assert refused == asked >= 200


def test_a_child_is_reached_through_its_own_parent_only(bed):
    """A step of one rule is not decided through another."""
    from apps.identity import operations as identity

    other = identity.create_rule(
        name="Other", why="x", effect="deny", permissions=["ops.set_business_date"],
        expression="true", actor=SYSTEM, now=bed.world.now,
    )  # fmt: skip
    step = AccessRuleStep.objects.get()
    client = bed_of.api_of(bed, "mina")
    answer = client.post(f"/api/v1/access-rules/{other.pk}/approve", {"step": step.pk})
    assert answer.status_code == 404
    step.refresh_from_db()
    assert step.outcome == "asked"
    answer = client.post(
        f"/api/v1/access-rules/{step.rule_id}/approve", {"step": step.pk}
    )
    assert (answer.status_code, answer.json()["outcome"]) == (200, "approved")


def test_a_foreign_row_and_a_missing_one_look_alike(bed):
    clients = {who: bed_of.api_of(bed, who) for who in ("rita", "chidi")}
    foreign = {"rita": "chidi", "chidi": "esi"}
    compared = 0
    for who, client in clients.items():
        for kind in ("customers", "services", "orders", "billing/invoices",
                     "billing/payments"):  # fmt: skip
            pk = bed.of[foreign[who]][kind.rsplit("/", 1)[-1]]
            theirs = client.get(f"/api/v1/{kind}/{pk}")
            missing = client.get(f"/api/v1/{kind}/999999999")
            first, second = theirs.json(), missing.json()
            first.pop("request_id"), second.pop("request_id")
            assert (theirs.status_code, first) == (missing.status_code, second)
            assert abs(len(theirs.content) - len(missing.content)) <= 12
            compared += 1
    assert compared == 10


def test_a_foreign_row_costs_the_time_of_a_missing_one(bed):
    client, pk = bed_of.api_of(bed, "rita"), bed.of["chidi"]["customers"]
    spent: dict[int, list[float]] = {pk: [], 999_999_999: []}
    for _ in range(200):
        for key, times in spent.items():
            began = time.process_time()
            assert client.get(f"/api/v1/customers/{key}").status_code == 404
            times.append(time.process_time() - began)
    theirs, missing = (statistics.median(times) for times in spent.values())
    assert abs(theirs - missing) < 0.003
