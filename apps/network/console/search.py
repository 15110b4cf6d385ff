"""Find by login, address or name of a NAS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_lazy

from apps.network import selectors
from apps.network.console.states import account_state, nas_state
from apps.network.rules.addressing import parsed_address
from apps.network.rules.credentials import MalformedText
from dotmac.core.actors import Actor
from dotmac.core.console import (
    SearchHit,
    SearchProvider,
    detail_url,
    register_search,
)


def find_accounts(text: str, actor: Actor, limit: int) -> Sequence[SearchHit]:
    """By login from its beginning, or by an address that is held now."""
    rows = selectors.accounts(actor)
    address = _address(text)
    if address is None:
        found = rows.filter(login__startswith=text)
    else:
        found = rows.filter(pk__in=selectors.holders_now(address))
    accounts = list(found.order_by("login", "pk")[:limit])
    views = selectors.account_views([account.pk for account in accounts])
    return [
        SearchHit(
            title=account.login,
            url=detail_url("accounts", account.pk),
            detail=", ".join(views[account.pk].addresses),
            state=account_state(views[account.pk]),
            exact=account.login == text or address is not None,
        )
        for account in accounts
    ]


def find_nas(text: str, actor: Actor, limit: int) -> Sequence[SearchHit]:
    """By name from its beginning, or by source address."""
    rows = selectors.nas_list(actor)
    address = _address(text)
    if address is None:
        found = rows.filter(name__istartswith=text)
    else:
        found = rows.filter(address=address)
    return [
        SearchHit(
            title=nas.name,
            url=detail_url("nas", nas.pk),
            detail=str(nas.address),
            state=nas_state(nas),
            exact=text in {nas.name, str(nas.address)},
        )
        for nas in found.order_by("name", "pk")[:limit]
    ]


def find_prefixes(text: str, actor: Actor, limit: int) -> Sequence[SearchHit]:
    """The prefixes around an address, the narrowest first; or one by its text."""
    rows = selectors.prefixes(actor)
    address: Any = _address(text)
    if address is not None:
        found = rows.filter(cidr__net_contains_or_equals=address)
    else:
        found = selectors.prefixes_of_text(rows, text)
    return [
        SearchHit(
            title=str(prefix.cidr),
            url=detail_url("prefixes", prefix.pk),
            detail=prefix.description or prefix.get_kind_display(),
            exact=str(prefix.cidr) == text,
        )
        for prefix in found.order_by("-cidr", "pk")[:limit]
    ]


def _address(text: str) -> str | None:
    try:
        return str(parsed_address(text))
    except MalformedText:
        return None


for provider in (
    SearchProvider(
        slug="accounts",
        label=gettext_lazy("Access accounts"),
        permission="network.view_account",
        find=find_accounts,
        icon="plug",
        order=30,
    ),
    SearchProvider(
        slug="nas",
        label=gettext_lazy("NAS"),
        permission="network.view_nas",
        find=find_nas,
        icon="router",
        order=60,
    ),
    SearchProvider(
        slug="prefixes",
        label=gettext_lazy("Prefixes"),
        permission="network.view_prefix",
        find=find_prefixes,
        icon="sitemap",
        order=70,
    ),
):
    register_search(provider)
