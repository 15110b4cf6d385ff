"""What stands at the root of the site, outside the sections that have tables."""

import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver

from dotmac.gateway import api
from tests.promises import access_bed as bed_of
from tests.promises.access_portal import ROOT
from tests.promises.access_rights import lines
from tests.promises.test_access_matrix import (
    EVERYBODY,
    OWNERS,
    PAGES,
    PROVES_NOTHING,
    Verdicts,
    _status,
)

pytestmark = [pytest.mark.security, pytest.mark.timeout(600)]
# Each has its own table and its own test in test_access_matrix.
SECTIONS = {"dotmac.gateway.doors", "dotmac.console.urls", "dotmac.portal.urls"}
# What is asked of whom nothing is known, where nobody is let in.
SHUT = {"described": {401}, "developers": {404}, "nothing": {404}}


def root_routes(patterns=None, before=""):
    """The patterns that no section covers, as the table writes them."""
    for route in get_resolver().url_patterns if patterns is None else patterns:
        words = f"{before}{route.pattern}"
        if not isinstance(route, URLResolver):
            yield words or "/"
        elif not _is_section(route):
            yield from root_routes(route.url_patterns, words)


def _is_section(route):
    name = getattr(route.urlconf_name, "__name__", "")
    # django's own site, which the middleware opens for superusers alone.
    is_admin = route.namespace == "admin"
    return is_admin or name in SECTIONS or route.urlconf_name is api.urlpatterns


def address_of(words, key=1):
    plain = words.removeprefix("^").removeprefix("/").replace("<int:pk>", str(key))
    return f"/{plain}" if words != "^api/" else "/api/no-such-thing"


def test_every_address_of_the_root_is_in_the_table():
    found = list(root_routes())
    assert sorted(found) == sorted(line[0] for line in lines(ROOT))
    assert len(found) >= 15


def test_a_stranger_gets_at_the_root_what_the_table_says(world):
    wrong, cells = [], 0
    for words, asks, *_shelf in lines(ROOT):
        for method in ("GET", "POST"):
            stranger = Client()
            answer = stranger.generic(
                method, address_of(words), b"{}", content_type="application/json"
            )
            cells += 1
            if asks == "nobody":
                good = method == "POST" or answer.status_code in {200, 301, 302, 503}
            elif asks == "proof":
                good = answer.status_code in PROVES_NOTHING
            elif asks in SHUT:
                good = answer.status_code in SHUT[asks] | {405}
            else:
                good = _status(answer) in PAGES["sign in"] | {405}
            names = stranger.session.keys()
            inside = [key for key in names if key.endswith("_sid")]
            if not good or inside:
                wrong.append((method, words, answer.status_code))
    assert wrong == []
    assert cells >= 30


def test_objects_at_the_root_are_for_whom_the_table_names(bed):
    """Without the permission there is no such thing: a document is no page to refuse."""
    people = {
        who: bed_of.console_of(bed, who) for who in EVERYBODY if who != "stranger"
    }
    people["stranger"] = Client()
    verdicts = Verdicts({**PAGES, "refused": {404}, "through": {200}})
    with bed_of.standing() as undo, bed_of.decided_only():
        for words, permission, shelf in [row for row in lines(ROOT) if len(row) == 3]:
            for owner in OWNERS:
                address = address_of(words, bed.of[owner][shelf])
                for who, browser in people.items():
                    status = _status(browser.get(address))
                    undo()
                    known = who in bed_of.STAFF
                    want = (
                        bed_of.expected(who, permission, owner) if known else "sign in"
                    )
                    verdicts.judge(f"{who} {address} of {owner}", want, status)
    assert not verdicts.wrong, "\n".join(verdicts.wrong)
    assert verdicts.cells >= 20


def test_the_tables_site_is_for_superusers_alone(bed):
    answers = {
        who: _status(bed_of.console_of(bed, who).get("/admin/"))
        for who in ("ada", "mina", "chidi", "no-code", "stranger")
    }
    assert answers.pop("ada") == 200
    assert 200 not in answers.values()
