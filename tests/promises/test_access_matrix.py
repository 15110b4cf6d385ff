"""Every route and screen by every person on an own and a foreign object.

What must come of it stands in `access_table` and its neighbours, written by hand; the
addresses come from the URLs and the registry, so what is not in a table fails.
"""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.http import HttpResponseRedirect
from django.test import Client

from dotmac.core import portal
from dotmac.core.console import registry
from dotmac.gateway import api, doors
from tests.console.screens import flat
from tests.promises import access_bed as bed_of
from tests.promises.access_console import CONSOLE, CONSOLE_NAMES
from tests.promises.access_portal import DOORS, PORTAL
from tests.promises.access_rights import lines
from tests.promises.access_table import API
from tests.promises.test_api_routes import path_of

pytestmark = [pytest.mark.security, pytest.mark.timeout(900)]
OWNERS = ("chidi", "esi")
# Sign-ins, where the last word alone would be the sessions of the network.
SHELVES = {"auth/sessions": "sign-ins"}
# Takes a snapshot of its own, which no transaction of a test gives it.
OWN_SNAPSHOT = ("POST", "integrity/run")
EVERYBODY = [*bed_of.STAFF, *bed_of.PORTAL, "no-code", "stranger"]
STATUSES = {
    "sign in": {401},
    "refused": {403},
    "missing": {404},
    "through": {200, 201, 202, 204, 400, 409, 412, 415, 422, 503},
}
# A page sends on for two reasons that must not be taken for each other: ASKED, to
# come in first, and MOVED, because it did what it was asked.
ASKED, MOVED = "asked to sign in", "moved on"
PAGES: dict[str, set[int | str]] = {
    "sign in": {ASKED},
    "refused": {403},
    "missing": {404},
    "through": {200, 204, MOVED, 405, 409, 422},
}


class Verdicts:
    """The cells that were tried, and those that came out wrong."""

    def __init__(self, statuses):
        self.statuses, self.cells, self.wrong = statuses, 0, []

    def judge(self, words, want, got):
        self.cells += 1
        if got not in self.statuses[want]:
            self.wrong.append(f"{words}: {got}, {want} expected")


# The API -----------------------------------------------------------------------


def api_routes():
    """(method, address with * for its key) of every route that needs a sign-in."""
    found = set()
    for route in api.routes(api.urlpatterns):
        if route.name in api.OPEN:
            continue
        address = path_of(str(route.pattern)).removeprefix("/api/v1/")
        for method in getattr(route.callback, "actions", {}):
            if method == "head":  # DRF adds it beside get, once a view was asked
                continue
            found.add((method.upper(), address.replace("999999999", "*")))
    return found


def test_every_route_of_the_api_is_in_the_table():
    assert {(line[0], line[1]) for line in lines(API)} == api_routes()


def kind_of(shelf):
    """What stands on a shelf, by the name that the bed has for it."""
    return SHELVES.get(shelf, shelf.rsplit("/", 1)[-1])


def objects_of(bed, address):
    """Pairs of owner and address; "" owns what belongs to nobody in particular."""
    if "*" not in address:
        return [("", address)]
    kind = kind_of(address.split("/*")[0])
    if kind in bed.whole:
        return [("", address.replace("*", str(bed.whole[kind])))]
    return [(who, _filled(address, kind, bed.of[who])) for who in OWNERS]


def _filled(address, kind, keys):
    """The first * is the object's key, a later one that of what hangs below it."""
    first, _star, rest = address.partition("*")
    for below in re.findall(r"/([a-z-]+)/\*", rest):
        rest = rest.replace("*", str(keys[below]), 1)
    return f"{first}{keys[kind]}{rest}"


def test_the_api_lets_through_whom_the_table_names(bed):
    clients = {who: bed_of.api_of(bed, who) for who in EVERYBODY}
    verdicts = Verdicts(STATUSES)
    with bed_of.standing() as undo, bed_of.decided_only():
        for method, address, permission in lines(API):
            for owner, path in objects_of(bed, address):
                for who, client in clients.items():
                    answer = client.generic(
                        method, f"/api/v1/{path}", b"{}",
                        content_type="application/json",
                        headers={"Idempotency-Key": f"cell-{verdicts.cells}"},
                    )  # fmt: skip
                    undo()
                    want = bed_of.expected(who, permission, owner)
                    words = f"{who} {method} {path} of {owner or 'all'}"
                    verdicts.judge(words, want, answer.status_code)
    assert not verdicts.wrong, "\n".join(verdicts.wrong)
    assert verdicts.cells >= 2_000


# The console -------------------------------------------------------------------


def console_screens():
    """What the registry holds, as the table writes it."""
    assert flat()
    found = set()
    shelves: dict[str, Any] = {"list": registry.lists, "page": registry.pages, "form": registry.forms,
               "detail": registry.details}  # fmt: skip
    for kind, shelf in shelves.items():
        found |= {f"{kind} {slug}" for slug in shelf}
    for slug, screen in registry.details.items():
        found |= {f"action {slug}/{action.slug}" for action in screen.all_actions()}
        found |= {f"tab {slug}/{t.slug}" for t in screen.all_tabs() if t.permission}
    for slug, listed in registry.lists.items():
        found |= {f"action {slug}/{action.slug}" for action in listed.actions}
        found |= {f"bulk {slug}/{bulk.slug}" for bulk in listed.bulk}
    return found


def test_every_screen_of_the_console_is_in_the_table():
    from dotmac.console import urls

    assert {f"{line[0]} {line[1]}" for line in lines(CONSOLE)} == console_screens()
    assert {pattern.name for pattern in urls.urlpatterns} == CONSOLE_NAMES


def console_cells(bed, kind, name):
    """(method, owner, address) of a screen: lists with their export.

    Behind a space stands what is sent.
    """
    slug, _slash, part = name.partition("/")
    if kind == "bulk":
        for who in OWNERS:
            yield "POST", who, f"{slug}/bulk/{part} chosen={bed.of[who][slug]}"
        return
    if kind in {"list", "page", "form"}:
        yield "GET", "", name
        if kind == "form":
            yield "POST", "", name
        if kind == "list" and registry.lists[name].export:
            yield "GET", "", f"{name}/export.csv"
        return
    keys = [("", bed.whole[slug])] if slug in bed.whole else [
        (who, bed.of[who][slug]) for who in OWNERS
    ]  # fmt: skip
    for owner, key in keys:
        if kind == "action":
            yield "GET", owner, f"{slug}/{key}/{part}"
            yield "POST", owner, f"{slug}/{key}/{part}"
        else:
            yield "GET", owner, f"{slug}/{key}" + (f"?tab={part}" if part else "")


@pytest.mark.parametrize(
    "kinds",
    [{"list", "page", "form", "detail"}, {"action"}],
    ids=["screens", "actions"],
)
def test_the_console_lets_in_whom_the_table_names(bed, kinds):
    people = [*bed_of.STAFF, "chidi", "no-code", "stranger"]
    browsers = {who: bed_of.console_of(bed, who) for who in people}
    verdicts = Verdicts(PAGES)
    with bed_of.standing() as undo, bed_of.decided_only(drawn=False):
        for kind, name, permission in lines(CONSOLE):
            if kind not in kinds:
                continue
            for method, owner, address in console_cells(bed, kind, name):
                for who, browser in browsers.items():
                    if (method, address) == OWN_SNAPSHOT and who in {"ada", "mina"}:
                        continue
                    path, _space, sent = address.partition(" ")
                    answer = browser.generic(
                        method, f"/console/{path}", sent,
                        content_type="application/x-www-form-urlencoded",
                    )  # fmt: skip
                    status = _status(answer)
                    undo()
                    known = who in bed_of.STAFF
                    want = (
                        bed_of.expected(who, permission, owner) if known else "sign in"
                    )
                    words = f"{who} {method} {address} of {owner or 'all'}"
                    verdicts.judge(words, want, status)
    assert not verdicts.wrong, "\n".join(verdicts.wrong)
    assert verdicts.cells >= 1_200


def _status(answer):
    """Of a page; an export is begun, since its first rows are read then."""
    getattr(answer, "streaming_content", None)
    if answer.status_code not in {301, 302, 303, 307, 308}:
        return answer.status_code
    path = urlsplit(answer["Location"]).path
    return ASKED if path in {"/console/sign-in", "/portal/sign-in"} else MOVED


@pytest.mark.parametrize("to", ["/console/customers/1", "/portal/", "/console/"])
def test_what_was_done_for_a_stranger_is_not_taken_for_a_way_to_the_sign_in(to):
    verdicts = Verdicts(PAGES)
    verdicts.judge("did", "sign in", _status(HttpResponseRedirect(to)))
    asked = HttpResponseRedirect(f"/console/sign-in?next={to}")
    verdicts.judge("asked", "sign in", _status(asked))
    verdicts.judge("lost", "through", _status(asked))
    assert [words.split(":")[0] for words in verdicts.wrong] == ["did", "lost"]


def test_a_tab_is_offered_to_whom_the_table_names(bed):
    """The tab's own permission, beside the screen's."""
    screens = {line[1]: line[2] for line in lines(CONSOLE) if line[0] == "detail"}
    wrong, cells = [], []
    for who in bed_of.STAFF:
        browser, bodies = bed_of.console_of(bed, who), {}
        for kind, name, permission in lines(CONSOLE):
            slug, _slash, tab = name.partition("/")
            if kind != "tab" or bed_of.expected(who, screens[slug], "esi") != "through":
                continue
            key = bed.whole.get(slug) or bed.of["esi"][slug]
            if slug not in bodies:
                answer = browser.get(f"/console/{slug}/{key}")
                bodies[slug] = answer.content.decode()
            wanted = bed_of.expected(who, permission, "esi") == "through"
            cells.append((who, name))
            if (f"tab={tab}" in bodies[slug]) != wanted:
                wrong.append(f"{who} {name}: offered is {not wanted}")
    assert not wrong, "\n".join(wrong)
    assert len(cells) >= 80


# The portal --------------------------------------------------------------------


def test_every_page_of_the_portal_is_in_the_table():
    from dotmac.portal import urls

    own = {"home", "help", "choose", "series"}
    assert {pattern.name for pattern in urls.urlpatterns} >= own
    named = {line[0] for line in lines(PORTAL)}
    assert named == own | {page.name for page in portal.pages()}


def test_the_portal_shows_own_things_by_right(bed):
    from dotmac.portal import urls

    assert urls.urlpatterns
    paths = {page.name: page.path for page in portal.pages()}
    verdicts = Verdicts({
        "sign in": {ASKED}, "missing": {404}, "through": {200, MOVED},
    })  # fmt: skip
    phones = {who: _phone(bed, who) for who in [*bed_of.PORTAL, "sola", "stranger"]}
    with bed_of.standing() as undo, bed_of.decided_only():
        for who, phone in phones.items():
            for name, permission, kind in lines(PORTAL):
                for owner, path in _portal_paths(bed, paths, name, kind):
                    status = _status(_asked(phone, path, owner, bed))
                    undo()
                    want = _portal_expected(who, permission, owner)
                    if status == 404 and name == "pay-return":
                        continue  # nothing was paid for
                    verdicts.judge(f"{who} {path} of {owner}", want, status)
    assert not verdicts.wrong, "\n".join(verdicts.wrong)
    assert verdicts.cells >= 90


def _asked(phone, path, owner, bed):
    """The page; whom one acts for is chosen by a form."""
    if path != "choose":
        return phone.get(f"/portal/{path}")
    return phone.post("/portal/choose", {"customer": bed.of[owner]["customers"]})


def _phone(bed, who):
    if who == "stranger":
        return bed_of.console_of(bed, who)
    face = {"face": "portal", "key": "portal_sid"}
    if who == "sola":  # her console's cookie opens no portal
        return bed_of.console_of(bed, who)
    from tests.sessions import enter

    return enter(getattr(bed.world, who), **face)


def _portal_paths(bed, paths, name, kind):
    if name == "choose":
        return [(who, name) for who in OWNERS]
    if kind == "-":
        own = {"home": "", "series": "series/usage"}
        return [("", own.get(name, paths.get(name, name)))]
    shelf = {"invoice": "invoices", "payment": "payments"}[kind]
    return [
        (who, paths[name].replace("<int:pk>", str(bed.of[who][shelf])))
        for who in OWNERS
    ]


def _portal_expected(who, permission, owner):
    """What a customer may not see does not exist."""
    if who not in bed_of.PORTAL:
        return "sign in"
    if permission == "-":
        mine = not owner or bed_of.OWN.get(who) == owner
        return "through" if mine else "missing"
    want = bed_of.expected(who, permission, owner)
    return "missing" if want == "refused" else want


# The doors ---------------------------------------------------------------------

# 400 where what proves is missing, or is none.
PROVES_NOTHING = {400, 401, 404, 405}


def door_routes():
    """(name in the table, address) of every route of the doors."""
    for route in doors.urlpatterns:
        address = "/" + re.sub(r"<[^>]+>", "x", str(route.pattern))
        face, _dash, name = str(route.name).partition("-")
        both = name if face in {"console", "portal"} else str(route.name)
        listed = {line[0] for line in lines(DOORS)}
        yield (str(route.name) if str(route.name) in listed else both), address


def test_every_door_is_in_the_table():
    found = {name for name, _address in door_routes()}
    assert found == {line[0] for line in lines(DOORS)}


def test_a_stranger_gets_behind_no_door(world):
    """Without a person a page leads to the sign-in; without a proof nothing opens."""
    asks, wrong = dict(lines(DOORS)), []
    for name, address in door_routes():
        for method in ("GET", "POST"):
            stranger = Client()
            answer = stranger.generic(method, address)
            leads = answer.headers.get("Location", "")
            shut = answer.status_code in PROVES_NOTHING or (
                asks[name] == "person"
                # To the sign-in, or to the same door, to be asked there.
                and ("/sign-in" in leads or leads.startswith(address))
            )
            if asks[name] != "nobody" and not shut:
                wrong.append((name, method, answer.status_code, leads))
            names = stranger.session.keys()
            inside = {key for key in names if key.endswith("_sid")}
            assert not inside, (name, method)
    assert not wrong, wrong
