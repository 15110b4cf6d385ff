"""The network over HTTP: Nuru may, Esi may not, bad input changes nothing."""

from __future__ import annotations

import pytest
from django.test.utils import CaptureQueriesContext

from apps.network import operations, selectors
from apps.network.models import AccessHold, AddressPool, Nas, Prefix, RateProfile
from apps.ops.models import AuditEntry
from tests.network.conftest import NOON, acting, build_network, session_row
from tests.world import World

pytestmark = pytest.mark.django_db

API = "/api/v1"
READABLE = (
    "sites", "nas", "rate-profiles", "coa-requests", "vrfs", "pools", "prefixes",
    "addresses", "vlan-groups", "vlans", "accounts",
)  # fmt: skip


@pytest.fixture
def world(db):
    return World()


@pytest.fixture
def nuru_api(world):
    return world.api(world.nuru)


@pytest.fixture
def esi_api(world):
    return world.api(world.esi)


@pytest.fixture
def net(world):
    return build_network(acting(world.nuru.actor))


def problem(answer, status, code):
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    assert answer["Content-Type"] == "application/problem+json"
    return body


def fields_of(body):
    return [error["field"] for error in body.get("errors", [])]


def test_an_isp_can_be_set_up_by_api(nuru_api):
    def made(path, body):
        answer = nuru_api.post(f"{API}/{path}", body)
        assert answer.status_code == 201, answer.content
        return answer.json()

    site = made("sites", {"name": "Yaba", "latitude": "6.5", "longitude": "3.37"})
    nas = made("nas", {"name": "yaba-1", "address": "127.0.1.9", "site": site["id"]})
    pool = made("pools", {"name": "home", "quarantine_s": 60})
    container = made("prefixes", {"cidr": "10.0.0.0/8", "kind": "container"})
    prefix = made("prefixes", {"cidr": "10.1.0.0/24", "pool": pool["id"]})
    profile = made(
        "rate-profiles", {"name": "10M", "down_kbps": 10000, "up_kbps": 5000}
    )
    group = made("vlan-groups", {"name": "sw1", "vid_min": 100, "vid_max": 200})
    vrf = made("vrfs", {"name": "customers"})

    assert len(nas["secret"]) >= 22
    assert nas["require_message_authenticator"] is True
    assert (prefix["gateway"], prefix["usage"]["capacity"]) == ("10.1.0.1", "253")
    assert container["gateway"] is None
    assert profile["interim_s"] == 300
    assert (group["vid_max"], vrf["name"]) == (200, "customers")
    assert selectors.nas_secret(nas["id"]) == nas["secret"]


def test_one_record_of_each_kind_is_read(nuru_api, net):
    group = acting(acting_actor()).create_vlan_group(name="sw1")
    for path in (
        f"sites/{net.site.pk}", f"nas/{net.nas.pk}", f"pools/{net.pool.pk}",
        f"prefixes/{net.prefix.pk}", f"rate-profiles/{net.profile.pk}",
        f"vlan-groups/{group.pk}", f"accounts/{net.account.pk}",
    ):  # fmt: skip
        assert nuru_api.get(f"{API}/{path}").status_code == 200, path
    problem(nuru_api.get(f"{API}/prefixes/999999"), 404, "not_found")


def test_an_address_is_given_and_taken_back(nuru_api, esi_api, net):
    path = f"{API}/pools/{net.pool.pk}/allocate"
    problem(esi_api.post(path, {"account": net.account.pk}), 403, "permission_denied")

    given = nuru_api.post(path, {"account": net.account.pk})
    again = nuru_api.post(path, {"account": net.account.pk})
    back = nuru_api.delete(f"{API}/addresses/{given.json()['id']}")

    assert given.status_code == again.status_code == 201
    assert given.json()["address"] == again.json()["address"] == "192.0.2.2"
    assert (back.status_code, back.json()["released_at"] is None) == (200, False)
    next_one = nuru_api.post(path, {"account": net.account.pk}).json()
    nuru_api.delete(f"{API}/addresses/{given.json()['id']}")
    assert selectors.account_view(net.account.pk).addresses == [next_one["address"]]
    unknown = problem(nuru_api.post(path, {"account": 999999}), 400, "invalid")
    assert fields_of(unknown) == ["account"]


def test_an_exhausted_pool_is_a_problem_and_changes_nothing(nuru_api, net):
    do = acting(acting_actor())
    path = f"{API}/pools/{net.pool.pk}/allocate"
    for i in range(5):
        account = do.open_access(login=f"e{i}", password="w", profile_id=net.profile.pk)
        assert nuru_api.post(path, {"account": account.pk}).status_code == 201

    body = problem(nuru_api.post(path, {"account": net.account.pk}), 409,
                   "pool_exhausted")  # fmt: skip

    assert body["pool"] == "home"
    assert selectors.account_view(net.account.pk).addresses == []


def test_a_profile_with_a_burst(nuru_api):
    made = nuru_api.post(
        f"{API}/rate-profiles",
        {"name": "burst", "down_kbps": 10, "up_kbps": 10, "burst_down_kbps": 20,
         "burst_up_kbps": 10, "burst_threshold_down_kbps": 8,
         "burst_threshold_up_kbps": 8, "burst_s": 8},
    )  # fmt: skip
    assert (made.status_code, made.json()["burst_s"]) == (201, 8)


def test_a_secret_is_shown_once_and_never_read_again(nuru_api):
    given = "a-secret-of-the-isp-0815"
    made = nuru_api.post(
        f"{API}/nas", {"name": "n", "address": "127.0.1.9", "secret": given}
    ).json()

    assert made["secret"] == given
    for path in (f"{API}/nas", f"{API}/nas/{made['id']}", f"{API}/audit"):
        assert given not in nuru_api.get(path).content.decode()


def test_a_nas_changes_and_honours_if_match(nuru_api, net):
    path = f"{API}/nas/{net.nas.pk}"
    tag = nuru_api.get(path)["ETag"]

    changed = nuru_api.patch(path, {"enabled": False}, headers={"If-Match": tag})
    stale = nuru_api.patch(path, {"enabled": True}, headers={"If-Match": tag})

    assert (changed.status_code, changed.json()["enabled"]) == (200, False)
    problem(stale, 412, "precondition_failed")
    assert Nas.objects.get(pk=net.nas.pk).enabled is False


def test_a_nas_without_gigawords_is_said_to_be_one(nuru_api, esi_api, net):
    path, on = f"{API}/nas/{net.nas.pk}", {"counts_32_bits": True}
    assert nuru_api.get(path).json()["counts_32_bits"] is False
    problem(esi_api.patch(path, on), 403, "permission_denied")

    assert nuru_api.patch(path, on).json()["counts_32_bits"] is True
    assert nuru_api.get(path).json()["counts_32_bits"] is True
    entry = AuditEntry.objects.filter(subject_kind="nas").latest("pk")
    assert entry.changes == {"counts_32_bits": [False, True]}
    wrong = nuru_api.patch(path, {"counts_32_bits": "perhaps"})
    assert fields_of(problem(wrong, 400, "invalid")) == ["counts_32_bits"]


@pytest.mark.parametrize("path", READABLE)
def test_lists_are_for_staff_with_the_permission(nuru_api, esi_api, net, path):
    assert nuru_api.get(f"{API}/{path}").status_code == 200
    problem(esi_api.get(f"{API}/{path}"), 403, "permission_denied")
    problem(World().api().get(f"{API}/{path}"), 401, "not_authenticated")


def test_a_stranger_changes_nothing(esi_api, net):
    account = f"{API}/accounts/{net.account.pk}"
    bodies = {
        f"{API}/nas": {"name": "x", "address": "127.0.1.77"},
        f"{API}/sites": {"name": "x"},
        f"{API}/pools": {"name": "x"},
        f"{API}/prefixes": {"cidr": "10.9.0.0/24"},
        f"{API}/rate-profiles": {"name": "x", "down_kbps": 1, "up_kbps": 1},
        f"{API}/vlan-groups": {"name": "x"},
        f"{API}/vrfs": {"name": "x"},
        f"{account}/holds": {"reason": "abuse", "effect": "reject"},
        f"{account}/disconnect": {},
    }
    for path, body in bodies.items():
        problem(esi_api.post(path, body), 403, "permission_denied")
    problem(esi_api.delete(f"{account}/holds/abuse"), 403, "permission_denied")
    problem(esi_api.get(account), 403, "permission_denied")
    assert (Nas.objects.count(), Prefix.objects.count()) == (1, 1)
    assert AccessHold.objects.exists() is False


def test_an_account_tells_its_state_and_why(nuru_api, net):
    operations.allocate_address(
        pool_id=net.pool.pk, account_id=net.account.pk, actor=acting_actor(), now=NOON
    )
    path = f"{API}/accounts/{net.account.pk}"

    held = nuru_api.post(
        f"{path}/holds", {"reason": "abuse", "effect": "reject", "note": "spam"}
    )
    shown = nuru_api.get(path).json()
    lifted = nuru_api.delete(f"{path}/holds/abuse")

    assert held.status_code == 201
    assert (shown["state"], shown["online"]) == ("rejected", False)
    assert [(h["reason"], h["note"]) for h in shown["holds"]] == [("abuse", "spam")]
    assert (shown["addresses"], shown["login"]) == (["192.0.2.2"], "ada@home")
    assert (lifted.status_code, lifted.json()["state"]) == (200, "open")
    assert nuru_api.delete(f"{path}/holds/abuse").status_code == 200
    problem(nuru_api.delete(f"{path}/holds/mood"), 404, "not_found")


def acting_actor():
    from dotmac.core.actors import system_actor

    return system_actor("test")


def test_sessions_of_an_account_are_ended_on_request(nuru_api, net):
    session_row(net, net.account)
    answer = nuru_api.post(f"{API}/accounts/{net.account.pk}/disconnect")
    row = nuru_api.get(f"{API}/coa-requests").json()["results"][0]

    assert (answer.status_code, answer.json()) == (202, {"queued": 1})
    assert (row["kind"], row["state"], row["login"]) == (
        "disconnect", "queued", "ada@home",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("_case", "path", "body", "status", "code", "field"),
    [
        ("overlap", "prefixes", {"cidr": "192.0.2.4/30"}, 409, "prefix_overlaps", "cidr"),
        ("around", "prefixes", {"cidr": "192.0.0.0/16"}, 409, "prefix_overlaps", "cidr"),
        ("host bits", "prefixes", {"cidr": "10.0.0.1/8"}, 400, "invalid", "cidr"),
        ("no prefix", "prefixes", {"cidr": "ten"}, 400, "invalid", "cidr"),
        ("negative length", "prefixes", {"cidr": "10.0.0.0/-8"}, 400, "invalid", "cidr"),
        ("33 bits", "prefixes", {"cidr": "10.0.0.0/33"}, 400, "invalid", "cidr"),
        ("no cidr", "prefixes", {}, 400, "invalid", "cidr"),
        ("unknown pool", "prefixes", {"cidr": "10.0.0.0/8", "pool": 99999}, 400,
         "invalid", "pool"),
        ("unknown vrf", "prefixes", {"cidr": "10.0.0.0/8", "vrf": 99999}, 400,
         "invalid", "vrf"),
        ("unknown site", "prefixes", {"cidr": "10.0.0.0/8", "site": 99999}, 400,
         "invalid", "site"),
        ("gateway outside", "prefixes", {"cidr": "10.0.0.0/8", "gateway": "11.0.0.1"},
         400, "invalid", "gateway"),
        ("gateway is network", "prefixes", {"cidr": "10.0.0.0/8", "gateway": "10.0.0.0"},
         400, "invalid", "gateway"),
        ("container with gateway", "prefixes",
         {"cidr": "10.0.0.0/8", "kind": "container", "gateway": "10.0.0.1"}, 400,
         "invalid", "gateway"),
        ("negative rate", "rate-profiles", {"name": "x", "down_kbps": -1, "up_kbps": 1},
         400, "invalid", "down_kbps"),
        ("zero rate", "rate-profiles", {"name": "x", "down_kbps": 0, "up_kbps": 1}, 400,
         "invalid", "down_kbps"),
        ("huge rate", "rate-profiles",
         {"name": "x", "down_kbps": 10**30, "up_kbps": 1}, 400, "invalid", "down_kbps"),
        ("slow burst", "rate-profiles",
         {"name": "x", "down_kbps": 10, "up_kbps": 10, "burst_down_kbps": 5,
          "burst_up_kbps": 20, "burst_s": 8}, 400, "invalid", "burst_down_kbps"),
        ("endless burst", "rate-profiles",
         {"name": "x", "down_kbps": 10, "up_kbps": 10, "burst_down_kbps": 20,
          "burst_up_kbps": 20}, 400, "invalid", "burst_s"),
        ("odd limit", "rate-profiles",
         {"name": "x", "down_kbps": 1, "up_kbps": 1, "on_limit": "wait"}, 400,
         "invalid", "on_limit"),
        ("short interim", "rate-profiles",
         {"name": "x", "down_kbps": 1, "up_kbps": 1, "interim_s": 5}, 400, "invalid",
         "interim_s"),
        ("profile name taken", "rate-profiles",
         {"name": "10M", "down_kbps": 1, "up_kbps": 1}, 409, "name_taken", "name"),
        ("NAS name taken", "nas", {"name": "ikeja-1", "address": "127.0.1.8"}, 409,
         "name_taken", "name"),
        ("NAS address taken", "nas", {"name": "x", "address": "127.0.1.1"}, 409,
         "nas_address_taken", "address"),
        ("NAS with a prefix", "nas", {"name": "x", "address": "127.0.1.0/24"}, 400,
         "invalid", "address"),
        ("NAS that is multicast", "nas", {"name": "x", "address": "224.0.0.1"}, 400,
         "invalid", "address"),
        ("short secret", "nas", {"name": "x", "address": "127.0.1.8", "secret": "abc"},
         400, "invalid", "secret"),
        ("secret with space", "nas",
         {"name": "x", "address": "127.0.1.8", "secret": "has a space in it, long"},
         400, "invalid", "secret"),
        ("port", "nas", {"name": "x", "address": "127.0.1.8", "coa_port": 70000}, 400,
         "invalid", "coa_port"),
        ("unknown site of NAS", "nas", {"name": "x", "address": "127.0.1.8", "site": 9999},
         400, "invalid", "site"),
        ("newline in name", "sites", {"name": "a\nb"}, 400, "invalid", "name"),
        ("one coordinate", "sites", {"name": "x", "latitude": "6.5"}, 400, "invalid",
         "longitude"),
        ("off the earth", "sites", {"name": "x", "latitude": "96", "longitude": "3"},
         400, "invalid", "latitude"),
        ("round the earth", "sites", {"name": "x", "latitude": "6", "longitude": "183"},
         400, "invalid", "longitude"),
        ("NAS pool without name", "pools", {"name": "x", "mode": "nas"}, 400, "invalid",
         "framed_pool"),
        ("pool name taken", "pools", {"name": "home"}, 409, "name_taken", "name"),
        ("negative quarantine", "pools", {"name": "x", "quarantine_s": -1}, 400,
         "invalid", "quarantine_s"),
        ("delegated length", "pools", {"name": "x", "delegated_length": 129}, 400,
         "invalid", "delegated_length"),
        ("backward range", "vlan-groups", {"name": "x", "vid_min": 9, "vid_max": 3},
         400, "invalid", "vid_max"),
        ("outer tag", "vlan-groups", {"name": "x", "outer_vid": 4095}, 400, "invalid",
         "outer_vid"),
        ("vrf name taken", "vrfs", {"name": "default"}, 409, "name_taken", "name"),
    ],
)  # fmt: skip
def test_bad_input_names_the_field_and_changes_nothing(  # noqa: PLR0917
    nuru_api, net, _case, path, body, status, code, field
):
    before = counts()
    answer = nuru_api.post(f"{API}/{path}", body)

    assert field in fields_of(problem(answer, status, code))
    assert counts() == before


def counts():
    from apps.network.models import Site, VlanGroup, Vrf

    models = (Nas, Prefix, AddressPool, RateProfile, Site, VlanGroup, Vrf)
    return [model.objects.count() for model in models]


def test_an_overlap_names_the_prefix_in_the_way(nuru_api, net):
    body = nuru_api.post(f"{API}/prefixes", {"cidr": "192.0.2.0/28"}).json()
    assert (body["prefix"], body["prefix_id"]) == ("192.0.2.0/29", net.prefix.pk)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("prefixes?contains=nowhere", "contains"),
        ("prefixes?kind=heap", "kind"),
        ("addresses?address=10.0.0.0/8", "address"),
        ("nas?enabled=perhaps", "enabled"),
        ("nas?colour=red", "colour"),
        ("accounts?profile=x", "profile"),
    ],
)
def test_a_malformed_filter_is_refused(nuru_api, net, query, field):
    assert field in fields_of(problem(nuru_api.get(f"{API}/{query}"), 400, "invalid"))


def test_filters_find(nuru_api, net):
    do = acting(acting_actor())
    do.allocate_address(pool_id=net.pool.pk, account_id=net.account.pk)

    def found(query):
        return len(nuru_api.get(f"{API}/{query}").json()["results"])

    assert found("prefixes?contains=192.0.2.5") == 1
    assert found("prefixes?contains=10.0.0.1") == 0
    assert found("addresses?address=192.0.2.2&held=true") == 1
    assert found("addresses?held=false") == 0
    assert found("nas?address=127.0.1.1&enabled=true") == 1
    assert found("accounts?login=ada@home&closed=false") == 1
    assert found("accounts?login=Ada@home") == 0


@pytest.mark.parametrize("path", ["prefixes", "accounts", "nas", "addresses"])
def test_a_longer_list_takes_no_more_queries(nuru_api, net, path):
    from django.db import connection

    do = acting(acting_actor())

    def queries():
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert nuru_api.get(f"{API}/{path}").status_code == 200
        return len(seen)

    queries()
    few = queries()
    for i in range(4):
        account = do.open_access(
            login=f"q{i}", password="w", profile_id=net.profile.pk, pool_id=net.pool.pk
        )
        do.allocate_address(pool_id=net.pool.pk, account_id=account.pk)
        do.place_hold(account_id=account.pk, reason="abuse", effect="reject")
        do.create_prefix(cidr=f"10.{i}.0.0/16")
        do.create_nas(name=f"n{i}", address=f"127.0.2.{i + 1}")

    assert queries() == few
