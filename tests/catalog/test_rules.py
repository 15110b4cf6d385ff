"""Pure rules: logins, passwords, states, steps, and what the check demands."""

from ipaddress import ip_interface

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.catalog.rules import credentials, provisioning
from apps.catalog.rules.lifecycle import shown_state

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("login", "sound"),
    [
        ("c000123", True),
        ("o'brien+home@isp.example", True),
        ("ÿ", True),
        ("x" * 64, True),
        ("", False),
        ("x" * 65, False),
        ("a b", False),
        ("a\u00a0b", False),
        ("a\tb", False),
    ],
)
def test_knows_a_login(login, sound):
    assert credentials.login_is_sound(login) is sound


@pytest.mark.parametrize(
    ("password", "sound"),
    [
        ("123456", True),
        ("12345", False),
        ("x" * 128, True),
        ("x" * 129, False),
        ("é" * 64, True),
        ("é" * 65, False),
        ("with space", True),
        ("line\nbreak", False),
    ],
)
def test_knows_a_password(password, sound):
    assert credentials.password_is_sound(password) is sound


def test_offers_short_logins_in_order():
    offered = credentials.login_candidates("C-000123")
    assert offered[:3] == ["c000123", "c000123-2", "c000123-3"]
    assert len(offered) == credentials.CANDIDATES_MAX
    assert credentials.first_free_login(offered, {"c000123"}) == "c000123-2"
    assert credentials.first_free_login(["a"], {"a"}) is None


@settings(deadline=None)
@given(st.randoms(use_true_random=False))
def test_makes_passwords_that_nobody_misreads(dice):
    password = credentials.readable_password(dice.choice)
    assert credentials.password_is_sound(password)
    assert len(password) == 14
    assert not set(password) & set("0o1il")


@pytest.mark.parametrize(
    ("stored", "access", "shown"),
    [
        ("pending", None, "pending"),
        ("active", None, "active"),
        ("active", "open", "active"),
        ("active", "rejected", "suspended"),
        ("active", "walled_garden", "walled_garden"),
        ("active", "expired", "walled_garden"),
        ("active", "throttled", "throttled"),
        ("provisioning", "rejected", "provisioning"),
        ("terminated", "closed", "terminated"),
    ],
)
def test_shows_a_state_through_the_account(stored, access, shown):
    assert shown_state(stored, access) == shown


def test_waits_longer_each_time_and_never_too_long():
    waits = [provisioning.retry_delay_s(n) for n in range(1, 9)]
    assert waits == [5, 10, 20, 40, 80, 120, 120, 120]


def test_goes_on_with_the_first_step_that_is_open():
    states = [("open_access", "done"), ("allocate_address", "skipped")]
    assert provisioning.first_open_step([*states, ("check", "waiting")]) == "check"
    assert provisioning.first_open_step(states) is None
    assert provisioning.first_open_step([("check", "failed")]) == "check"


RATE = provisioning.Rate(20_000, 10_000)


def expected(address=None, pool=""):
    return provisioning.Expected(
        down_kbps=20_000, up_kbps=10_000, address=address, framed_pool=pool
    )


@pytest.mark.parametrize(
    ("_case", "promise", "rate", "attributes", "found"),
    [
        ("all agrees", expected("100.64.0.2"), RATE, {"Framed-IP-Address": "100.64.0.2"}, []),
        ("v6 address", expected("2001:db8::2"), RATE, {"Framed-IPv6-Address": "2001:db8::2"}, []),
        ("delegated", expected("2001:db8::/56"), RATE, {"Delegated-IPv6-Prefix": "2001:db8::/56"}, []),
        ("NAS chooses", expected(), RATE, {}, []),
        ("NAS's pool", expected(pool="home"), RATE, {"Framed-Pool": "home"}, []),
        (
            "slower",
            expected(),
            provisioning.Rate(512, 512),
            {},
            ["speed ordered 20000/10000 kbit/s, RADIUS gives 512/512 kbit/s"],
        ),
        (
            "no speed, no address",
            expected("100.64.0.2"),
            None,
            {},
            [
                "speed ordered 20000/10000 kbit/s, RADIUS gives none",
                "address held 100.64.0.2, RADIUS gives none",
            ],
        ),
        (
            "another's address",
            expected("100.64.0.2"),
            RATE,
            {"Framed-IP-Address": "100.64.0.3"},
            ["address held 100.64.0.2, RADIUS gives 100.64.0.3"],
        ),
        (
            "walled in",
            expected(pool="home"),
            RATE,
            {"Framed-Pool": "walled"},
            ["pool ordered home, RADIUS gives walled"],
        ),
        (
            "no pool",
            expected(),
            RATE,
            {"Framed-Pool": "walled"},
            ["pool ordered none, RADIUS gives walled"],
        ),
    ],
)  # fmt: skip
def test_says_where_an_accept_differs_from_the_order(
    _case, promise, rate, attributes, found
):
    assert provisioning.differences(promise, rate, attributes) == found


def test_takes_a_line_faster_than_radius_can_say_for_what_it_is():
    promise = provisioning.Expected(down_kbps=10_000_000, up_kbps=10_000, address=None)
    said = provisioning.Rate(4_294_967, 10_000)
    assert provisioning.differences(promise, said, {}) == []


@pytest.mark.parametrize(
    ("held", "text"),
    [
        ("100.64.0.2/32", "100.64.0.2"),
        ("2001:db8::2/128", "2001:db8::2"),
        ("2001:db8::/56", "2001:db8::/56"),
    ],
)
def test_writes_addresses_as_people_do(held, text):
    assert provisioning.address_text(ip_interface(held)) == text
