"""What is explained is what is decided, whatever accounts, holds and NASes there are."""

from __future__ import annotations

import random
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from apps.network import selectors
from apps.network.models import AccessHandle, SessionLive
from apps.network.radius import packets
from apps.network.radius.database import AccessFacts, encoded
from dotmac.core.actors import system_actor
from tests.network.conftest import acting, nuru_actor
from tests.network.vendors import lines

pytestmark = pytest.mark.integration
ROUNDS, ASKED = 6, 60


@pytest.fixture
def bed(own_database):
    session = lines.radius_session()
    do = acting(system_actor("explain"), now=timezone.now())
    yield SimpleNamespace(do=do, session=session)
    session.close()


def test_the_verdict_is_that_of_radius_over_random_accounts(bed):
    seen = set()
    for number in range(ROUNDS):
        seed = random.getrandbits(32)
        chance = random.Random(seed)
        logins, nases, macs = _random_network(bed.do, chance, number)
        for _ in range(ASKED):
            devices = [*macs, "nobody"]
            asked = {
                "login": chance.choice(chance.choice([logins, devices])),
                "mac": chance.choice(["", *macs, macs[1].replace(":", "-"), "x"]),
                "circuit": chance.choice(["", f"line {number}", "line"]),
                "nas": chance.choice([*nases, nases[1], "127.15.9.9"]),
            }
            told = selectors.explain_access(
                nuru_actor(), login=asked["login"], nas_address=asked["nas"],
                mac=asked["mac"], circuit=asked["circuit"],
            )  # fmt: skip
            decided = _decided(bed.session, **asked)
            word = f"{told.reason}:{told.hold}" if told.hold else told.reason
            assert (told.verdict, word, _timeless(told.reply)) == decided, (seed, asked)
            seen.add((told.verdict, told.reason))
    # A property over nothing but unknown logins would prove nothing.
    assert {verdict for verdict, _ in seen} == {
        "accept", "password", "reject", "silent",
    }  # fmt: skip
    assert {"hold", "unknown", "mac", "sessions"} <= {why for _, why in seen}


def _random_network(do, chance, number):
    """A few accounts of every kind: their logins, the NASes and some devices."""
    macs = [f"02:00:00:00:{number:02x}:{index:02x}" for index in (1, 2)]
    nases = []
    for index, (ipoe, enabled) in enumerate(
        [(False, True), (True, True), (chance.random() < 0.5, False)]
    ):
        nas = do.create_nas(
            name=f"n{number}-{index}", address=f"127.15.{number + 1}.{index + 1}",
            vendor=chance.choice(["mikrotik", "cisco", "generic"]), ipoe=ipoe,
        )  # fmt: skip
        if not enabled:
            do.change_nas(nas_id=nas.pk, changes={"enabled": False})
        nases.append(nas)
    profile = do.create_rate_profile(
        name=f"p{number}", down_kbps=10_000, up_kbps=5_000,
        on_limit=chance.choice(["refuse", "replace"]),
        sessions_max=chance.choice([0, 1, 2]), idle_s=chance.choice([0, 600]),
    )  # fmt: skip
    logins = [
        _random_account(
            do, chance, profile, f"u{number}-{index}", nases=nases, macs=macs
        )
        for index in range(8)
    ]
    plain = do.open_access(
        login=f"plain{number}", password="right horse", profile_id=profile.pk
    )
    _give(do, plain, "mac", f"02:00:00:00:{number:02x}:03")
    macs.append(f"02:00:00:00:{number:02x}:03")
    return [*logins, plain.login], [str(nas.address) for nas in nases], macs


def _give(do, account, kind, value):
    """A device or a line, unless somebody has it."""
    if not AccessHandle.objects.filter(kind=kind, value=value).exists():
        do.add_handle(account_id=account.pk, kind=kind, value=value)


def _random_account(do, chance, profile, login, *, nases, macs):
    if chance.random() < 0.1:
        login = f"{login}@isp"
    account = do.open_access(
        login=login, password="right horse", profile_id=profile.pk,
        mac_lock=chance.choice([None, None, *macs]),
        sessions_max=chance.choice([None, None, 0, 1]),
        expires_at=chance.choice(
            [None, None, *(timezone.now() + timedelta(days=d) for d in (-1, 1))]
        ),
    )  # fmt: skip
    for reason, effect in (
        ("non_payment", "walled_garden"), ("abuse", "reject"), ("quota", "throttle"),
    ):  # fmt: skip
        if chance.random() < 0.2:
            do.place_hold(account_id=account.pk, reason=reason, effect=effect)
    for _ in range(chance.choice([0, 0, 1, 2])):
        SessionLive.objects.create(
            session_key=f"{chance.getrandbits(128):032x}", account=account,
            nas=chance.choice(nases), login=login, acct_session_id="s",
            mac=chance.choice(["", *macs]), started_at=timezone.now(),
            seen_at=timezone.now(), heard_at=timezone.now(),
        )  # fmt: skip
    line = login.split("-")[0].replace("u", "line ")
    for kind, value in (("mac", macs[0]), ("mac", macs[1]), ("circuit_id", line)):
        if chance.random() < 0.4:
            _give(do, account, kind, value)
    if chance.random() < 0.1:
        do.close_access(account_id=account.pk)
    return login


def _timeless(reply):
    """A second may pass between two questions: a time that runs off is some time."""
    return [
        (name, op, "some" if name == "Session-Timeout" and value != "600" else value)
        for name, op, value in reply
    ]


def _decided(session, *, login, nas, mac, circuit):
    """Verdict, reason and reply as the servers get them."""
    rows = session.authorize(
        AccessFacts(
            login=encoded(login.encode()), nas=nas, mac=encoded(mac.encode()),
            circuit=encoded(circuit.encode()),
        )
    )  # fmt: skip
    told = {name: value for name, value, _ in rows}
    inside = {"Auth-Type", "Cleartext-Password", "Tmp-String-1", "Tmp-String-4"}
    reply = [
        (name, op, packets.unquoted(value))
        for name, value, op in rows if name not in inside
    ]  # fmt: skip
    if "Tmp-String-0" in told:
        return "silent", "nas", []
    if not rows:
        return "reject", "unknown", []
    verdict = {"Reject": "reject", "Accept": "accept"}.get(
        told.get("Auth-Type", ""), "password"
    )
    return verdict, told["Tmp-String-1"], _timeless(reply)
