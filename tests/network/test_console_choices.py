"""Forms that offer records of which there are more than a form can show."""

from __future__ import annotations

import pytest
from django.utils import timezone

from apps.network.console.choices import CHOICES_MAX, named_choices
from apps.network.models import Nas, Site
from tests.network.conftest import acting, build_network
from tests.sessions import enter
from tests.world import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db):
    return World()


@pytest.fixture
def net(world):
    """A NAS at a site whose name comes after those that fit."""
    do = acting(world.nuru.actor, now=timezone.now())
    net = build_network(do)
    Site.objects.bulk_create(Site(name=f"A {n:03}") for n in range(CHOICES_MAX))
    do.change_nas(nas_id=net.nas.pk, changes={"site_id": net.site.pk})
    return net


def test_the_site_of_a_nas_is_offered_and_stays(world, net):
    """Else the form would begin with no site, and saving it would take it away."""
    browser, place = enter(world.nuru), f"/console/nas/{net.nas.pk}/change"

    form = browser.get(place).content.decode()

    assert f'<option value="{net.site.pk}" selected>{net.site.name}</option>' in form
    posted = {
        "name": "ikeja-2", "address": "127.0.1.1", "vendor": "mikrotik",
        "coa_port": "3799", "walled_pool": "walled", "site_id": str(net.site.pk),
    }  # fmt: skip
    assert browser.post(place, posted).status_code == 302
    assert Nas.objects.get(pk=net.nas.pk).site_id == net.site.pk


def test_nothing_in_use_is_the_first_by_name(net):
    offered = named_choices(Site.objects.all(), empty=True)

    assert [name for _, name in offered] == [
        "-", *(f"A {n:03}" for n in range(CHOICES_MAX))
    ]  # fmt: skip
