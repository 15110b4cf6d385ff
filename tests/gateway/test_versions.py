"""v1 stays what it was; v2 gives the same by other names; others do not exist."""

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest

from apps.identity.models import Customer
from dotmac.gateway.versions import changes
from dotmac.gateway.versions.openapi import described
from dotmac.gateway.versions.shapes import ForeignNames, shape_for
from tests.world import Api

pytestmark = pytest.mark.django_db

V1, V2 = "/api/v1/customers", "/api/v2/customers"
AMINA = {"kind": "individual", "name": "Amina Yusuf", "city": "Kano"}
OLD = {**AMINA, "email": "amina@example.com", "phone": "+2348031234567"}
NEW = {
    **AMINA,
    "email_address": "amina@example.com",
    "phone_number": "+2348031234567",
}


def by_new_names(row):
    names = {"phone": "phone_number", "email": "email_address"}
    return {names.get(name, name): value for name, value in row.items()}


def test_both_versions_make_the_same_customer(world):
    sola = world.api(world.sola)

    made = sola.post(V2, NEW)

    assert made.status_code == 201
    assert made.json()["phone_number"] == "+2348031234567"
    assert "phone" not in made.json()
    assert "email" not in made.json()
    pk = made.json()["id"]
    assert made["Location"] == f"http://testserver{V2}/{pk}"
    assert Customer.objects.get(pk=pk).phone == "+2348031234567"
    old, new = sola.get(f"{V1}/{pk}"), sola.get(f"{V2}/{pk}")
    assert new.json() == by_new_names(old.json())
    assert new["ETag"] == old["ETag"]


def test_a_client_of_v1_goes_on_working(world):
    """All that a v1 client does with a customer, by the old names."""
    sola = world.api(world.sola)

    made = sola.post(V1, OLD)
    assert made.status_code == 201
    one = f"{V1}/{made.json()['id']}"
    assert made["Location"] == f"http://testserver{one}"
    assert {name: made.json()[name] for name in OLD} == OLD
    assert sola.patch(one, {"phone": "+2348031234568"}).status_code == 200
    whole = {**OLD, "phone": "+2348031234569"}
    assert sola.put(one, whole).json()["phone"] == "+2348031234569"
    assert sola.get(one).json()["email"] == "amina@example.com"
    found = sola.get(f"{V1}?email=amina@example.com&fields=id,phone").json()
    assert found["results"] == [{"id": made.json()["id"], "phone": "+2348031234569"}]


def test_changes_by_the_new_names(world):
    sola = world.api(world.sola)
    one = f"{V2}/{world.chidi.customer.pk}"

    answer = sola.patch(one, {"phone_number": "+2348031234568"})
    assert (answer.status_code, answer.json()["phone_number"]) == (
        200,
        "+2348031234568",
    )
    answer = sola.put(one, {**NEW, "email_address": "new@example.com"})
    assert answer.json()["email_address"] == "new@example.com"
    world.chidi.customer.refresh_from_db()
    assert world.chidi.customer.email == "new@example.com"


def test_lists_filters_fields_and_links_speak_the_new_names(world):
    sola = world.api(world.sola)
    names = [world.chidi, world.dayo]
    emails = {person.customer.email for person in names}

    page = sola.get(f"{V2}?fields=id,email_address&page_size=1&count=true").json()
    assert set(page["results"][0]) == {"id", "email_address"}
    assert page["count"] == 2
    assert page["next"].startswith(f"http://testserver{V2}?")
    assert "fields=id%2Cemail_address" in page["next"]
    second = sola.get(page["next"].removeprefix("http://testserver")).json()
    found = {row["email_address"] for row in page["results"] + second["results"]}
    assert found == emails

    email = names[0].customer.email
    answer = sola.get(f"{V2}?email_address={email}").json()
    assert [row["email_address"] for row in answer["results"]] == [email]


def test_contacts_below_a_customer_have_the_new_names_too(world):
    sola = world.api(world.sola)
    contacts = f"{V2}/{world.chidi.customer.pk}/contacts"
    made = sola.post(contacts, {"name": "Uju", "phone_number": "+2348031234567"})
    assert made.status_code == 201
    (one,) = sola.get(contacts).json()
    assert one["phone_number"] == "+2348031234567"
    (old,) = sola.get(contacts.replace("v2", "v1")).json()
    assert one == by_new_names(old)


@pytest.mark.parametrize(
    ("query", "body", "field"),
    [
        ("", {**NEW, "phone": "+2348031234567"}, "phone"),
        ("", {**OLD}, "email"),
        ("?fields=id,phone", None, "phone"),
        ("?email=a@example.com", None, "email"),
    ],
)
def test_an_old_name_is_refused_and_the_new_one_is_told(world, query, body, field):
    sola = world.api(world.sola)
    answer = sola.get(f"{V2}{query}") if body is None else sola.post(V2, body)
    errors = {error["field"]: error for error in answer.json()["errors"]}
    assert answer.status_code == 400
    assert errors[field]["code"] == "renamed"
    assert changes.version("v2").name in errors[field]["detail"]
    assert Customer.objects.filter(name="Amina Yusuf").exists() is False


@pytest.mark.parametrize("name", ["phone_number", "email_address"])
def test_v1_does_not_know_the_new_names(world, name):
    sola = world.api(world.sola)
    assert sola.get(f"{V1}?fields={name}").status_code == 400
    assert sola.get(f"{V1}?{name}=x").status_code == 400


def test_a_refusal_names_the_field_by_its_version(world):
    sola = world.api(world.sola)
    old = sola.post(V1, {**OLD, "phone": "12"})
    new = sola.post(V2, {**NEW, "phone_number": "12"})
    assert [e["field"] for e in old.json()["errors"]] == ["phone"]
    assert [e["field"] for e in new.json()["errors"]] == ["phone_number"]
    assert new["Content-Type"] == "application/problem+json"


def test_a_strange_body_is_the_same_problem_in_both(world):
    sola = world.api(world.sola)
    huge = b'{"kind": "individual", "name": "A", "unit": %d}' % 2**70
    for raw in (b"{", b'{"a":1,"a":2}', b"[]", b"\xff", b'"text"', b"", huge):
        answers = [
            sola.generic("POST", path, raw, content_type="application/json")
            for path in (V1, V2)
        ]
        old, new = ((a.status_code, a.json()["code"]) for a in answers)
        assert old == new
        assert old[0] == 400


def test_a_repeat_in_v2_gets_the_first_answer(world):
    sola = world.api(world.sola)
    key = {"Idempotency-Key": "key-0001"}
    first, second = (sola.post(V2, NEW, headers=key) for _ in range(2))
    assert second.json() == first.json()
    assert second["Idempotent-Replay"] == "true"
    assert second["Location"] == first["Location"]
    assert Customer.objects.filter(name="Amina Yusuf").count() == 1


def test_what_did_not_change_is_the_same_in_both(world):
    sola = world.api(world.sola)
    old, new = (sola.get(f"/api/{v}/units") for v in ("v1", "v2"))
    assert new.json() == old.json()
    assert "Deprecation" not in old
    assert "Link" not in old


def test_v1_says_how_long_it_stays_where_v2_differs(world):
    sola = world.api(world.sola)
    pk = world.chidi.customer.pk
    for path in (V1, f"{V1}/{pk}", f"{V1}/{pk}/contacts"):
        answer = sola.get(path)
        sunset = parsedate_to_datetime(answer["Sunset"])
        # RFC 9745: a structured-field date; RFC 8594: an HTTP date, not before it.
        assert answer["Deprecation"][0] == "@"
        deprecated = datetime.fromtimestamp(int(answer["Deprecation"][1:]), UTC)
        assert deprecated < sunset
        successor = path.replace("v1", "v2")
        assert answer["Link"] == f'<{successor}>; rel="successor-version"'
    refused = Api().get(V1)
    assert refused.status_code == 401
    assert "Sunset" in refused
    assert "Deprecation" not in sola.get(V2)
    assert "Deprecation" not in sola.get(f"{V1}/{pk}/locations")


@pytest.mark.parametrize("path", ["/api/v3/customers", "/api/v0/", "/api/v99"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_version_lists_those_that_exist(client, path, method):
    answer = client.generic(method, path)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_version")
    assert answer.json()["versions"] == ["v1", "v2"]


@pytest.mark.parametrize("path", ["/api/vx/customers", "/api/v2x/", "/api/v2/nothing"])
def test_what_is_no_version_is_just_not_found(client, path):
    answer = client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("person", ["sola", "esi"])
def test_v2_shows_nobody_more_than_v1(world, person):
    client = world.api(getattr(world, person))
    other = world.chidi.customer.pk
    old, new = client.get(f"{V1}/{other}"), client.get(f"{V2}/{other}")
    assert old.status_code == new.status_code
    rows = [client.get(path).json()["results"] for path in (V1, V2)]
    assert [r["id"] for r in rows[0]] == [r["id"] for r in rows[1]]


@pytest.mark.unit
def test_a_shape_turns_both_ways_whichever_version_the_views_speak():
    new = shape_for("v2", "customers/7")
    old = shape_for("v1", "customers/7", native="v2")
    assert new is not None
    assert old is not None
    assert new.body_outward(new.body_inward(NEW)) == NEW
    assert new.body_inward(NEW) == OLD
    assert old.body_inward(OLD) == NEW
    assert old.body_outward(NEW) == OLD
    assert old.query_inward([("fields", "id,phone")]) == [("fields", "id,phone_number")]
    with pytest.raises(ForeignNames):
        old.body_inward(NEW)
    assert shape_for("v2", "units") is None
    assert shape_for("v2", "customers/7/locations") is None


@pytest.mark.unit
def test_a_schema_shared_with_an_unchanged_resource_is_refused():
    answer = {
        "200": {"content": {"a/b": {"schema": {"$ref": "#/components/schemas/Shared"}}}}
    }
    made = {
        "components": {"schemas": {"Shared": {"properties": {"phone": {}}}}},
        "paths": {
            "/api/v1/customers/{id}": {"get": {"responses": answer}},
            "/api/v1/units": {"get": {"responses": answer}},
        },
    }
    with pytest.raises(ValueError, match="share"):
        described(json.loads(json.dumps(made)), "v2")
