"""API keys: narrower than their owner, shown once, refused alike, counted."""

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone
from redis.exceptions import ConnectionError as RedisConnectionError

from apps.identity import operations as identity
from apps.identity import selectors
from apps.identity.errors import (
    MalformedAddress,
    NameTaken,
    NotStaff,
    ScopeTooWide,
    TokenRefused,
)
from apps.identity.models import ApiKey
from apps.identity.rules.api_keys import is_allowed, new_key
from apps.identity.selectors.api_keys import uses_name
from apps.ops.models import AuditEntry, Message
from dotmac.core.errors import InvalidInput, NotFound
from tests.world import SYSTEM, Api

pytestmark = [pytest.mark.django_db, pytest.mark.security]
URL = "/api/v1/customers"


def make(person, *scopes, now=None, **facts):
    values = {"name": "export", "days": 30, **facts}
    return identity.create_api_key(
        scopes=scopes or ("identity.view_customer",),
        actor=person.actor,
        now=now or timezone.now(),
        **values,
    )


def code_of(answer):
    return answer.status_code, answer.json()["code"]


def test_acts_as_its_owner_within_its_scopes(world):
    assert world.chidi
    made = make(world.bisi)
    client = Api(made.key)

    assert client.get(URL).status_code == 200
    # Bisi may see invoices, the key may not.
    assert code_of(client.get("/api/v1/billing/invoices")) == (403, "permission_denied")
    # What is everybody's own is not a program's.
    assert code_of(client.get("/api/v1/auth/sessions")) == (403, "permission_denied")
    assert code_of(client.get("/api/v1/api-keys")) == (403, "permission_denied")


def test_loses_what_its_owner_loses(world):
    made = make(world.sola, "identity.view_customer", "identity.create_customer")
    assert Api(made.key).get(URL).status_code == 200

    identity.unassign_role(
        user_id=world.sola.id, role_slug="support", unit_id=world.operator.pk,
        actor=SYSTEM, now=world.now,
    )  # fmt: skip

    assert code_of(Api(made.key).get(URL)) == (403, "permission_denied")


def test_reaches_the_rows_that_its_owner_reaches(world):
    """Remi works for the reseller alone."""
    assert world.chidi
    esi = world.esi.customer
    made = make(world.remi)

    results = Api(made.key).get(URL).json()["results"]
    assert [row["id"] for row in results] == [esi.pk]


def test_dangerous_operations_need_a_person(world):
    made = make(world.ada, "catalog.reveal_credentials", "identity.create_api_key")
    client = Api(made.key)

    for answer in (
        client.get("/api/v1/services/1/credentials"),
        client.post("/api/v1/api-keys", {"name": "more", "scopes": ["x.y"]}),
    ):
        assert code_of(answer) == (403, "step_up_required")


def test_what_it_does_is_audited_with_its_name(world):
    made = make(world.ada, "identity.create_customer", name="importer")

    answer = Api(made.key).post(
        URL, {"kind": "individual", "name": "New", "email": "new@mail.example"}
    )

    assert answer.status_code == 201
    entry = AuditEntry.objects.get(action="identity.customer.registered.v1")
    assert entry.actor_label == "ada (key: importer)"
    assert entry.actor_id == world.ada.id


def test_is_shown_once_and_stored_as_a_digest(world):
    made = make(world.ada)
    secret = made.key[15:]

    row = ApiKey.objects.values().get()
    assert secret not in str(row)
    assert len(row["digest"]) == 64
    body = world.api(world.ada).get("/api/v1/api-keys").json()["results"][0]
    assert body["prefix"] == f"dmk_{made.row.prefix}…"
    assert secret not in str(body)
    entries = AuditEntry.objects.filter(action="identity.create_api_key")
    assert secret not in str(list(entries.values()))
    mail = Message.objects.latest("pk")
    assert "API key" in mail.subject_line
    assert secret not in mail.body


def spoil_expired(made, world):
    ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    return made.key


def spoil_revoked(made, world):
    identity.revoke_api_key(
        key_id=made.row.pk, actor=world.ada.actor, now=timezone.now()
    )
    return made.key


def spoil_owner(made, world):
    identity.deactivate_user(
        user_id=world.bisi.id, actor=world.ada.actor, now=timezone.now()
    )
    return made.key


def spoil_reset(made, world):
    identity.reset_mfa(user_id=world.bisi.id, actor=world.ada.actor, now=timezone.now())
    return made.key


def spoil_address(made, world):
    ApiKey.objects.update(addresses=["203.0.113.0/28", "2001:db8::/32"])
    return made.key


SPOILERS = {
    "expired": spoil_expired,
    "revoked": spoil_revoked,
    "owner switched off": spoil_owner,
    "owner reset": spoil_reset,
    "another address": spoil_address,
    "another secret": lambda made, world: made.key[:-4] + "AAAA",
    "another prefix": lambda made, world: new_key().whole,
    "no secret": lambda made, world: made.key[:15],
    "upper case": lambda made, world: made.key.upper(),
    "longer": lambda made, world: made.key + "A",
    "a NUL": lambda made, world: made.key[:-1] + "%00",
}


@pytest.mark.parametrize("case", sorted(SPOILERS))
def test_refuses_alike(world, case):
    assert world.ada
    made = make(world.bisi)
    assert Api(made.key).get(URL).status_code == 200
    text = SPOILERS[case](made, world)

    assert code_of(Api(text).get(URL)) == (401, "invalid_token")


def test_works_from_its_networks(world):
    made = make(world.bisi, addresses=["127.0.0.1", "2001:db8::1/64"])

    assert made.row.addresses == ["127.0.0.1/32", "2001:db8::/64"]
    assert Api(made.key).get(URL).status_code == 200


@pytest.mark.unit
@pytest.mark.parametrize(
    ("address", "allowed", "good"),
    [
        ("203.0.113.5", [], True),
        ("203.0.113.5", ["203.0.113.0/28"], True),
        ("203.0.113.16", ["203.0.113.0/28"], False),
        ("2001:db8::5", ["203.0.113.0/28", "2001:db8::/32"], True),
        ("", ["203.0.113.0/28"], False),
        ("::ffff:203.0.113.5", ["203.0.113.0/28"], False),
    ],
)
def test_compares_addresses(address, allowed, good):
    assert is_allowed(address, allowed) is good


def test_counts_uses_and_writes_once_a_minute(world):
    made = make(world.bisi)
    cache.delete(uses_name(made.row.pk))  # a counter outlives the rows of other tests
    for _ in range(5):
        assert Api(made.key).get(URL).status_code == 200

    row = ApiKey.objects.get()
    assert (row.use_count, row.last_address) == (1, "127.0.0.1")
    shown = world.api(world.bisi).get(f"/api/v1/api-keys/{row.pk}").json()
    assert shown["uses"] == 5
    ApiKey.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    Api(made.key).get(URL)
    row.refresh_from_db()
    assert row.use_count == 6


def test_a_counter_that_is_away_costs_the_count_and_not_the_request(world, monkeypatch):
    made = make(world.bisi)
    cache.delete(uses_name(made.row.pk))

    def away(*_, **__):
        raise RedisConnectionError("away")

    monkeypatch.setattr(cache, "incr", away)
    assert Api(made.key).get(URL).status_code == 200
    assert ApiKey.objects.get().use_count == 1


def test_of_two_uses_in_one_moment_one_writes(world):
    key, now = make(world.bisi).row, timezone.now()
    stale = ApiKey.objects.get(pk=key.pk)
    cache.delete(uses_name(key.pk))
    identity.count_key_use(key=key, address="192.0.2.1", now=now)
    identity.count_key_use(key=stale, address="192.0.2.2", now=now)

    key.refresh_from_db()
    assert (key.use_count, key.last_address) == (1, "192.0.2.1")
    # The second still waits in the counter, and is shown.
    assert cache.get(uses_name(key.pk)) == 1


@pytest.mark.parametrize(
    ("facts", "refusal", "field"),
    [
        ({"scopes": ["identity.manage_roles"]}, ScopeTooWide, "scopes"),
        ({"scopes": ["nothing.at_all"]}, ScopeTooWide, "scopes"),
        ({"scopes": ["identity.manage_own_access"]}, ScopeTooWide, "scopes"),
        ({"scopes": []}, InvalidInput, "scopes"),
        ({"addresses": ["203.0.113.300"]}, MalformedAddress, "addresses"),
        ({"addresses": ["office"]}, MalformedAddress, "addresses"),
        ({"addresses": ["10.0.0.1"] * 21}, InvalidInput, "addresses"),
        ({"days": 0}, InvalidInput, "days"),
        ({"days": 367}, InvalidInput, "days"),
        ({"name": "  "}, InvalidInput, "name"),
    ],
)
def test_refuses_to_make(world, facts, refusal, field):
    values = {"name": "x", "days": 1, "scopes": ["identity.view_customer"], **facts}
    with pytest.raises(refusal) as refused:
        identity.create_api_key(**values, actor=world.bisi.actor, now=timezone.now())

    assert refused.value.field == field
    assert ApiKey.objects.exists() is False


def test_names_are_unique_among_open_keys(world):
    first = make(world.bisi)
    with pytest.raises(NameTaken):
        make(world.bisi)
    identity.revoke_api_key(
        key_id=first.row.pk, owner_id=world.bisi.id, actor=SYSTEM, now=timezone.now()
    )
    make(world.bisi)
    make(world.sola)


def test_customers_have_none(world):
    with pytest.raises(NotStaff):
        make(world.chidi)


def test_revoking_is_one_s_own_unless_an_administrator_does_it(world):
    made, now = make(world.bisi), timezone.now()
    with pytest.raises(NotFound):
        identity.revoke_api_key(
            key_id=made.row.pk, owner_id=world.sola.id, actor=SYSTEM, now=now
        )
    for _ in range(2):
        identity.revoke_api_key(key_id=made.row.pk, actor=world.ada.actor, now=now)

    entries = AuditEntry.objects.filter(action="identity.revoke_api_key")
    assert [(e.actor_label, e.changes["owner"]) for e in entries] == [("ada", "bisi")]


def test_the_api_makes_lists_and_revokes(world):
    client = world.api(world.bisi)

    made = client.post(
        "/api/v1/api-keys",
        {"name": "cron", "scopes": ["identity.view_customer"], "days": 7},
    )
    assert made.status_code == 201, made.content
    body = made.json()
    assert made["Cache-Control"] == "no-store"
    assert Api(body["key"]).get(URL).status_code == 200
    assert [
        row["name"] for row in client.get("/api/v1/api-keys").json()["results"]
    ] == ["cron"]
    stranger = world.api(world.sola)
    assert stranger.delete(f"/api/v1/api-keys/{body['id']}").status_code == 404
    assert client.delete(f"/api/v1/api-keys/{body['id']}").status_code == 204
    assert code_of(Api(body["key"]).get(URL)) == (401, "invalid_token")
    wide = client.post(
        "/api/v1/api-keys", {"name": "w", "scopes": ["identity.manage_roles"]}
    )
    assert code_of(wide) == (400, "scope_too_wide")


def test_the_console_shows_the_key_once(world, enter_console):
    browser = enter_console(world.bisi)
    page = browser.get("/console/my-keys/new").content.decode()
    assert 'value="identity.view_customer"' in page
    assert "identity.manage_roles" not in page

    shown = browser.post(
        "/console/my-keys/new",
        {
            "name": "cron",
            "days": "30",
            "addresses": "127.0.0.1",
            "scopes": ["identity.view_customer"],
        },
    )
    [key] = set(re.findall(r"dmk_[a-z0-9]{10}_[\w-]{43}", shown.content.decode()))
    assert Api(key).get(URL).status_code == 200
    listed = browser.get("/console/my-keys").content.decode()
    assert "cron" in listed
    assert key not in listed
    row = ApiKey.objects.get()
    assert (
        enter_console(world.sola).post(f"/console/my-keys/{row.pk}/revoke").status_code
        == 404
    )
    browser.post(f"/console/my-keys/{row.pk}/revoke")
    assert code_of(Api(key).get(URL)) == (401, "invalid_token")


def test_an_administrator_sees_and_revokes_all(world, enter_console):
    made = make(world.bisi)
    browser = enter_console(world.ada)

    assert "bisi" in browser.get("/console/api-keys").content.decode()
    assert enter_console(world.sola).get("/console/api-keys").status_code == 403
    browser.post(f"/console/api-keys/{made.row.pk}/revoke")
    with pytest.raises(TokenRefused):
        selectors.api_key_of(made.key, now=timezone.now(), address="127.0.0.1")
