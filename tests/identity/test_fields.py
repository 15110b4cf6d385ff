"""The operator's own fields and tags: defined, filled in, found, exported."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from apps.identity import operations as identity
from apps.identity.errors import SlugTaken
from apps.identity.models import Customer, CustomerChange, CustomerTag, CustomField, Tag
from apps.identity.operations import fields, tagging
from apps.identity.rules.fields import ValueRefused, stored_value
from apps.ops.models import AuditEntry
from dotmac.core.errors import InvalidInput, NotFound
from tests.world import NOON, SYSTEM

pytestmark = pytest.mark.django_db
BY: dict[str, Any] = {"actor": SYSTEM, "now": NOON}
BODY: dict[str, Any] = {
    "kind": "business",
    "name": "Ngozi Ltd",
    "phone": "0803 555 0001",
}


@pytest.fixture
def define():
    def define(slug, kind, **facts):
        return identity.define_field(slug=slug, name=slug, kind=kind, **facts, **BY)

    return define


@pytest.mark.parametrize(
    ("kind", "given", "stored"),
    [
        ("text", "  a   b ", "a b"),
        ("text", 12, "12"),
        ("number", "012.500", "12.5"),
        ("number", 3, "3"),
        ("number", "-0.0", "0"),
        ("number", "1e3", "1000"),
        ("date", "2026-11-30", "2026-11-30"),
        ("choice", "red", "red"),
        ("boolean", True, True),
        ("boolean", "False", False),
    ],
)
def test_a_value_has_one_written_form(kind, given, stored):
    assert stored_value(kind, ["red"], given) == stored


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("text", "x" * 301),
        ("text", "\x00"),
        ("text", ["a"]),
        ("text", True),
        ("number", "NaN"),
        ("number", "Infinity"),
        ("number", "1e999999999"),
        ("number", "9" * 31),
        ("number", "twelve"),
        ("date", "30.11.2026"),
        ("choice", "blue"),
        ("boolean", "maybe"),
        ("boolean", 1),
    ],
)
def test_what_is_no_value_is_refused(kind, given):
    with pytest.raises(ValueRefused):
        stored_value(kind, ["red"], given)


def test_definitions_are_judged(define, monkeypatch):
    define("nin", "text")
    with pytest.raises(SlugTaken):
        define("nin", "date")
    for slug, kind, facts in (
        ("NIN", "text", {}),
        ("1a", "text", {}),
        ("a", "colour", {}),
        ("a", "text", {"choices": ["x"]}),
        ("a", "choice", {}),
        ("a", "choice", {"choices": ["x" * 81]}),
        ("a", "text", {"owner": 1}),
    ):
        with pytest.raises(InvalidInput):
            define(slug, kind, **facts)
    monkeypatch.setattr(fields, "FIELDS_MAX", 1)
    with pytest.raises(InvalidInput):
        define("b", "text")
    rows = CustomField.objects.all()
    for change in ({"slug": "A b"}, {"choices": ["x"]}):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**change)
    assert rows.get().slug == "nin"


def test_values_are_judged_and_kept_with_their_history(world, define):
    define("nin", "text", required=True)
    define("floor", "number")
    field = define("line", "choice", choices=["fibre", "radio"])
    with pytest.raises(InvalidInput) as refused:
        identity.register_customer(**BODY, **BY)
    assert refused.value.field == "custom.nin"

    row = identity.register_customer(**BODY, custom={"nin": "123", "floor": "04"}, **BY)
    assert row.custom == {"nin": "123", "floor": "4"}
    change = {"customer_id": row.pk, **BY}
    identity.change_customer(
        changes={"custom": {"line": "radio", "floor": None}}, **change
    )
    row.refresh_from_db()
    assert row.custom == {"nin": "123", "line": "radio"}
    kept = CustomerChange.objects.filter(customer=row).order_by("field")
    assert [(one.field, one.before, one.after) for one in kept] == [
        ("custom floor", "4", ""),
        ("custom line", "", "radio"),
    ]
    identity.archive_field(field_id=field.pk, **BY)
    for bad in ({"nin": ""}, {"ghost": "x"}, {"line": "fibre"}, {"floor": "x"}):
        with pytest.raises(InvalidInput):
            identity.change_customer(changes={"custom": bad}, **change)
    identity.archive_field(field_id=field.pk, archived=False, **BY)
    identity.change_customer(changes={"custom": {"line": "fibre"}}, **change)
    row.refresh_from_db()
    assert row.custom["line"] == "fibre"


def test_archiving_again_keeps_the_first_time(define):
    field = define("nin", "text")
    later = NOON + timedelta(days=1)
    for now in (NOON, later):
        identity.archive_field(field_id=field.pk, actor=SYSTEM, now=now)
    field.refresh_from_db()
    assert field.archived_at == NOON
    for _ in range(2):
        identity.archive_field(field_id=field.pk, archived=False, **BY)
    field.refresh_from_db()
    assert field.archived_at is None
    told = AuditEntry.objects.filter(action="identity.archive_field").order_by("pk")
    assert [entry.changes for entry in told] == [
        {"archived": True},
        {"archived": False},
    ]


def test_tags_are_bounded_and_keep_their_slug(monkeypatch):
    monkeypatch.setattr(fields, "TAGS_MAX", 1)
    tag = identity.make_tag(slug="vip", name="VIP", colour="red", **BY)
    with pytest.raises(InvalidInput, match="At most 1 tags") as refused:
        identity.make_tag(slug="late", name="Late", colour="red", **BY)
    assert refused.value.field == "slug"
    with pytest.raises(InvalidInput) as refused:
        identity.change_tag(
            tag_id=tag.pk, changes={"slug": "late", "name": "Late"}, **BY
        )
    assert refused.value.field == "slug"
    kept = Tag.objects.get()
    assert (kept.slug, kept.name) == ("vip", "VIP")


def test_a_tag_changed_to_what_it_is_is_not_written_down():
    tag = identity.make_tag(slug="vip", name="VIP", colour="red", **BY)
    same = identity.change_tag(tag_id=tag.pk, changes={"name": "VIP"}, **BY)

    assert same.updated_at == tag.updated_at
    assert not AuditEntry.objects.filter(action="identity.change_tag").exists()


def test_a_bulk_has_a_bounded_size(world, monkeypatch):
    monkeypatch.setattr(tagging, "CUSTOMERS_MAX", 1)
    identity.make_tag(slug="vip", name="VIP", colour="red", **BY)
    both = [world.chidi.customer.pk, world.dayo.customer.pk]
    with pytest.raises(InvalidInput, match="At most 1 customers"):
        identity.tag_customers(customer_ids=both, add=["vip"], **BY)
    assert CustomerTag.objects.exists() is False
    assert identity.tag_customers(customer_ids=both[:1], add=["vip"], **BY) == 1


def test_tags_are_stuck_in_bulk_and_repeatably(world):
    for slug in ("vip", "late"):
        identity.make_tag(slug=slug, name=slug.upper(), colour="red", **BY)
    both = [world.chidi.customer.pk, world.dayo.customer.pk]

    assert identity.tag_customers(customer_ids=both, add=["vip"], **BY) == 2
    assert identity.tag_customers(customer_ids=both, add=["vip"], **BY) == 0
    assert identity.set_tags(customer_id=both[0], tags=["late"], **BY) == 1
    with pytest.raises(InvalidInput):
        identity.tag_customers(customer_ids=both, add=["ghost"], **BY)
    with pytest.raises(NotFound):
        identity.tag_customers(customer_ids=[*both, 2**40], add=["late"], **BY)
    held = CustomerTag.objects.order_by("customer_id").values_list("tag__slug")
    assert [slug for (slug,) in held] == ["late", "vip"]
    for bad in ({"slug": "V P"}, {"colour": "pink"}, {"name": ""}):
        facts: dict[str, Any] = {"slug": "x", "name": "X", "colour": "red", **bad}
        with pytest.raises(InvalidInput):
            identity.make_tag(**facts, **BY)
    with pytest.raises(SlugTaken):
        identity.make_tag(slug="vip", name="X", colour="red", **BY)
    gone = Tag.objects.get(slug="vip").pk
    for _ in range(2):
        identity.remove_tag(tag_id=gone, **BY)
    assert CustomerTag.objects.count() == 1


def test_fields_and_tags_through_the_api(world):
    ada = world.api(world.ada)
    field = ada.post(
        "/api/v1/custom-fields",
        {"slug": "line", "name": "Line", "kind": "choice", "choices": ["fibre", "lte"]},
    )
    assert field.status_code == 201, field.content
    one = f"/api/v1/custom-fields/{field.json()['id']}"
    assert ada.patch(one, {"in_list": True}).json()["in_list"] is True
    tag = ada.post("/api/v1/tags", {"slug": "vip", "name": "VIP"}).json()
    assert tag["colour"] == "grey"
    made = ada.post("/api/v1/customers", {**BODY, "custom": {"line": "lte"}}).json()
    assert made["custom"] == {"line": "lte"}
    url = f"/api/v1/customers/{made['id']}"
    assert ada.put(f"{url}/tags", {"tags": ["vip"]}).json() == {"tags": ["vip"]}
    assert world.chidi

    def found(query):
        answer = ada.get(f"/api/v1/customers?{query}")
        return [row["id"] for row in answer.json()["results"]]

    assert found("custom=line:lte") == [made["id"]]
    assert found("custom=line:fibre") == []
    assert found("tag=vip") == [made["id"]]
    for bad in ("custom=line", "custom=ghost:1", "custom=line:copper"):
        assert ada.get(f"/api/v1/customers?{bad}").status_code == 400, bad
    wrong = ada.patch(url, {"custom": {"line": "copper"}})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (
        400,
        "custom.line",
    )
    assert ada.patch(one, {"archived": True}).json()["archived"] is True
    assert ada.patch(url, {"custom": {"line": "fibre"}}).status_code == 400
    assert ada.patch(f"/api/v1/tags/{tag['id']}", {"colour": "red"}).status_code == 200
    assert ada.delete(f"/api/v1/tags/{tag['id']}").status_code == 204
    assert ada.get(f"{url}/tags").json() == {"tags": []}
    assert world.api(world.esi).get(f"{url}/tags").status_code == 403


def test_fields_and_tags_in_the_console(world, define):
    chidi = world.chidi
    define("nin", "text", in_list=True, required=True)
    define("since", "date", in_list=True)
    define("vat", "boolean", in_list=True)
    ada = world.console(world.ada)

    ada.post("/console/tags/new", {"name": "VIP", "slug": "vip", "colour": "red"})
    url = f"/console/customers/{chidi.customer.pk}"
    form = ada.get(f"{url}/edit").content.decode()
    assert "custom_nin" in form
    facts = {"name": "Chidi", "kind": "individual", "phone": chidi.customer.phone,
             "unit_id": world.operator.pk, "custom_nin": "77",
             "custom_since": "2026-01-02", "custom_vat": "true"}  # fmt: skip
    ada.post(f"{url}/edit", facts)
    chidi.customer.refresh_from_db()
    assert chidi.customer.custom == {"nin": "77", "since": "2026-01-02", "vat": True}
    bulk = "/console/customers/bulk/tag"
    chosen = {"chosen": chidi.customer.pk, "tag": "vip", "what": "add", "back": "q=x"}
    answer = ada.post(bulk, chosen)
    assert answer["Location"] == "/console/customers?q=x"

    for query, there in (
        ("custom_nin=77", True),
        ("custom_nin=78", False),
        ("custom_since=2026-01-02", True),
        ("custom_vat=false", False),
        ("tag=vip", True),
        ("tag=ghost", False),
    ):
        page = ada.get(f"/console/customers?{query}").content.decode()
        assert ("Chidi" in page) is there, query
    page = ada.get("/console/customers/export.csv")
    text = b"".join(page.streaming_content).decode()
    assert "VIP" in text
    assert "77" in text
    ada.post(f"{url}/set-tags", {})
    assert CustomerTag.objects.exists() is False


def test_bulk_acts_on_what_is_within_reach_or_not_at_all(world):
    identity.make_tag(slug="vip", name="VIP", colour="red", **BY)
    chidi, esi = world.chidi.customer, world.esi.customer
    remi = world.console(world.remi)
    bulk, body = "/console/customers/bulk/tag", {"tag": "vip", "what": "add"}

    assert remi.post(bulk, {**body, "chosen": [esi.pk, chidi.pk]}).status_code == 404
    assert CustomerTag.objects.exists() is False
    for nothing in ([], ["x"], [*range(1, 60)]):
        remi.post(bulk, {**body, "chosen": nothing})
    remi.post(bulk, {"tag": "ghost", "what": "add", "chosen": [esi.pk]})
    assert CustomerTag.objects.exists() is False
    assert remi.get(bulk).status_code == 405
    assert remi.post("/console/customers/bulk/eat").status_code == 404
    assert world.console(world.femi).post(bulk, body).status_code == 403
    remi.post(bulk, {**body, "chosen": [esi.pk]})
    assert CustomerTag.objects.get().customer_id == esi.pk
    assert Customer.objects.count() == 2
