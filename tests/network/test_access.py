"""Access accounts: opening, changing, closing, and the holds on them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.network import errors, selectors
from apps.network.models import (
    AccessAccount,
    AccessHold,
    AddressAssignment,
    CoaRequest,
    Vlan,
)
from apps.ops.models import OutboxEvent
from dotmac.core.errors import InvalidInput
from tests.network.conftest import LATER, NOON, another_account, session_row

pytestmark = pytest.mark.django_db


def view(net, at=NOON):
    return selectors.account_view(net.account.pk, at=at)


def queued(net):
    rows = CoaRequest.objects.filter(account=net.account).order_by("id")
    return [(row.kind, row.state, row.reason) for row in rows]


def test_opens_an_account_whose_password_is_sealed(net):
    account = AccessAccount.objects.get(pk=net.account.pk)

    assert b"s3cret-word" not in bytes(account.secret)
    assert selectors.account_secret(account.pk) == "s3cret-word"
    assert selectors.find_account("ada@home") == account
    assert (view(net).state, view(net).effect, view(net).online) == (
        "open", "accept", False,
    )  # fmt: skip


def test_a_login_is_taken_once_and_its_case_counts(net):
    with pytest.raises(errors.LoginTaken) as refusal:
        another_account(net, "ada@home")
    another_account(net, "Ada@home")

    assert refusal.value.field == "login"
    assert AccessAccount.objects.count() == 2


@pytest.mark.parametrize(
    ("_case", "facts", "field"),
    [
        ("empty login", {"login": ""}, "login"),
        ("space", {"login": "a b"}, "login"),
        ("control character", {"login": "a\x00b"}, "login"),
        ("no-break space", {"login": "a\u00a0b"}, "login"),
        ("too long", {"login": "x" * 65}, "login"),
        ("empty password", {"password": ""}, "password"),
        ("long password", {"password": "ß" * 65}, "password"),
        ("password with a newline", {"password": "a\nb"}, "password"),
        ("half a MAC", {"mac_lock": "aa:bb:cc"}, "mac_lock"),
        ("unknown profile", {"profile_id": 999_999}, "profile"),
        ("unknown pool", {"pool_id": 999_999}, "pool"),
        ("negative sessions", {"sessions_max": -1}, "sessions_max"),
        ("unknown kind", {"kind": "fax"}, "kind"),
    ],
)
def test_bad_input_names_its_field_and_opens_nothing(net, _case, facts, field):
    good = {"login": "new", "password": "word", "profile_id": net.profile.pk}
    before = AccessAccount.objects.count()

    with pytest.raises(InvalidInput) as refusal:
        net.do.open_access(**{**good, **facts})

    assert refusal.value.field == field
    assert AccessAccount.objects.count() == before


@pytest.mark.parametrize("login", ["o'brien+home", "ÉLODIE@lagos", "x" * 64, "{x}%s"])
def test_unusual_logins_are_kept_as_they_are(net, login):
    assert another_account(net, login).login == login


def test_a_mac_lock_is_kept_in_one_form(net):
    account = net.do.open_access(
        login="locked", password="w", profile_id=net.profile.pk,
        mac_lock="AABB.CCDD.EEFF",
    )  # fmt: skip
    assert account.mac_lock == "aa:bb:cc:dd:ee:ff"


def test_another_speed_reaches_the_running_session_by_coa(net, ops_of):
    session_row(net, net.account)
    faster = ops_of.create_rate_profile(name="20M", down_kbps=20_000, up_kbps=9_000)

    changed = net.do.change_access(account_id=net.account.pk, profile_id=faster.pk)
    again = net.do.change_access(account_id=net.account.pk, profile_id=faster.pk)

    assert (changed.profile_id, again.profile_id) == (faster.pk, faster.pk)
    assert queued(net) == [("coa", "queued", "account changed")]
    assert CoaRequest.objects.get().not_before == NOON


def test_another_pool_moves_the_address_and_ends_the_session(net, ops_of):
    session_row(net, net.account)
    net.do.allocate_address(pool_id=net.pool.pk, account_id=net.account.pk)
    other = ops_of.create_pool(name="public")
    ops_of.create_prefix(cidr="203.0.113.0/28", pool_id=other.pk)

    net.do.change_access(account_id=net.account.pk, pool_id=other.pk)

    assert view(net).addresses == ["203.0.113.2"]
    assert queued(net) == [("disconnect", "queued", "account changed")]


def test_a_pool_on_the_nas_gives_no_address(net, ops_of):
    net.do.allocate_address(pool_id=net.pool.pk, account_id=net.account.pk)
    other = ops_of.create_pool(name="nas", mode="nas", framed_pool="dhcp")

    net.do.change_access(account_id=net.account.pk, pool_id=other.pk)
    net.do.change_access(account_id=net.account.pk, pool_id=None)

    assert view(net).addresses == []


def test_an_account_without_a_pool_gets_one_and_an_address(net):
    bare = net.do.open_access(login="bare", password="w", profile_id=net.profile.pk)
    net.do.change_access(account_id=bare.pk, pool_id=net.pool.pk)
    assert selectors.account_view(bare.pk).addresses == ["192.0.2.2"]


def test_moving_to_an_exhausted_pool_changes_nothing(net, ops_of):
    net.do.allocate_address(pool_id=net.pool.pk, account_id=net.account.pk)
    empty = ops_of.create_pool(name="empty")
    with pytest.raises(errors.PoolExhausted):
        net.do.change_access(account_id=net.account.pk, pool_id=empty.pk)
    account = AccessAccount.objects.get(pk=net.account.pk)
    assert account.pool_id == net.pool.pk
    assert view(net).addresses == ["192.0.2.2"]


def test_changes_what_is_given_and_keeps_the_rest(net):
    net.do.change_access(
        account_id=net.account.pk, expires_at=LATER, mac_lock="aa-bb-cc-dd-ee-ff",
        sessions_max=3, password="another-word",
    )  # fmt: skip
    account = AccessAccount.objects.get(pk=net.account.pk)

    assert (account.expires_at, account.mac_lock, account.sessions_max) == (
        LATER, "aa:bb:cc:dd:ee:ff", 3,
    )  # fmt: skip
    assert selectors.account_secret(account.pk) == "another-word"
    assert account.profile_id == net.profile.pk
    audit = OutboxEvent.objects.latest("id")
    assert audit.name == "network.account.changed.v1"
    assert "another-word" not in str(audit.data)


def test_the_same_password_again_changes_nothing(net):
    before = OutboxEvent.objects.count()
    net.do.change_access(account_id=net.account.pk, password="s3cret-word")
    assert OutboxEvent.objects.count() == before


def test_an_account_that_expires_while_on_line_is_ended_when_it_is_extended(net):
    session_row(net, net.account)
    net.do.change_access(account_id=net.account.pk, expires_at=NOON)
    assert (view(net).state, view(net).effect) == ("expired", "walled_garden")
    CoaRequest.objects.all().delete()

    net.do.change_access(account_id=net.account.pk, expires_at=LATER)

    assert view(net).state == "open"
    assert queued(net) == [("disconnect", "queued", "account changed")]


def test_closing_gives_everything_back_and_frees_the_login(net, ops_of):
    session_row(net, net.account)
    group = ops_of.create_vlan_group(name="sw1")
    net.do.assign_vlan(group_id=group.pk, account_id=net.account.pk)
    net.do.allocate_address(pool_id=net.pool.pk, account_id=net.account.pk)
    net.do.place_hold(account_id=net.account.pk, reason="abuse", effect="reject")

    closed = net.do.close_access(account_id=net.account.pk, now=LATER)
    net.do.close_access(account_id=net.account.pk)

    assert closed.closed_at == LATER
    assert (view(net).state, view(net).effect) == ("closed", "reject")
    assert (view(net).addresses, view(net).holds, view(net).vid) == ([], [], None)
    assert Vlan.objects.exists() is False
    assert queued(net)[-1][:2] == ("disconnect", "queued")
    assert another_account(net, "ada@home").pk != net.account.pk


def test_closing_lifts_a_hold_that_was_placed_by_a_later_clock(net):
    net.do.place_hold(
        account_id=net.account.pk, reason="admin", effect="reject", now=LATER
    )
    net.do.close_access(account_id=net.account.pk, now=NOON)
    hold = AccessHold.objects.get()
    assert hold.lifted_at == hold.placed_at == LATER


def test_nothing_is_made_at_a_site_that_is_not_there(net):
    """Each names the field, and a VLAN group does not fail at its commit."""
    for make in (
        lambda: net.do.create_vlan_group(name="sw1", site_id=10**6),
        lambda: net.do.create_prefix(cidr="203.0.113.0/24", site_id=10**6),
        lambda: net.do.change_nas(nas_id=net.nas.pk, changes={"site_id": 10**6}),
    ):
        with pytest.raises(InvalidInput, match="no such site") as refusal:
            make()
        assert refusal.value.field == "site"


def test_a_closed_account_takes_no_change_and_no_hold(net):
    net.do.close_access(account_id=net.account.pk)
    with pytest.raises(errors.AccountClosed):
        net.do.change_access(account_id=net.account.pk, sessions_max=2)
    with pytest.raises(errors.AccountClosed):
        net.do.place_hold(account_id=net.account.pk, reason="abuse", effect="reject")
    assert AccessHold.objects.exists() is False


def test_lifting_non_payment_never_lifts_abuse(net):
    hold = {"account_id": net.account.pk}
    net.do.place_hold(**hold, reason="non_payment", effect="walled_garden")
    net.do.place_hold(**hold, reason="abuse", effect="reject", note="spam")

    net.do.lift_hold(**hold, reason="non_payment")

    assert view(net).state == "rejected"
    assert [(h.reason, h.note) for h in view(net).holds] == [("abuse", "spam")]
    assert net.do.lift_hold(**hold, reason="non_payment") is None


@pytest.mark.parametrize(
    ("_case", "effects", "state"),
    [
        ("nothing", [], "open"),
        ("slow", ["throttle"], "throttled"),
        ("walled beats slow", ["throttle", "walled_garden"], "walled_garden"),
        ("reject beats all", ["throttle", "walled_garden", "reject"], "rejected"),
    ],
)
def test_the_strictest_hold_decides(net, _case, effects, state):
    reasons = ["quota", "non_payment", "abuse"]
    for reason, effect in zip(reasons, effects, strict=False):
        net.do.place_hold(account_id=net.account.pk, reason=reason, effect=effect)
    assert view(net).state == state
    assert [h.reason for h in view(net).holds] == reasons[: len(effects)]


def test_an_expired_account_that_is_also_slow_is_walled(net):
    net.do.change_access(account_id=net.account.pk, expires_at=NOON)
    net.do.place_hold(account_id=net.account.pk, reason="quota", effect="throttle")
    assert (view(net).state, view(net).effect) == ("expired", "walled_garden")
    assert view(net, at=NOON - timedelta(seconds=1)).state == "throttled"


@pytest.mark.parametrize(
    ("_case", "before", "placed", "expected"),
    [
        ("a hold that walls ends the session", None, "walled_garden", "disconnect"),
        ("a hold that slows changes its speed", None, "throttle", "coa"),
        ("a weaker hold changes nothing", "reject", "throttle", None),
    ],
)
def test_tells_the_nas_only_what_the_strictest_effect_asks(
    net, _case, before, placed, expected
):
    if before:
        net.do.place_hold(account_id=net.account.pk, reason="abuse", effect=before)
    session_row(net, net.account)

    net.do.place_hold(account_id=net.account.pk, reason="quota", effect=placed)

    assert [kind for kind, _, _ in queued(net)] == ([expected] if expected else [])


def test_a_disconnect_takes_the_place_of_a_waiting_coa_and_comes_once(net):
    session_row(net, net.account)
    session_row(net, net.account, session="over", stopped_at=NOON)
    net.do.place_hold(account_id=net.account.pk, reason="quota", effect="throttle")
    net.do.place_hold(account_id=net.account.pk, reason="abuse", effect="reject")
    net.do.lift_hold(account_id=net.account.pk, reason="abuse")
    net.do.lift_hold(account_id=net.account.pk, reason="quota")

    assert [(kind, state) for kind, state, _ in queued(net)] == [
        ("coa", "obsolete"), ("disconnect", "queued"),
    ]  # fmt: skip


def test_the_same_hold_twice_is_one_and_another_effect_replaces_it(net):
    first = net.do.place_hold(
        account_id=net.account.pk, reason="abuse", effect="throttle"
    )
    same = net.do.place_hold(
        account_id=net.account.pk, reason="abuse", effect="throttle"
    )
    harder = net.do.place_hold(
        account_id=net.account.pk, reason="abuse", effect="reject", now=LATER
    )

    assert same.pk == first.pk != harder.pk
    assert AccessHold.objects.get(pk=first.pk).lifted_at == LATER
    assert [h.effect for h in view(net).holds] == ["reject"]


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"reason": "mood"}, "reason"),
        ({"effect": "shout"}, "effect"),
        ({"note": "x" * 501}, "note"),
    ],
)
def test_a_malformed_hold_is_refused(net, facts, field):
    good = {"reason": "abuse", "effect": "reject"}
    with pytest.raises(InvalidInput) as refusal:
        net.do.place_hold(account_id=net.account.pk, **{**good, **facts})
    assert refusal.value.field == field
    with pytest.raises(InvalidInput):
        net.do.lift_hold(account_id=net.account.pk, reason="mood")


def test_a_missing_account_is_a_look_up_error():
    with pytest.raises(LookupError):
        selectors.account_view(999_999)
    with pytest.raises(LookupError):
        selectors.access_state(999_999, at=NOON)
    assert selectors.account_views([]) == {}
    assert AddressAssignment.objects.exists() is False
