"""Attributes of a NAS and changed speeds, by the console's forms and by the API."""

from __future__ import annotations

import pytest
from django.utils import timezone

from apps.network import selectors
from apps.network.models import CoaRequest, RateProfile
from tests.network.conftest import acting, build_network, session_row
from tests.network.test_api import API, fields_of, problem
from tests.network.test_console import page
from tests.sessions import enter
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db):
    return World()


@pytest.fixture
def net(world):
    return build_network(acting(world.nuru.actor, now=timezone.now()))


@pytest.fixture
def browser(world):
    return enter(world.nuru)


@pytest.fixture
def nuru_api(world):
    return world.api(world.nuru)


@pytest.fixture
def esi_api(world):
    return world.api(world.esi)


def test_a_nas_is_told_more_and_less_by_form(browser, net):
    path = f"/console/nas/{net.nas.pk}"
    wanted = {"attribute": "Idle-Timeout", "value": "600", "op": ":=", "moment": "open"}

    refused = browser.post(f"{path}/add-attribute", {**wanted, "attribute": "Idle"})
    assert "No dictionary has the attribute Idle" in refused.content.decode()
    assert browser.post(f"{path}/add-attribute", wanted).status_code == 302
    assert "Idle-Timeout" in page(browser, f"nas/{net.nas.pk}?tab=attributes")

    (row,) = selectors.nas_attributes(net.nas.pk)
    gone = browser.post(f"{path}/remove-attribute", {"attribute_id": row.pk})
    assert gone.status_code == 302
    assert not selectors.nas_attributes(net.nas.pk).exists()


def test_a_changed_speed_reaches_the_sessions_that_run(browser, net):
    session_row(net, net.account, started_at=timezone.now())
    facts = {
        "name": "12M", "down_kbps": "12000", "up_kbps": "6000", "burst_down_kbps": "0",
        "burst_up_kbps": "0", "burst_s": "0", "throttled_down_kbps": "512",
        "throttled_up_kbps": "512", "sessions_max": "1", "interim_s": "300",
        "policy": "gold", "on_limit": "replace",
    }  # fmt: skip

    answer = browser.post(f"/console/rate-profiles/{net.profile.pk}/change", facts)

    assert answer.status_code == 302, answer.content.decode()
    assert "gold" in page(browser, f"rate-profiles/{net.profile.pk}")
    assert CoaRequest.objects.get().kind == "coa"


def test_a_nas_is_told_attributes_that_the_dictionaries_have(nuru_api, esi_api, net):
    path = f"{API}/nas/{net.nas.pk}/attributes"
    body = {"attribute": "Idle-Timeout", "value": "600"}

    added = nuru_api.post(path, body)
    refused = problem(nuru_api.post(path, {**body, "value": "long"}), 400, "invalid")

    assert added.status_code == 201
    assert nuru_api.get(path).json() == [added.json()]
    assert fields_of(refused) == ["value"]
    assert esi_api.post(path, body).status_code in {403, 404}
    for _again in range(2):
        gone = nuru_api.delete(f"{path}/{added.json()['id']}")
        assert gone.status_code == 204
    assert nuru_api.get(path).json() == []


def test_a_speed_changes_and_an_unknown_vendor_is_refused(nuru_api, net):
    path = f"{API}/rate-profiles/{net.profile.pk}"

    changed = nuru_api.patch(path, {"up_kbps": 6000, "policy": "gold"})
    refused = nuru_api.patch(f"{API}/nas/{net.nas.pk}", {"vendor": "acme"})

    assert (changed.json()["up_kbps"], changed.json()["policy"]) == (6000, "gold")
    assert RateProfile.objects.get(pk=net.profile.pk).up_kbps == 6000
    body = problem(refused, 400, "invalid")
    assert fields_of(body) == ["vendor"]
    assert "mikrotik" in str(body["errors"])
