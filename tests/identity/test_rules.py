"""Arithmetic of identity, without a database."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.identity.enums import SessionFace, SessionStage, UserKind
from apps.identity.rules import codes, contacts, lifetimes, roles

pytestmark = pytest.mark.unit

AT = datetime(2026, 11, 23, 11, 0, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("0803 123 4567", "+2348031234567"),
        ("+234 (0) 803-123-4567", "+2348031234567"),
        ("00234 803 123 4567", None),
        ("+44 20 7946 0958", "+442079460958"),
        ("0803", None),
        ("", None),
        ("٠٨٠٣١٢٣٤٥٦٧", "+2348031234567"),
    ],
)
def test_writes_telephone_numbers_one_way(text, written):
    assert contacts.e164(text, region="NG") == written


@given(st.text(max_size=60))
def test_never_stumbles_over_what_people_type(text):
    phone = contacts.e164(text, region="NG")
    assert phone is None or phone.startswith("+")
    email = contacts.plain_email(text)
    assert email is None or email.isascii()
    assert all(contacts.search_words(text)) or not contacts.search_words(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Chidi EZE", ["chidi", "eze"]),
        ("0803 123 4567", ["8031234567"]),
        ("+2348031234567", ["+2348031234567"]),
        ("C-000123", ["c-000123"]),
        ("000000", ["000000"]),
        ("12", ["12"]),
        ("a b c d e f g h", ["a", "b", "c", "d", "e", "f"]),
        ("  ", []),
    ],
)
def test_finds_the_words_to_look_for(text, words):
    assert contacts.search_words(text) == words


def test_references_grow_beyond_six_digits():
    assert contacts.customer_reference(123) == "C-000123"
    assert contacts.customer_reference(12345678) == "C-12345678"


@given(st.integers(min_value=0, max_value=2**33))
def test_a_code_belongs_to_the_step_it_was_made_for(second):
    now = datetime.fromtimestamp(second + 60, tz=UTC)
    steps = codes.steps_at(now)
    assert len(steps) == 3
    expected = {step: step % 1_000_000 for step in steps}
    for step in steps:
        assert codes.matching_step(f"{step % 1_000_000:06d}", expected) == step
    wait = codes.seconds_until_step(steps[1] + 1, now)
    assert 1 <= wait <= codes.STEP_S


def test_never_says_to_wait_less_than_a_second():
    assert codes.seconds_until_step(0, AT) == 1


def test_unfinished_sessions_are_short():
    life = lifetimes.lifetime_of(
        face=SessionFace.CONSOLE, stage=SessionStage.PASSWORD, kind=UserKind.STAFF
    )
    assert life.absolute == timedelta(minutes=15)


def test_roles_hold_what_their_patterns_say():
    names = ["billing.view_invoice", "identity.manage_roles", "network.create_nas"]
    held = {rule.slug: roles.permissions_of_role(rule, names) for rule in roles.ROLES}

    assert held["owner"] == sorted(names)
    assert held["manager"] == ["billing.view_invoice", "network.create_nas"]
    assert held["auditor"] == ["billing.view_invoice"]
    assert held["network-engineer"] == ["network.create_nas"]


def test_customers_never_hold_what_changes_the_operators_records():
    """They look and pay; papers and a copy of what is known are their own."""
    own = {"add_document", "open_document", "export_customer"}
    for rights in ("full", "billing", "view"):
        for name in roles.permissions_of_rights(rights):
            what = name.split(".")[1]
            assert what.split("_")[0] in {"view", "start", "pay"} or what in own
        assert rights == "full" or not own & {
            name.split(".")[1] for name in roles.permissions_of_rights(rights)
        }
