"""What a list holds is what the same person may open, for every list there is:
the API's with its count, the console's with its search box and its export, and
the search over everything.
"""

import csv
import io
import re
from typing import Any

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
                exported, count = _exported(browser, screen.slug), visible.count()
                if exported != count:
                    wrong.append(f"{who} {screen.slug}: {exported} of {count} exported")
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


def _exported(browser, slug):
    answer = browser.get(f"/console/{slug}/export.csv")
    body = b"".join(answer.streaming_content).decode().removeprefix("\ufeff")
    return len(list(csv.reader(io.StringIO(body)))) - 1


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
