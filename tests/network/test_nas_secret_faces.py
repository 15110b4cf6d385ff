"""The change of a NAS's secret, by the console's actions and by the API."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from apps.network import selectors
from apps.network.enums import NasSecretState
from apps.network.models import NasSecret
from tests.network.conftest import acting, build_network
from tests.network.test_api import API, fields_of, problem
from tests.network.test_console import page
from tests.sessions import enter
from tests.world import World

pytestmark = [pytest.mark.django_db, pytest.mark.security]


@pytest.fixture
def world(db):
    return World()


@pytest.fixture
def net(world):
    return build_network(acting(world.nuru.actor, now=timezone.now()))


@pytest.fixture
def browser(world):
    return enter(world.nuru)


def local(at) -> str:
    """As a browser sends a field of date and time."""
    return f"{at.astimezone(settings.OPERATOR_ZONE):%Y-%m-%dT%H:%M}"


def state(net) -> str:
    return NasSecret.objects.get(nas=net.nas).state


def test_the_console_leads_through_a_change(browser, net):
    path, shown = f"/console/nas/{net.nas.pk}", f"nas/{net.nas.pk}"
    assert "propose-secret" in page(browser, shown)
    assert "switch-secret" not in page(browser, shown)

    told = browser.post(f"{path}/propose-secret", {"confirmed": "1"})
    assert told.status_code == 200
    (secret,) = re.findall(r">([\w-]{32})</span>", told.content.decode())
    after = page(browser, shown)
    assert secret not in after
    assert "Say when to switch" in after
    assert "propose-secret" not in after
    assert "renew-secret" not in after

    at = timezone.now() + timedelta(hours=1)
    facts = {"switch_at": local(at), "roll_back_after_min": "15"}
    answer = browser.post(f"{path}/switch-secret", facts)
    assert answer.status_code == 302, answer.content.decode()
    row = NasSecret.objects.get()
    assert row.state == NasSecretState.SCHEDULED
    assert row.switch_at == at.replace(second=0, microsecond=0)
    assert row.roll_back_at == row.switch_at + timedelta(minutes=15)
    scheduled = page(browser, shown)
    assert "Scheduled" in scheduled
    assert "Taken back by itself" in scheduled

    NasSecret.objects.update(switch_at=timezone.now() - timedelta(minutes=1))
    assert selectors.nas_secret(net.nas.pk) == secret
    assert "next valid packet" in page(browser, shown)

    assert (
        browser.post(f"{path}/roll-back-secret", {"confirmed": "1"}).status_code == 302
    )
    assert state(net) == NasSecretState.ROLLED_BACK
    assert "Rolled back" in page(browser, shown)


def test_a_confirmed_one_can_no_longer_be_taken_back(browser, net):
    net.do.propose_nas_secret(nas_id=net.nas.pk)
    NasSecret.objects.update(
        state="confirmed", switch_at=timezone.now(), confirmed_at=timezone.now()
    )

    shown = page(browser, f"nas/{net.nas.pk}")

    assert "A packet of the NAS proved it" in shown
    assert "Taken back by itself" not in shown
    assert "roll-back-secret" not in shown


def test_the_api_leads_through_a_change(world, net):
    api, path = world.api(world.nuru), f"{API}/nas/{net.nas.pk}/secret"
    assert api.get(path).json() == []

    proposed = api.post(path)
    assert proposed.status_code == 201
    secret = proposed.json()["secret"]
    assert [row["state"] for row in api.get(path).json()] == ["proposed"]
    problem(api.post(path), 409, "secret_change_open")
    change = api.patch(
        f"{API}/nas/{net.nas.pk}", {"secret": "another-secret-of-24-char"}
    )
    problem(change, 409, "secret_change_open")

    late = problem(
        api.post(f"{path}/switch", {"switch_at": "2020-01-01T00:00:00Z"}),
        400,
        "invalid",
    )
    assert fields_of(late) == ["switch_at"]
    at = timezone.now() + timedelta(hours=1)
    switched = api.post(
        f"{path}/switch", {"switch_at": at.isoformat(), "roll_back_after_min": 5}
    )
    assert (switched.status_code, switched.json()["state"]) == (200, "scheduled")

    back = api.delete(path)
    assert (back.status_code, back.json()["state"]) == (200, "rolled_back")
    problem(api.delete(path), 409, "no_secret_change")
    for where in (f"{API}/nas/{net.nas.pk}", path, f"{API}/audit"):
        assert secret not in api.get(where).content.decode()


def test_a_stranger_changes_no_secret(world, net):
    api, path = world.api(world.esi), f"{API}/nas/{net.nas.pk}/secret"

    for answer in (api.get(path), api.post(path), api.delete(path)):
        assert answer.status_code in {403, 404}
    assert not NasSecret.objects.exists()


def test_a_nas_that_need_not_sign_is_seen_everywhere(browser, net):
    assert "can be forged" not in page(browser, "")
    net.do.change_nas(
        nas_id=net.nas.pk, changes={"require_message_authenticator": False}
    )
    net.do.create_nas(name="yaba-1", address="127.11.1.1")

    excused = page(browser, "nas?signs=excused")
    required = page(browser, "nas?signs=required")

    assert "ikeja-1" in excused
    assert "yaba-1" not in excused
    assert "yaba-1" in required
    assert "ikeja-1" not in required
    assert "Excused" in page(browser, f"nas/{net.nas.pk}")
    home = page(browser, "")
    assert "can be forged" in home
    assert "/console/nas?signs=excused" in home
