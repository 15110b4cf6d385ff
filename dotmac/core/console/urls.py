"""Addresses of screens, for links between apps."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse


def list_url(slug: str, **query: Any) -> str:
    """Of a list, page or form ("customers", "customers/new")."""
    return _with_query(_of_screen(slug), query)


def detail_url(slug: str, pk: int, **query: Any) -> str:
    return _with_query(reverse("console:detail", args=[slug, pk]), query)


def action_url(slug: str, pk: int, action: str, **query: Any) -> str:
    return _with_query(reverse("console:action", args=[slug, pk, action]), query)


def series_url(slug: str, pk: int, name: str, **query: Any) -> str:
    return _with_query(reverse("console:series", args=[slug, pk, name]), query)


form_url = list_url


@lru_cache(maxsize=256)
def _of_screen(slug: str) -> str:
    """Kept: every page names every screen of the rail, and looking up is slow."""
    return reverse("console:screen", args=[slug])


def _with_query(path: str, query: dict[str, Any]) -> str:
    return f"{path}?{urlencode(query)}" if query else path
