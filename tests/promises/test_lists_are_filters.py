"""What a list holds is what the same person may open, for every list there is:
the API's with its count, the console's with its search box and its export, the
tables on the tabs of a record, and the search over everything.
"""

import csv
import io
import re
from itertools import product
from typing import Any
from unittest.mock import patch

import pytest

from dotmac.core.console import registry
from dotmac.gateway import api
from tests.console.screens import lists
from tests.promises import access_bed as bed_of
from tests.promises.test_api_routes import path_of
from tests.world import SYSTEM

pytestmark = [pytest.mark.security, pytest.mark.timeout(900)]
PEOPLE = ("ada", "sola", "bisi", "nuru", "remi", "rita")
CUSTOMERS = ("chidi", "esi")
# Lists that leave out, by their own meaning, what may still be opened: sessions
# that have ended, drafts without a number.
NARROWER = {"sessions", "invoices"}


def listed_resources():
    """Collections of the API that have a detail route."""
    routes = [r for r in api.routes(api.urlpatterns) if r.name not in api.OPEN]
    found: dict[str, None] = {}
    for route in routes:
        actions = getattr(route.callback, "actions", {})
        path = path_of(str(route.pattern))
        if actions.get("get") == "list":
            found[path] = None
    details = {path_of(str(r.pattern)) for r in routes
               if getattr(r.callback, "actions", {}).get("get") == "retrieve"}  # fmt: skip
    return [path for path in found if f"{path}/999999999" in details]


def everything(model):
    return list(model.objects.order_by("-pk").values_list("pk", flat=True)[:40])


def test_lists_of_the_api_with_their_count(bed):
    resources = [at for path in listed_resources() for at in _addresses(bed, path)]
    assert len(resources) >= 20
    wrong, compared = [], 0
    for who in [*PEOPLE, *CUSTOMERS]:
        client = bed_of.api_of(bed, who)
        for path in resources:
            answer = client.get(f"{path}?page_size=200&count=true")
            if answer.status_code == 400:  # short lists come whole
                answer = client.get(path)
            if answer.status_code == 403:
                continue
            body = answer.json()
            # Of a customer out of reach there is no list, so no row of it either.
            rows = [] if answer.status_code == 404 else _rows(body)
            listed = {row["id"] for row in rows}
            view = _view_of(path)
            tried = set(everything(view.queryset.model))
            opened = {
                pk for pk in tried if client.get(f"{path}/{pk}").status_code == 200
            }
            whole = "count" in body and body["next"] is None
            compared += 1
            if listed & tried != opened or (whole and body["count"] != len(listed)):
                wrong.append(f"{who} {path}: listed {listed}, opens {opened}")
    assert not wrong, "\n".join(wrong)
    assert compared >= 60


def _addresses(bed, path):
    """The list's address; of each customer, where it belongs to one."""
    if "999999999" not in path:
        return [path]
    return [path.replace("999999999", str(bed.of[w]["customers"])) for w in CUSTOMERS]


def _rows(body):
    """Short lists of one customer come whole, others by pages."""
    return body if isinstance(body, list) else body["results"]


def _view_of(path):
    from django.urls import resolve

    view: Any = resolve(path).func
    return view.cls


def test_lists_of_the_console_with_their_export(bed):
    wrong, compared = [], 0
    for who in PEOPLE:
        browser = bed_of.console_of(bed, who)
        actor = getattr(bed.world, who).actor
        for screen in lists():
            if not actor.may(screen.permission):
                continue
            visible = screen.rows(actor, screen.permission)
            if screen.slug in registry.details:
                compared += 1
                wrong += _differences(browser, screen, visible, who)
            if screen.export:
                compared += 1
                exported = _exported(browser, screen)
                inside = sorted(visible.values_list("pk", flat=True))
                if exported != inside:
                    wrong.append(
                        f"{who} {screen.slug}: {exported} of {inside} exported"
                    )
    assert not wrong, "\n".join(wrong)
    assert compared >= 120


def _differences(browser, screen, visible, who):
    """Between what the page shows, what is visible, and what opens."""
    detail = registry.details[screen.slug]
    tried = detail.rows(SYSTEM, detail.permission).order_by("-pk")
    newest = set(tried.values_list("pk", flat=True)[:8])
    opened = {
        pk
        for pk in newest
        if browser.get(f"/console/{screen.slug}/{pk}").status_code == 200
    }
    listed = set(visible.values_list("pk", flat=True))
    shown = _pks(browser.get(f"/console/{screen.slug}"), screen.slug)
    if not shown <= listed or not listed & newest <= opened:
        yield f"{who} {screen.slug}: shows {shown}, opens {opened}"
    if screen.slug not in NARROWER and opened - listed:
        yield f"{who} {screen.slug}: opens {opened - listed} beside the list"


def _pks(answer, slug):
    found = re.findall(rf'href="/console/{slug}/(\d+)"', answer.content.decode())
    return {int(pk) for pk in found}


def _exported(browser, screen):
    """The keys of the rows in the file: what is decorated is what is written."""
    taken: list[int] = []
    decorate = screen.decorate

    def noted(rows, page):
        found = decorate(rows, page)
        taken.extend(row.pk for row in found)
        return found

    with patch.object(screen, "decorate", noted):
        lines = _exported_rows(browser, screen.slug)
    assert len(lines) - 1 == len(taken), screen.slug
    return sorted(taken)


# A session says on which access server it is, also to who may not open that one.
NAMES = {("sessions", "nas")}
LINK = re.compile(r'href="/console/([\w-]+)/(\d+)"')


def _links(browser, slug, key, tab):
    """(detail, key) of everything that one tab of a record leads to."""
    answer = browser.get(f"/console/{slug}/{key}?tab={tab}")
    if answer.status_code != 200:
        return set()
    found = LINK.findall(answer.content.decode())
    return {(kind, int(pk)) for kind, pk in found if kind in registry.details}


def test_what_a_tab_of_a_record_lists_is_what_opens(bed):
    """Nested lists: a hub shows the things of its customer, each with its own page."""
    assert lists()
    wrong, tried = [], 0
    for who in PEOPLE:
        browser = bed_of.console_of(bed, who)
        opens: dict[tuple[str, int], bool] = {}
        for slug, screen in sorted(registry.details.items()):
            keys = [bed.whole[slug]] if slug in bed.whole else [
                bed.of[owner][slug] for owner in CUSTOMERS
            ]  # fmt: skip
            for key, tab in product(keys, screen.all_tabs()):
                for link in _links(browser, slug, key, tab.slug):
                    tried += 1
                    if link not in opens:
                        address = f"/console/{link[0]}/{link[1]}"
                        opens[link] = browser.get(address).status_code == 200
                    if not opens[link] and (slug, link[0]) not in NAMES:
                        wrong.append(f"{who} {slug}/{key} {tab.slug}: {link}")
    assert not wrong, "\n".join(wrong)
    assert tried >= 200


def test_a_customers_page_lists_all_that_opens(bed):
    """The other way round: nothing of the customer that opens is left out."""
    assert lists()
    tabs = [tab.slug for tab in registry.details["customers"].all_tabs()]
    kinds = {"services", "invoices", "payments"}
    wrong, compared = [], 0
    for who in PEOPLE:
        browser = bed_of.console_of(bed, who)
        for owner in CUSTOMERS:
            key = bed.of[owner]["customers"]
            shown = {
                link for tab in tabs for link in _links(browser, "customers", key, tab)
            }
            hub = browser.get(f"/console/customers/{key}").status_code == 200
            for kind in sorted(kinds):
                address = f"/console/{kind}/{bed.of[owner][kind]}"
                opened = hub and browser.get(address).status_code == 200
                compared += 1
                if opened != ((kind, bed.of[owner][kind]) in shown):
                    wrong.append(f"{who} {kind} of {owner}: opens is {opened}")
    assert not wrong, "\n".join(wrong)
    assert compared == len(PEOPLE) * len(CUSTOMERS) * len(kinds)


def words_of(bed, owner):
    """What somebody types to find the things of one customer."""
    from apps.billing.models import Invoice, Payment
    from apps.catalog.models import Order, Service
    from apps.identity.models import Customer

    keys = bed.of[owner]
    customer = Customer.objects.get(pk=keys["customers"])
    service = Service.objects.get(pk=keys["services"])
    return [
        customer.reference,
        customer.name,
        customer.phone,
        customer.email,
        service.reference,
        service.access.login if service.access else "",
        Order.objects.get(pk=keys["orders"]).reference,
        Invoice.objects.get(pk=keys["invoices"]).reference,
        Payment.objects.get(pk=keys["payments"]).reference,
    ]


def test_search_finds_only_what_may_be_opened(bed):
    wrong, hits = [], 0
    for who in PEOPLE:
        browser, opens = bed_of.console_of(bed, who), {}
        for owner in CUSTOMERS:
            for text in words_of(bed, owner):
                page = browser.get("/console/search", {"q": text, "fragment": "1"})
                for url in set(re.findall(r'href="(/console/[\w-]+/\d+)"',
                                          page.content.decode())):  # fmt: skip
                    hits += 1
                    if url not in opens:
                        opens[url] = browser.get(url).status_code
                    if opens[url] != 200:
                        wrong.append(f"{who} {text}: {url}")
                mine = f"/console/customers/{bed.of[owner]['customers']}\""
                reaches = bed_of.expected(who, "identity.view_customer", owner)
                if text.startswith("C-") and (mine in page.content.decode()) != (
                    reaches == "through"
                ):
                    wrong.append(f"{who} {text}: found is not {reaches}")
    assert not wrong, "\n".join(wrong)
    assert hits >= 60


def test_the_search_box_of_a_list_narrows_what_is_visible(bed):
    wrong, compared = [], 0
    for who in ("sola", "remi", "rita"):
        actor = getattr(bed.world, who).actor
        for screen in lists():
            if not screen.search_hint or not actor.may(screen.permission):
                continue
            visible = screen.rows(actor, screen.permission)
            inside = set(visible.values_list("pk", flat=True))
            for owner in CUSTOMERS:
                for text in words_of(bed, owner):
                    found = screen.search(visible, text).values_list("pk", flat=True)
                    compared += 1
                    if not set(found) <= inside:
                        wrong.append(f"{who} {screen.slug} {text}")
    assert not wrong, "\n".join(wrong)
    assert compared >= 100


def test_figures_of_the_whole_are_shown_to_whom_the_whole_is_open(bed):
    """A reseller's people must not read what everybody owes, nor count them."""
    shown = {
        who: bed_of.console_of(bed, who).get("/console/").content.decode()
        for who in ("ada", "remi", "rita")
    }
    for words in ("heard of within three intervals", "Receivables by age"):
        assert words in shown["ada"]
        assert words not in shown["remi"]
        assert words not in shown["rita"]
    plans = {
        who: _exported_rows(bed_of.console_of(bed, who), "plans")
        for who in ("ada", "rita")
    }
    assert "2" in plans["ada"][1]
    assert "2" not in plans["rita"][1]
    assert "1" in plans["rita"][1]


def _exported_rows(browser, slug):
    answer = browser.get(f"/console/{slug}/export.csv")
    body = b"".join(answer.streaming_content).decode().removeprefix("\ufeff")
    return list(csv.reader(io.StringIO(body)))
