"""The pages by which owners keep providers and applications."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.federation.models import (
    Application,
    Connection,
    Consent,
    GroupRole,
    LinkedPerson,
)
from apps.identity.models import Session
from dotmac.core.models import open_sealed
from tests.federation.making import (
    RETURN,
    make_application,
    make_connection,
    map_group,
    switched_on,
)
from tests.federation.oidc_server import CLIENT, SECRET
from tests.federation.ways import come_in
from tests.sessions import enter

pytestmark = [pytest.mark.integration, pytest.mark.django_db]


@pytest.fixture
def ada(world):
    return enter(world.ada)


def typed(provider, **changes) -> dict[str, Any]:
    return {
        "audience": "staff", "name": "Head office",
        "issuer": provider.base, "client_id": CLIENT, "secret": SECRET,
        "domains": "demo-isp.example, other.example", "group_claim": "groups",
        "role_hours": "24", **changes,
    }  # fmt: skip


def test_a_provider_is_added_tested_and_switched_on_by_its_pages(world, provider, ada):
    answer = ada.post("/console/connections/new", typed(provider, trusts_email="on"))
    row = Connection.objects.get()
    assert answer["Location"] == f"/console/connections/{row.pk}"
    assert row.domains == ["demo-isp.example", "other.example"]
    assert open_sealed(row, "secret") == SECRET
    page = ada.get(answer["Location"]).content.decode()
    assert "http://127.0.0.1:8000/console/federation/head-office/callback" in page
    assert "Not tested" in page
    assert "switch-on" not in page
    early = ada.post(f"/console/connections/{row.pk}/switch-on", follow=True)
    assert "Test the connection first" in early.content.decode()
    tested = ada.post(f"/console/connections/{row.pk}/check", follow=True)
    assert "Published keys: 1" in tested.content.decode()
    ada.post(f"/console/connections/{row.pk}/switch-on")
    assert Connection.objects.get().is_active
    assert "Head office" in ada.get("/console/connections").content.decode()
    ada.post(f"/console/connections/{row.pk}/switch-off")
    assert not Connection.objects.get().is_active


def test_a_mistake_is_shown_beside_its_field(provider, ada):
    for field, value in (("issuer", "ftp://x"), ("domains", "nonsense")):
        answer = ada.post("/console/connections/new", typed(provider, **{field: value}))
        assert answer.status_code in {400, 409, 422}
        assert answer.context["form"].errors[field]
    assert not Connection.objects.exists()


def test_a_change_keeps_the_secret_and_says_what_it_switched_off(provider, ada):
    row = switched_on(
        make_connection(issuer=provider.base, client_id=CLIENT, secret=SECRET)
    )
    form = ada.get(f"/console/connections/{row.pk}/change")
    assert SECRET not in form.content.decode()
    assert b'name="metadata"' not in form.content
    values = {"name": "HQ", "issuer": provider.base, "client_id": CLIENT,
              "domains": "demo-isp.example", "group_claim": "groups",
              "role_hours": "48"}  # fmt: skip
    address = f"/console/connections/{row.pk}/change"
    assert b"Saved." in ada.post(address, values, follow=True).content
    found = Connection.objects.get()
    assert (found.name, found.is_active, found.role_hours) == ("HQ", True, 48)
    assert open_sealed(found, "secret") == SECRET
    said = ada.post(address, {**values, "client_id": "new"}, follow=True)
    assert b"switched off" in said.content


def test_a_saml_provider_has_its_own_fields(saml, ada):
    answer = ada.post(
        "/console/connections/new-saml",
        {"audience": "customer", "name": "Partners",
         "metadata": f"{saml.base}/metadata", "domains": "partner.example",
         "group_claim": "groups", "role_hours": "24"},
    )  # fmt: skip
    page = ada.get(answer["Location"]).content.decode()
    assert "/portal/federation/partners/acs" in page
    assert f"{saml.base}/sso?realm=isp" in page
    form = ada.get(answer["Location"] + "/change").content.decode()
    assert 'name="client_id"' not in form
    assert f"{saml.base}/metadata" in form
    assert "map-role" not in page
    assert ada.get(answer["Location"] + "?tab=people").status_code == 200


def test_groups_and_people_are_listed_mapped_and_unlinked(world, provider, ada):
    row = switched_on(
        make_connection(issuer=provider.base, client_id=CLIENT, secret=SECRET)
    )
    root = f"/console/connections/{row.pk}"
    assert world.sola
    line = {"group": "noc", "role_slug": "auditor", "unit_id": world.operator.pk}
    ada.post(f"{root}/map-role", line)
    assert b"noc" in ada.get(f"{root}?tab=groups").content
    come_in()
    assert b"sola@demo-isp.example" in ada.get(f"{root}?tab=people").content
    ada.post(f"{root}/unmap-role", {"line_id": GroupRole.objects.get().pk})
    assert not GroupRole.objects.exists()
    ada.post(f"{root}/unlink", {"person_id": LinkedPerson.objects.get().pk})
    assert not LinkedPerson.objects.exists()


def test_an_application_shows_its_secret_once(world, ada):
    answer = ada.post(
        "/console/applications/new",
        {"name": "Grafana", "return_addresses": RETURN, "asks_consent": "on"},
    )
    row = Application.objects.get()
    body = answer.content.decode()
    assert row.client_id in body
    secret = _shown(body)
    root = f"/console/applications/{row.pk}"
    page = ada.get(root).content.decode()
    assert secret not in page
    assert "/oidc/token" in page
    renewed = ada.post(f"{root}/renew-secret").content.decode()
    assert _shown(renewed) != secret


def _shown(body: str) -> str:
    found = re.search(r"dm-once.*?([A-Za-z0-9_-]{43})", body, re.DOTALL)
    assert found is not None
    return found[1]


def test_an_application_is_changed_and_switched(world, ada):
    row = make_application().row
    root = f"/console/applications/{row.pk}"
    assert RETURN in ada.get(f"{root}/change").content.decode()
    ada.post(
        f"{root}/change",
        {"name": "Grafana 2", "return_addresses": f"{RETURN}\nhttps://b.example/"},
    )
    found = Application.objects.get()
    assert (found.name, found.asks_consent) == ("Grafana 2", False)
    assert found.return_addresses == [RETURN, "https://b.example/"]
    Consent.objects.create(application=found, user=world.sola.user, scopes=["openid"])
    assert b"sola" in ada.get(f"{root}?tab=people").content
    ada.post(f"{root}/switch-off")
    assert not Application.objects.get().is_active
    assert b"Nobody is let through" in ada.get(root).content
    assert not Consent.objects.exists()
    ada.post(f"{root}/switch-on")
    assert Application.objects.get().is_active
    assert b"Grafana 2" in ada.get("/console/applications").content


def test_a_public_application_is_told_that_it_has_no_secret(world, ada):
    answer = ada.post(
        "/console/applications/new",
        {"name": "Tool", "return_addresses": "http://127.0.0.1/x", "is_public": "on"},
    )
    row = Application.objects.get()
    assert row.client_id in answer.content.decode()
    assert (
        "renew-secret"
        not in ada.get(f"/console/applications/{row.pk}").content.decode()
    )


@pytest.mark.security
@pytest.mark.parametrize(
    "path", ["connections/new", "connections/new-saml", "connections/{c}/change", "connections/{c}/switch-on",
             "connections/{c}/map-role", "connections/{c}/unlink", "applications/new",
             "applications/{a}/change", "applications/{a}/renew-secret"]
)  # fmt: skip
def test_a_change_asks_for_a_fresh_second_factor(world, ada, path):
    row, app = make_connection(), make_application().row
    Session.objects.update(mfa_at=timezone.now() - timedelta(minutes=11))
    address = f"/console/{path.format(c=row.pk, a=app.pk)}"
    answer = ada.post(address, {})
    assert answer.status_code == 422
    assert b"step_up_otp" in answer.content


def test_a_line_may_name_a_unit(world, ada):
    row = make_connection()
    map_group(row, "kano", "support", world.reseller.pk)
    page = ada.get(f"/console/connections/{row.pk}?tab=groups").content.decode()
    assert "Kano Reseller" in page
