"""customers, their locations and contacts, and units, through HTTP."""

import pytest

from apps.identity.models import Customer
from tests.world import Api

pytestmark = pytest.mark.django_db

URL = "/api/v1/customers"
BODY = {
    "kind": "business",
    "name": "Ngozi Ltd",
    "email": "office@ngozi.example",
    "phone": "0803 555 0001",
}


@pytest.fixture
def sola(world):
    return world.api(world.sola)


def codes(answer):
    body = answer.json()
    return (
        answer.status_code,
        body["code"],
        [e["field"] for e in body.get("errors", [])],
    )


def test_registers_shows_and_lists(world, sola):
    made = sola.post(URL, BODY)

    assert made.status_code == 201
    body = made.json()
    assert body["reference"] == f"C-{body['id']:06d}"
    assert (body["state"], body["kind"]) == ("prospect", "business")
    assert body["phone"] == "+2348035550001"
    assert made["Location"].endswith(f"{URL}/{body['id']}")
    assert sola.get(f"{URL}/{body['id']}").json() == body
    page = sola.get(URL).json()
    assert page == {"results": [body], "next": None, "previous": None}


def test_repeats_of_one_key_register_once(world, sola):
    first = sola.post(URL, BODY, headers={"Idempotency-Key": "k1"})
    again = sola.post(URL, BODY, headers={"Idempotency-Key": "k1"})

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert Customer.objects.count() == 1


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"phone": "12"}, (400, "malformed_phone", ["phone"])),
        ({"email": "x"}, (400, "malformed_email", ["email"])),
        ({"email": "", "phone": ""}, (400, "unreachable_customer", ["email"])),
        ({"kind": "robot"}, (400, "invalid", ["kind"])),
        ({"name": ""}, (400, "invalid", ["name"])),
        ({"name": None}, (400, "invalid", ["name"])),
        ({"name": "x" * 201}, (400, "invalid", ["name"])),
        ({"state": "active"}, (400, "invalid", ["state"])),
        ({"unit": 2**40}, (400, "unknown_unit", ["unit"])),
        ({"unit": "x"}, (400, "invalid", ["unit"])),
    ],
)
def test_names_the_field_that_is_wrong(world, sola, change, expected):
    assert codes(sola.post(URL, {**BODY, **change})) == expected
    assert Customer.objects.exists() is False


def test_names_the_customer_that_this_may_be(world, sola):
    first = sola.post(URL, BODY).json()

    again = sola.post(URL, {**BODY, "phone": "0803 555 0002"})

    assert codes(again) == (409, "possible_duplicate", ["email"])
    assert again.json()["existing"] == first["reference"]
    sure = sola.post(URL, {**BODY, "confirm_duplicate": True})
    assert sure.status_code == 201


def test_strangers_get_404_alike(world):
    chidi, esi = world.api(world.chidi), world.esi.customer
    ours = f"{URL}/{esi.pk}"

    missing = chidi.get(f"{URL}/{2**40}")
    for answer in (
        chidi.get(ours),
        world.api(world.remi).get(f"{URL}/{world.chidi.customer.pk}"),
        chidi.get(f"{ours}/locations"),
    ):
        assert answer.status_code == 404
        assert {**answer.json(), "request_id": ""} == {
            **missing.json(),
            "request_id": "",
        }


def test_customers_see_themselves_and_change_nothing(world):
    chidi = world.api(world.chidi)
    own = world.chidi.customer

    assert [row["id"] for row in chidi.get(URL).json()["results"]] == [own.pk]
    for answer in (
        chidi.post(URL, BODY),
        chidi.put(f"{URL}/{own.pk}", BODY),
        chidi.delete(f"{URL}/{own.pk}"),
        chidi.post(f"{URL}/{own.pk}/close"),
    ):
        assert codes(answer)[:2] == (403, "permission_denied")


def test_nobody_gets_nothing(world):
    assert codes(Api().get(URL))[:2] == (401, "not_authenticated")
    assert codes(Api().post(URL, BODY))[:2] == (401, "not_authenticated")


def test_filters_and_searches(world, sola):
    chidi, dayo = world.chidi.customer, world.dayo.customer
    esi = world.esi.customer

    def ids(query):
        return [row["id"] for row in sola.get(f"{URL}?{query}").json()["results"]]

    assert ids("") == [esi.pk, dayo.pk, chidi.pk]
    assert ids("q=ojo") == [dayo.pk]
    assert ids(f"q={chidi.reference}") == [chidi.pk]
    assert ids("q=0803 100 0002") == [dayo.pk]
    assert ids(f"unit={world.reseller.pk}") == [esi.pk]
    assert ids("state=prospect&kind=individual&q=chidi") == [chidi.pk]
    assert ids("email=CHIDI@mail.example") == [chidi.pk]
    for bad in ("state=happy", "unit=x", "nonsense=1", "q="):
        assert sola.get(f"{URL}?{bad}").status_code == 400


def test_pages_by_key_and_narrows_fields(world, sola):
    pks = [person.customer.pk for person in (world.esi, world.dayo, world.chidi)]

    first = sola.get(f"{URL}?page_size=2&fields=id,reference&count=true").json()
    assert [set(row) for row in first["results"]] == [{"id", "reference"}] * 2
    assert (first["count"], first["previous"]) == (3, None)
    second = sola.get(first["next"]).json()
    assert [row["id"] for row in [*first["results"], *second["results"]]] == sorted(
        pks, reverse=True
    )
    assert sola.get(f"{URL}?fields=password").status_code == 400


def test_put_says_everything_anew_and_patch_some(world, sola):
    customer = world.chidi.customer
    url = f"{URL}/{customer.pk}"

    patched = sola.patch(url, {"city": "Ibadan"})
    assert (patched.status_code, patched.json()["city"]) == (200, "Ibadan")
    whole = {"kind": "individual", "name": "Chidi", "phone": "0803 100 0001"}
    put = sola.put(url, whole).json()
    assert (put["name"], put["city"], put["email"]) == ("Chidi", "", "")
    assert put["unit"] == world.operator.pk
    assert codes(sola.put(url, {"name": "x"}))[:2] == (400, "invalid")


def test_if_match_keeps_two_people_from_overwriting_each_other(world, sola):
    url = f"{URL}/{world.chidi.customer.pk}"
    tag = sola.get(url)["ETag"]

    first = sola.patch(url, {"city": "Ibadan"}, headers={"If-Match": tag})
    second = sola.patch(url, {"city": "Abuja"}, headers={"If-Match": tag})

    assert first.status_code == 200
    assert codes(second)[:2] == (412, "precondition_failed")
    third = sola.patch(url, {"city": "Abuja"}, headers={"If-Match": first["ETag"]})
    assert third.status_code == 200


def test_a_customer_moves_to_units_within_reach_only(world):
    esi = world.esi.customer
    remi, sola = world.api(world.remi), world.api(world.sola)

    refused = remi.patch(f"{URL}/{esi.pk}", {"unit": world.operator.pk})
    assert codes(refused) == (400, "unknown_unit", ["unit"])
    same = remi.patch(f"{URL}/{esi.pk}", {"unit": world.reseller.pk, "city": "Kano"})
    assert same.status_code == 200
    moved = sola.patch(f"{URL}/{esi.pk}", {"unit": world.operator.pk})
    assert moved.json()["unit"] == world.operator.pk


def test_new_customers_belong_to_the_unit_of_whom_registers_them(world):
    made = world.api(world.remi).post(URL, BODY).json()

    assert made["unit"] == world.reseller.pk
    elsewhere = {**BODY, "unit": world.operator.pk, "confirm_duplicate": True}
    refused = world.api(world.remi).post(URL, elsewhere)
    assert codes(refused) == (400, "unknown_unit", ["unit"])


def test_deletes_and_closes(world):
    mina = world.api(world.mina)
    chidi, dayo = world.chidi.customer, world.dayo.customer

    assert mina.post(f"{URL}/{dayo.pk}/close").json()["state"] == "closed"
    assert mina.delete(f"{URL}/{chidi.pk}").status_code == 204
    assert mina.get(f"{URL}/{chidi.pk}").status_code == 404
    closed = mina.patch(f"{URL}/{dayo.pk}", {"city": "Kano"})
    assert codes(closed)[:2] == (409, "customer_closed")


def test_keeps_locations_and_contacts(world, sola):
    url = f"{URL}/{world.chidi.customer.pk}"

    place = sola.post(
        f"{url}/locations",
        {
            "label": "home",
            "address": "1 Marina",
            "latitude": "6.45",
            "longitude": "3.4",
        },
    )
    assert place.status_code == 201
    assert sola.get(f"{url}/locations").json() == [place.json()]
    person = sola.post(f"{url}/contacts", {"name": "Ify", "phone": "08031112222"})
    assert person.json()["phone"] == "+2348031112222"
    assert sola.get(f"{url}/contacts").json() == [person.json()]

    half = sola.post(
        f"{url}/locations", {"label": "x", "address": "y", "latitude": "1"}
    )
    assert codes(half) == (400, "invalid", ["latitude"])
    far = {"label": "x", "address": "y", "latitude": "91", "longitude": "0"}
    assert codes(sola.post(f"{url}/locations", far)) == (400, "invalid", ["latitude"])
    east = {**far, "latitude": "1", "longitude": "181"}
    assert codes(sola.post(f"{url}/locations", east)) == (400, "invalid", ["longitude"])
    odd = sola.post(f"{url}/contacts", {"name": "Ify", "phone": "12"})
    assert codes(odd) == (400, "malformed_phone", ["phone"])
    odd = sola.post(f"{url}/contacts", {"name": "Ify", "email": "x"})
    assert codes(odd) == (400, "malformed_email", ["email"])


def test_units_by_scope(world):
    ada, remi = world.api(world.ada), world.api(world.remi)
    assert world.reseller

    units = {row["name"] for row in ada.get("/api/v1/units").json()["results"]}
    assert units == {"Demo ISP", "Kano Reseller"}
    made = ada.post(
        "/api/v1/units",
        {"name": "Ibadan", "kind": "branch", "parent": world.operator.pk},
    )
    assert made.status_code == 201
    again = ada.post(
        "/api/v1/units",
        {"name": "Ibadan", "kind": "branch", "parent": world.operator.pk},
    )
    assert codes(again) == (409, "unit_name_taken", ["name"])
    lost = ada.post("/api/v1/units", {"name": "X", "kind": "branch", "parent": 2**40})
    assert codes(lost) == (400, "unknown_unit", ["parent"])
    seen = {row["name"] for row in remi.get("/api/v1/units").json()["results"]}
    assert seen == {"Kano Reseller"}


def test_a_page_costs_the_same_for_one_and_for_many(
    world, sola, django_assert_num_queries
):
    assert world.chidi
    sola.get(URL)  # the first look of the hour is written down
    with django_assert_num_queries(2):  # the session with rights and rules, the page
        sola.get(URL)
    for number in range(5):
        sola.post(
            URL,
            {
                **BODY,
                "email": f"n{number}@x.example",
                "phone": f"+23480355511{number:02}",
            },
        )

    with django_assert_num_queries(2):
        assert len(sola.get(URL).json()["results"]) == 6
