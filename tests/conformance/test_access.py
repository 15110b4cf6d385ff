"""Access-Requests: who is let in, with what, and what nobody gets to know."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.network import operations
from tests.conformance.isp import ACTOR
from tests.conformance.radclient import SILENCE

pytestmark = pytest.mark.integration


def test_pap_is_let_in_with_the_plans_speed(isp):
    account = isp.account()

    answer = isp.auth(account)

    assert answer.accepted
    assert answer.attributes["Mikrotik-Rate-Limit"] == "10000k/20000k"
    assert answer.attributes["Acct-Interim-Interval"] == "300"
    assert answer.attributes["Class"] == "0x" + str(account.pk).encode().hex()
    assert "Session-Timeout" not in answer.attributes


def test_chap_is_let_in(isp):
    account = isp.account()

    answer = isp.client.auth(User_Name=account.login, CHAP_Password="right horse")

    assert answer.accepted


@pytest.mark.parametrize("method", ["User_Password", "CHAP_Password"])
def test_a_wrong_password_is_refused(isp, method):
    account = isp.account()

    answer = isp.client.auth(User_Name=account.login, **{method: "wrong horse"})

    assert answer.rejected


def test_a_password_that_only_begins_right_is_refused(isp):
    account = isp.account(password="right horse")

    assert isp.auth(account, "right horse ").rejected
    assert isp.auth(account, "right hors").rejected
    assert isp.client.auth(User_Name=account.login).rejected


def test_every_refusal_looks_the_same(isp):
    refused = isp.account()
    isp.hold(refused, "reject")
    locked = isp.account(mac_lock="aa:bb:cc:00:00:01")
    ordinary = isp.account()

    answers = [
        isp.auth(refused),
        isp.auth(refused, "wrong"),
        isp.auth(locked, Calling_Station_Id="aa:bb:cc:00:00:02"),
        isp.auth(ordinary, "wrong"),
        isp.client.auth(User_Name="nobody-of-that-name", User_Password="x"),
    ]

    assert [(a.kind, list(a.attributes)) for a in answers] == [
        ("Access-Reject", ["Message-Authenticator"])
    ] * len(answers)


def test_the_signature_comes_first_in_every_answer(isp):
    account = isp.account()

    accepted, rejected = isp.auth(account), isp.auth(account, "wrong")

    assert accepted.pairs[0][0] == "Message-Authenticator"
    assert rejected.pairs[0][0] == "Message-Authenticator"


def test_a_walled_garden_lets_in_with_a_short_leash(isp):
    account = isp.account()
    isp.hold(account, "walled_garden", "non_payment")

    answer = isp.auth(account)

    assert answer.accepted
    assert answer.attributes["Framed-Pool"] == "walled"
    assert answer.attributes["Session-Timeout"] == "600"
    assert answer.attributes["Mikrotik-Rate-Limit"] == "512k/512k"
    assert "Framed-IP-Address" not in answer.attributes
    assert isp.auth(account, "wrong").rejected


def test_the_strictest_hold_counts_and_lifting_one_leaves_the_other(isp):
    account = isp.account()
    isp.hold(account, "throttle", "quota")
    assert isp.auth(account).attributes["Mikrotik-Rate-Limit"] == "512k/512k"
    isp.hold(account, "walled_garden", "non_payment")
    assert isp.auth(account).attributes["Framed-Pool"] == "walled"
    isp.hold(account, "reject", "abuse")
    assert isp.auth(account).rejected

    last = SILENCE
    for reason in ("abuse", "non_payment", "quota"):
        operations.lift_hold(
            account_id=account.pk, reason=reason, actor=ACTOR, now=timezone.now()
        )
        last = isp.auth(account)

    assert last.attributes["Mikrotik-Rate-Limit"] == "10000k/20000k"


def test_an_expired_account_is_walled_in(isp):
    account = isp.account(expires_at=timezone.now() - timedelta(seconds=1))

    answer = isp.auth(account)

    assert answer.accepted
    assert answer.attributes["Framed-Pool"] == "walled"


def test_a_session_ends_at_the_instant_of_expiry(isp):
    account = isp.account(expires_at=timezone.now() + timedelta(seconds=90))

    left = int(isp.auth(account).attributes["Session-Timeout"])

    assert 80 <= left <= 90


def test_a_closed_account_is_an_unknown_user(isp):
    account = isp.account()
    operations.close_access(account_id=account.pk, actor=ACTOR, now=timezone.now())

    assert isp.auth(account).rejected


@pytest.mark.parametrize(
    ("mac", "accepted"),
    [
        ("aa:bb:cc:dd:ee:01", True),
        ("AA-BB-CC-DD-EE-01", True),
        ("aabb.ccdd.ee01", True),
        ("AABBCCDDEE01", True),
        ("aa:bb:cc:dd:ee:02", False),
        ("' OR '1'='1", False),
        (None, False),
    ],
)
def test_a_device_lock_knows_the_device_in_any_spelling(isp, mac, accepted):
    account = isp.account(mac_lock="aa:bb:cc:dd:ee:01")

    assert isp.auth(account, Calling_Station_Id=mac).accepted is accepted


def test_a_generic_nas_gets_words_that_it_knows(isp):
    nas = isp.nas(vendor="generic")

    answer = isp.auth(isp.account(), Packet_Src_IP_Address=str(nas.address))

    assert answer.attributes["WISPr-Bandwidth-Max-Down"] == "20000000"
    assert answer.attributes["WISPr-Bandwidth-Max-Up"] == "10000000"
    assert "Mikrotik-Rate-Limit" not in answer.attributes


def test_burst_is_told_to_mikrotik(isp):
    account = isp.account(
        profile={
            "burst_down_kbps": 40_000, "burst_up_kbps": 20_000,
            "burst_threshold_down_kbps": 15_000, "burst_threshold_up_kbps": 7_500,
            "burst_s": 16,
        }
    )  # fmt: skip

    limit = isp.auth(account).attributes["Mikrotik-Rate-Limit"]

    assert limit == "10000k/20000k 20000k/40000k 7500k/15000k 16/16"


def test_the_allocated_address_is_framed_and_else_the_nas_pool(isp):
    now = timezone.now()
    vrf = operations.create_vrf(name=f"v{now.timestamp()}", actor=ACTOR, now=now)
    pool = operations.create_pool(
        name=f"p{now.timestamp()}", vrf_id=vrf.pk, framed_pool="o'pool",
        actor=ACTOR, now=now,
    )  # fmt: skip
    operations.create_prefix(
        cidr="100.64.0.0/29", vrf_id=vrf.pk, pool_id=pool.pk, actor=ACTOR, now=now
    )
    account = isp.account(pool_id=pool.pk)

    before = isp.auth(account).attributes
    held = operations.allocate_address(
        pool_id=pool.pk, account_id=account.pk, actor=ACTOR, now=now
    )
    after = isp.auth(account).attributes

    assert before["Framed-Pool"] == "o'pool"
    assert after["Framed-IP-Address"] == str(held.address).split("/")[0]
    assert "Framed-Pool" not in after
