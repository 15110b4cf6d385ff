"""The usage of an account over HTTP: hours, and the windows of a clock."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from apps.network.models import UsageHour
from tests.network.conftest import acting, another_account, build_network
from tests.world import World

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)  # 1 December in Lagos


@pytest.fixture
def world(db):
    return World()


@pytest.fixture
def net(world, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    net = build_network(acting(world.nuru.actor))
    for hour, octets in ((10, 100), (23, 1)):
        UsageHour.objects.create(
            account=net.account, octets_in=octets, octets_out=2 * octets,
            hour_at=datetime(2026, 11, 30, hour, tzinfo=UTC),
        )  # fmt: skip
    UsageHour.objects.create(
        account=another_account(net, "other"), hour_at=NOW.replace(minute=0),
        octets_in=5, octets_out=5,
    )  # fmt: skip
    return net


def asked(api, net, query=""):
    return api.get(f"/api/v1/accounts/{net.account.pk}/usage{query}")


def windows(body):
    return [(row["window"], row["octets_in"], row["exact"]) for row in body["windows"]]


def test_tells_hours_and_the_windows_of_the_operators_clock(world, net):
    body = asked(world.api(world.nuru), net).json()

    assert (body["account"], body["octets_in"], body["octets_out"]) == (
        net.account.pk, 101, 202,
    )  # fmt: skip
    assert [row["octets_out"] for row in body["hours"]] == [200, 2]
    assert body["zone"] == "Africa/Lagos"
    assert windows(body) == [("day", 1, True), ("week", 101, True), ("month", 1, True)]


def test_another_clock_cuts_other_days(world, net):
    api, day = world.api(world.nuru), "from=2026-11-30&to=2026-12-01"

    accra = asked(api, net, f"?zone=Africa/Accra&{day}").json()
    lagos = asked(api, net, f"?{day}").json()

    assert (accra["zone"], accra["octets_in"]) == ("Africa/Accra", 101)
    assert windows(accra) == [
        ("day", 101, True), ("week", 101, True), ("month", 101, True),
    ]  # fmt: skip
    assert lagos["octets_in"] == 100
    kolkata = asked(api, net, "?zone=Asia/Kolkata").json()
    assert {exact for _name, _octets, exact in windows(kolkata)} == {False}


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("zone=Mars/Olympus", "zone"),
        ("zone=../etc/passwd", "zone"),
        ("from=yesterday", "from"),
        ("to=0001-01-02", "to"),
        ("from=2020-01-01&to=2026-01-01", "from"),
        ("from=9999-12-31&zone=Pacific/Kiritimati", "from"),
    ],
)
def test_what_makes_no_sense_names_its_parameter(world, net, query, field):
    answer = asked(world.api(world.nuru), net, f"?{query}")

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.security
def test_is_for_those_who_may_see_sessions(world, net):
    assert asked(world.api(world.bisi), net).status_code == 403
    # Of the reseller: the account is not of one of its customers.
    assert asked(world.api(world.remi), net).status_code == 404
    # A customer reaches no record of the network, only services.
    assert asked(world.api(world.esi), net).status_code == 403
