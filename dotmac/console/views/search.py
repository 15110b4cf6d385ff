"""Search by any identifier: exact hits first, five of a kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from dotmac.console.access import staff_view
from dotmac.core.console import Page, SearchHit, SearchProvider, registry

TEXT_MIN, TEXT_MAX = 2, 100
HITS_MAX = 5


@dataclass(frozen=True, slots=True)
class Group:
    """The hits of one kind of thing."""

    provider: SearchProvider
    hits: list[SearchHit]

    @property
    def exact(self) -> bool:
        return any(hit.exact for hit in self.hits)


@require_safe
@staff_view
def search(request: HttpRequest, page: Page) -> HttpResponseBase:
    """Results as a page, or as the drop-down's fragment.

    Enter (`go`) opens the only exact hit at once.
    """
    text = page.query.get("q", "").replace("\x00", "").strip()[:TEXT_MAX]
    groups = found(text, page) if len(text) >= TEXT_MIN else []
    exact = [hit for group in groups for hit in group.hits if hit.exact]
    if "go" in page.query and len(exact) == 1:
        return redirect(exact[0].url)
    context: dict[str, Any] = {
        "text": text,
        "groups": groups,
        "too_short": len(text) < TEXT_MIN,
        "kinds": allowed(page),
    }
    part = "fragment" in request.GET
    return render(
        request, "console/search_hits.html" if part else "console/search.html", context
    )


def allowed(page: Page) -> list[SearchProvider]:
    providers = [p for p in registry.searches.values() if page.may(p.permission)]
    return sorted(providers, key=lambda provider: provider.order)


def found(text: str, page: Page) -> list[Group]:
    """Groups with something in them, those with an exact hit first."""
    groups = []
    for provider in allowed(page):
        hits = list(provider.find(text, page.actor, HITS_MAX))[:HITS_MAX]
        if hits:
            hits.sort(key=lambda hit: not hit.exact)
            groups.append(Group(provider, hits))
    return sorted(groups, key=lambda group: not group.exact)
