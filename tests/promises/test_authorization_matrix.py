"""Every route by every person: let through exactly when the permission is held.

The routes come from the URLs, the permissions from the views, the people's rights
from their live rows; nothing here lists what may be done.
"""

from typing import Any

import pytest
from django.urls import resolve

from dotmac.gateway import api
from tests.promises.test_api_routes import ROUTES, path_of

pytestmark = [pytest.mark.security, pytest.mark.django_db]

STAFF = ("ada", "mina", "bisi", "nuru", "sola", "femi", "remi")
CUSTOMERS = ("chidi", "esi")
# What only those may do whose permission reaches the whole operator.
WHOLE = {("/api/v1/billing/runs", "post"), ("/api/v1/billing/runs/preview", "get")}


def permission_of(path, method):
    view: Any = resolve(path).func
    action = view.actions[method]
    return view.cls.permission_by_action[action]


@pytest.mark.parametrize("who", [*STAFF, *CUSTOMERS])
def test_a_person_gets_through_where_the_permission_is_held(world, who):
    person = getattr(world, who)
    client, actor = world.api(person), person.actor
    wrong = []
    for number, (pattern, method) in enumerate(ROUTES):
        path = path_of(pattern)
        answer = client.generic(
            method.upper(),
            path,
            b"{}",
            content_type="application/json",
            headers={"Idempotency-Key": f"matrix-{number}"},
        )
        scope = actor.scope(permission_of(path, method))
        held = scope.everything if (path, method) in WHOLE else bool(scope)
        status = answer.status_code
        if status >= 500 or status == 401 or (status == 403) == held:
            wrong.append(f"{who} {method} {path}: {status}, held: {held}")
    assert wrong == []
    assert len(ROUTES) >= len(list(api.routes(api.urlpatterns))) - len(api.OPEN)


@pytest.mark.parametrize("who", [*STAFF, *CUSTOMERS])
def test_a_list_holds_what_the_person_may_open(world, who):
    everybody = [world.chidi, world.dayo, world.esi]
    client = world.api(getattr(world, who))

    listed = {row["id"] for row in client.get("/api/v1/customers").json()["results"]}
    opened = {
        person.customer.pk
        for person in everybody
        if client.get(f"/api/v1/customers/{person.customer.pk}").status_code == 200
    }

    assert listed == opened
    assert opened == {
        person.customer.pk
        for person in everybody
        if who not in {"remi", *CUSTOMERS}
        or person is getattr(world, who)
        or (who == "remi" and person is world.esi)
    }


def test_staff_hold_no_more_than_their_role(world):
    """The roles that are not the owner's lack what only an owner does."""
    for who in ("mina", "bisi", "nuru", "sola", "femi"):
        assert getattr(world, who).actor.may("identity.manage_roles") is False
    for who in ("femi",):
        held = getattr(world, who).actor.scopes
        assert all(name.split(".")[1].startswith("view_") for name in held)
