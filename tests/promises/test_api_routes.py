"""Every route names its permission, strangers and other customers get nothing, and
the committed schema is the one that the code makes."""

import os
import re
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import resolve

from apps.identity import operations as identity
from dotmac.core.api.viewsets import (
    ApiViewSet,
    UndeclaredPermission,
    check_declared,
)
from dotmac.core.permissions import is_own
from dotmac.gateway import api
from tests.environment import ROOT
from tests.world import SYSTEM
from tools.gates import OPENAPI

ROUTES = sorted(
    {(str(route.pattern), method)
     for route in api.routes(api.urlpatterns)
     if route.name not in api.OPEN
     for method in getattr(route.callback, "actions", ())}
)  # fmt: skip


def path_of(pattern):
    """A concrete address for a route: the ids belong to nobody."""
    plain = re.sub(r"\(\?P<reason>[^)]*\)", "non_payment", pattern)
    plain = re.sub(r"\(\?P<[^>]+>(?:[^()]|\([^()]*\))*\)", "999999999", plain)
    plain = re.sub(r"<[^>]+>", "999999999", plain)
    return "/api/v1/" + plain.strip("^$").replace("\\Z", "").replace("\\.", ".")


@pytest.mark.security
@pytest.mark.django_db
@pytest.mark.parametrize(("pattern", "method"), ROUTES)
def test_a_stranger_is_asked_to_sign_in(client, pattern, method):
    answer = client.generic(
        method.upper(), path_of(pattern), b"{}", content_type="application/json"
    )
    assert (answer.status_code, answer.json()["code"]) == (
        401,
        "not_authenticated",
    ), path_of(pattern)


@pytest.mark.security
@pytest.mark.django_db
@pytest.mark.parametrize(("pattern", "method"), ROUTES)
def test_somebody_without_any_permission_is_refused(world, pattern, method):
    """But for the own sign-in, which belongs to whoever signed in."""
    person = world.hire("zainab", "Zainab Sani", "support")
    identity.unassign_role(
        user_id=person.id, role_slug="support", unit_id=world.operator.pk,
        actor=SYSTEM, now=world.now,
    )  # fmt: skip
    nobody = world.api(person)
    answer = nobody.generic(
        method.upper(), path_of(pattern), b"{}", content_type="application/json",
        headers={"Idempotency-Key": "matrix"},
    )  # fmt: skip
    view: Any = resolve(path_of(pattern)).func
    if is_own(view.cls.permission_by_action[view.actions[method]]):
        assert answer.status_code in {200, 204, 400, 404}, path_of(pattern)
        return
    assert (answer.status_code, answer.json()["code"]) == (
        403,
        "permission_denied",
    ), path_of(pattern)


@pytest.mark.unit
def test_a_route_without_permission_fails_when_it_is_mounted():
    class Forgotten(ApiViewSet):
        permission_by_action = {"list": "tests.never_declared"}

        def list(self, request): ...

    with pytest.raises(UndeclaredPermission, match=r"Forgotten\.list"):
        check_declared("forgotten", Forgotten.as_view({"get": "list"}), api.OPEN)
    with pytest.raises(UndeclaredPermission, match="neither"):
        check_declared("plain", lambda request: None, api.OPEN)


@pytest.mark.unit
def test_the_specified_paths_and_methods_exist():
    served = {(path_of(pattern), method) for pattern, method in ROUTES}
    one = "999999999"
    for path, methods in {
        "customers": "get post",
        f"customers/{one}": "get put delete",
        "services": "get post",
        f"services/{one}": "get",
        f"services/{one}/provision": "post",
        "billing/invoices": "get",
        f"billing/invoices/{one}": "get",
        f"billing/invoices/{one}/pdf": "get",
        "billing/payments": "post",
        "plans": "get",
        "sessions": "get",
        f"jobs/{one}": "get",
    }.items():
        for method in methods.split():
            assert (f"/api/v1/{path}", method) in served


@pytest.mark.unit
@pytest.mark.parametrize(("path", "words"), OPENAPI.items())
def test_the_committed_schema_is_current(tmp_path, path, words):
    made, committed = tmp_path / "openapi.yaml", ROOT / path
    told = ["--file", str(made), "--validate", "--fail-on-warn", *words]
    call_command("spectacular", *told)
    if os.environ.get("DOTMAC_UPDATE_DOCS"):
        committed.write_text(made.read_text())
    assert committed.read_text() == made.read_text(), "Run with DOTMAC_UPDATE_DOCS=1."
