"""Devices and lines of an account: added, refused, removed, gone with it."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from apps.network import selectors
from apps.network.errors import AccountClosed, HandleTaken
from apps.network.models import AccessHandle
from apps.network.operations.handles import HANDLES_MAX
from apps.network.rules.credentials import visible_line
from apps.ops.models import AuditEntry
from dotmac.core.errors import InvalidInput
from tests.network.conftest import acting, another_account, build_network
from tests.network.test_api import API, fields_of, problem
from tests.network.test_console import page
from tests.sessions import enter
from tests.world import World

pytestmark = pytest.mark.django_db
MAC = "aa:bb:cc:00:00:01"


def add(net, kind="mac", value=MAC, account=None):
    account = account or net.account
    return net.do.add_handle(account_id=account.pk, kind=kind, value=value)


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        ("mac", "AABB.CC00.0001", MAC),
        ("circuit_id", "  olt/1 Ọlá:12 ", "olt/1 Ọlá:12"),
        ("circuit_id", "0x0004006401", "\\x0004006401"),
        ("remote_id", "\\x0004006401", "\\x0004006401"),
        ("remote_id", "0x6f6c74", "olt"),
        ("remote_id", "0xff", "\\xff"),
        ("circuit_id", "0x0106", "\x01\x06"),
        ("circuit_id", "x" * 253, "x" * 253),
    ],
)
def test_a_value_is_kept_as_radius_compares_it(net, kind, typed, kept):
    handle = add(net, kind, typed)

    assert handle.value == kept
    assert add(net, kind, typed).pk == handle.pk
    # What people see may be typed again.
    assert add(net, kind, visible_line(kept)).pk == handle.pk
    assert visible_line(kept).isprintable()


@pytest.mark.parametrize(
    ("kind", "value", "field"),
    [
        ("mac", "", "value"),
        ("mac", "aa:bb", "value"),
        ("circuit_id", "  ", "value"),
        ("circuit_id", "a\x07b", "value"),
        ("remote_id", "x" * 254, "value"),
        ("remote_id", "0x" + "00" * 254, "value"),
        ("serial", "x", "kind"),
    ],
)
def test_what_no_request_can_carry_is_refused(net, kind, value, field):
    with pytest.raises(InvalidInput) as refusal:
        add(net, kind, value)

    assert refusal.value.field == field
    assert not AccessHandle.objects.exists()


def test_a_device_stands_for_one_account(net):
    other = another_account(net, "bola@home")
    add(net)

    with pytest.raises(HandleTaken):
        add(net, account=other)
    # The same text of another kind is something else.
    add(net, "circuit_id", MAC, other)

    net.do.close_access(account_id=net.account.pk)
    assert add(net, account=other).account_id == other.pk
    with pytest.raises(AccountClosed):
        add(net, value="aa:bb:cc:00:00:02")


def test_an_account_has_a_bounded_number(net):
    for number in range(HANDLES_MAX):
        add(net, "circuit_id", f"line {number}")

    with pytest.raises(InvalidInput):
        add(net)


@pytest.mark.parametrize(
    ("kind", "value"), [("mac", "AA:BB"), ("circuit_id", ""), ("serial", "x")]
)
def test_the_database_refuses_what_no_operation_writes(net, kind, value):
    with pytest.raises(IntegrityError), transaction.atomic():
        AccessHandle.objects.create(account=net.account, kind=kind, value=value)


def test_who_did_it_is_recorded_without_the_device(net):
    handle = add(net)
    net.do.remove_handle(account_id=net.account.pk, handle_id=handle.pk)
    net.do.remove_handle(account_id=net.account.pk, handle_id=handle.pk)

    told = AuditEntry.objects.filter(action__startswith="network.handle")
    assert sorted(told.values_list("action", flat=True)) == [
        "network.handle.added.v1", "network.handle.removed.v1",
    ]  # fmt: skip
    assert MAC not in str(list(told.values()))
    assert not selectors.account_handles(net.account.pk).exists()


def test_another_accounts_device_is_out_of_reach(net):
    handle = add(net)
    other = another_account(net, "bola@home")

    net.do.remove_handle(account_id=other.pk, handle_id=handle.pk)

    assert AccessHandle.objects.filter(pk=handle.pk).exists()


def test_it_is_told_who_asks_and_forgotten(net):
    add(net)
    held = {row.name: list(row.rows) for row in selectors.held_about([net.account.pk])}
    assert [row["value"] for row in held["network.handles"]] == [MAC]

    net.do.close_access(account_id=net.account.pk)
    held = {row.name: list(row.rows) for row in selectors.held_about([net.account.pk])}

    assert held["network.handles"] == []


class TestFaces:
    @pytest.fixture
    def world(self):
        return World()

    @pytest.fixture
    def net(self, world):
        return build_network(acting(world.nuru.actor, now=world.now))

    def test_by_the_api(self, world, net):
        api, stranger = world.api(world.nuru), world.api(world.esi)
        path = f"{API}/accounts/{net.account.pk}/handles"
        body = {"kind": "mac", "value": "AA-BB-CC-00-00-01"}

        made = api.post(path, body)
        bad = problem(api.post(path, {**body, "value": "aa"}), 400, "invalid")

        assert (made.status_code, made.json()["value"]) == (201, MAC)
        assert api.get(path).json() == [made.json()]
        assert fields_of(bad) == ["value"]
        assert stranger.get(path).status_code in {403, 404}
        assert stranger.post(path, body).status_code in {403, 404}
        for _again in range(2):
            assert api.delete(f"{path}/{made.json()['id']}").status_code == 204
        assert api.get(path).json() == []

    def test_a_nas_is_let_by_the_api(self, world, net):
        api = world.api(world.nuru)
        path = f"{API}/nas/{net.nas.pk}"

        assert api.get(path).json()["ipoe"] is False
        assert api.patch(path, {"ipoe": True}).json()["ipoe"] is True

    def test_by_the_console(self, world, net):
        browser = enter(world.nuru)
        path = f"/console/accounts/{net.account.pk}"
        wanted = {"kind": "circuit_id", "value": "0x0004006401"}

        refused = browser.post(f"{path}/add-handle", {**wanted, "kind": "mac"})
        added = browser.post(f"{path}/add-handle", wanted)
        (row,) = selectors.account_handles(net.account.pk)
        shown = page(browser, f"accounts/{net.account.pk}")
        gone = browser.post(f"{path}/remove-handle", {"handle_id": row.pk})

        assert "twelve hexadecimal digits" in refused.content.decode()
        assert (added.status_code, gone.status_code) == (302, 302)
        assert "\\x0004006401" in shown
        assert not selectors.account_handles(net.account.pk).exists()
