"""Refusals that several operations share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from apps.network.errors import AccountClosed
from apps.network.models import AccessAccount, Site
from apps.network.rules.credentials import MalformedText
from dotmac.core.errors import InvalidInput

T = TypeVar("T")


def open_account(account_id: int) -> AccessAccount:
    """The account, locked until the transaction ends; raises AccountClosed."""
    account = AccessAccount.objects.locked().get(pk=account_id)
    if account.closed_at is not None:
        raise AccountClosed(login=account.login)
    return account


def checked(field: str, rule: Callable[[str], T], text: str) -> T:
    """What the rule makes of the text; its complaint names the field."""
    try:
        return rule(text)
    except MalformedText as complaint:
        raise InvalidInput(str(complaint), field=field) from None


def refuse_unknown_site(site_id: int | None) -> None:
    """Raises InvalidInput for a site that is not there; None is no site."""
    if site_id is not None and not Site.objects.filter(pk=site_id).exists():
        raise InvalidInput("There is no such site.", field="site")


def named(name: str, *, maximum: int, field: str = "name") -> str:
    """A name that people can see and tell apart."""
    if not name.strip() or len(name) > maximum or not name.isprintable():
        raise InvalidInput(
            f"A name has 1 to {maximum} printable characters.", field=field
        )
    return name


def in_range(field: str, value: int, low: int, high: int) -> int:
    if not low <= value <= high:
        raise InvalidInput(f"Between {low} and {high}.", field=field)
    return value


def one_of(field: str, value: str, words: list[str]) -> str:
    if value not in words:
        raise InvalidInput(f"One of {', '.join(words)}.", field=field)
    return value
