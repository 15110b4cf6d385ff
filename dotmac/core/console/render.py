"""Values as people read them: money, bytes, instants, states."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from dotmac.core.console.states import State, state_of
from dotmac.core.money import Money

DASH = "\u2013"
_THOUSAND = 1000
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_RECENT_S = 60


@cache
def icons() -> dict[str, str]:
    """Tabler outline icons by name: the inside of each SVG."""
    text = (Path(__file__).parent / "icons.json").read_text()
    loaded: dict[str, str] = json.loads(text)
    return loaded


def icon(name: str, css: str = "") -> SafeString:
    """An inline SVG, hidden from screen readers: the word stands beside it."""
    inner = icons().get(name) or icons()["point"]
    return format_html(
        '<svg class="icon{}" viewBox="0 0 24 24" width="20" height="20" fill="none" '
        'stroke="currentColor" stroke-width="1.75" stroke-linecap="round" '
        'stroke-linejoin="round" aria-hidden="true" focusable="false">{}</svg>',
        f" {css}" if css else "",
        mark_safe(inner),  # noqa: S308  # nosec B703 B308 - vendored file, no input
    )


def badge(value: Any, why: Any = "") -> SafeString:
    """Icon, word and colour; with a why, a disclosure that works by keyboard."""
    if value is None or value == "":
        return SafeString(DASH)  # nosec B703
    state: State = state_of(value, why)
    face = format_html(
        '<span class="dm-state dm-{}">{}<span>{}</span></span>',
        state.tone,
        icon(state.icon),
        state.word,
    )
    if not state.why:
        return face
    return format_html(
        '<details class="dm-why"><summary>{}<span class="dm-why-mark">{}</span>'
        '</summary><div class="dm-why-text">{}</div></details>',
        face,
        _("why?"),
        state.why,
    )


def money(value: Any) -> SafeString:
    """Grouped digits and currency code, tabular."""
    if isinstance(value, Money):
        exponent_text = str(value)
        amount, _space, code = exponent_text.rpartition(" ")
        return format_html(
            '<span class="dm-num">{}</span> <span class="dm-code">{}</span>',
            amount,
            code,
        )
    return SafeString(DASH) if value is None else format_html("{}", value)  # nosec B703


def balance_words(balance: Money) -> str:
    """What a customer owes, in words: positive is owed, negative is credit."""
    if balance.amount_minor > 0:
        return _("%(amount)s owed") % {"amount": balance}
    if balance.amount_minor < 0:
        return _("%(amount)s in credit") % {"amount": -balance}
    return _("Nothing owed")


def octets_text(value: float | Decimal | None) -> str:
    """Decimal units, as providers count."""
    return _scaled(value, ("B", "kB", "MB", "GB", "TB", "PB"))


def rate_text(value: float | Decimal | None) -> str:
    """Bits per second."""
    text = _scaled(value, ("bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"))
    return text.replace(".0 ", " ")


def _scaled(value: float | Decimal | None, units: tuple[str, ...]) -> str:
    if value is None:
        return DASH
    number, step = float(value), 0
    while abs(number) >= _THOUSAND and step < len(units) - 1:
        number, step = number / _THOUSAND, step + 1
    digits = 0 if step == 0 or abs(number) >= 100 else 1
    return f"{number:,.{digits}f} {units[step]}"


def duration_text(seconds: float | None) -> str:
    """The two largest units: "3 d 4 h"."""
    if seconds is None:
        return DASH
    whole = max(int(seconds), 0)
    if whole >= _DAY:
        return _("%(d)d d %(h)d h") % {"d": whole // _DAY, "h": whole % _DAY // _HOUR}
    if whole >= _HOUR:
        return _("%(h)d h %(m)d min") % {
            "h": whole // _HOUR,
            "m": whole % _HOUR // _MINUTE,
        }
    if whole >= _MINUTE:
        return _("%(m)d min") % {"m": whole // _MINUTE}
    return _("%(s)d s") % {"s": whole}


def instant(value: datetime | None) -> SafeString:
    """Exact in the operator's zone, marked up for machines."""
    if value is None:
        return SafeString(DASH)  # nosec B703
    local = timezone.localtime(value, settings.OPERATOR_ZONE)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        value.isoformat(),
        local.strftime("%Y-%m-%d %H:%M:%S %Z"),
        local.strftime("%d %b %Y, %H:%M"),
    )


def ago(value: datetime | None, now: datetime | None = None) -> SafeString:
    """Relative, with the exact instant on hover and for machines."""
    if value is None:
        return SafeString(DASH)  # nosec B703
    local = timezone.localtime(value, settings.OPERATOR_ZONE)
    now = now or timezone.now()
    if abs((now - value).total_seconds()) < _RECENT_S:
        text = _("just now")
    elif value > now:
        text = _("in %(time)s") % {"time": timesince(now, value, depth=1)}
    else:
        text = _("%(time)s ago") % {"time": timesince(value, now, depth=1)}
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        value.isoformat(),
        local.strftime("%Y-%m-%d %H:%M:%S %Z"),
        text,
    )


def day(value: date | None) -> SafeString:
    if value is None:
        return SafeString(DASH)  # nosec B703
    if isinstance(value, datetime):
        value = timezone.localtime(value, settings.OPERATOR_ZONE).date()
    return format_html(
        '<time datetime="{}">{}</time>', value.isoformat(), value.strftime("%d %b %Y")
    )


def code(value: Any, url: str = "") -> SafeString:
    """A reference, address or key, with a button that copies it."""
    if value in {None, ""}:
        return SafeString(DASH)  # nosec B703
    face = format_html('<span class="dm-mono">{}</span>', value)
    if url:
        face = format_html('<a class="dm-mono" href="{}">{}</a>', url, value)
    return format_html(
        '<span class="dm-copy">{}<button type="button" class="dm-copy-button" '
        'data-copy="{}" aria-label="{}" hidden>{}</button></span>',
        face,
        value,
        _("Copy %(value)s") % {"value": value},
        icon("copy"),
    )


def progress(value: Any) -> SafeString:
    """Percent as a bar and in figures."""
    if value is None:
        return SafeString(DASH)  # nosec B703
    percent = max(0, min(100, int(value)))
    return format_html(
        '<span class="dm-progress"><progress max="100" value="{0}">{0} %</progress>'
        ' <span class="dm-num">{0} %</span></span>',
        percent,
    )


def number(value: Any) -> SafeString:
    if value is None:
        return SafeString(DASH)  # nosec B703
    text = f"{value:,}" if isinstance(value, (int, Decimal)) else str(value)
    return format_html('<span class="dm-num">{}</span>', text)


def yes_no(value: Any) -> SafeString:
    word, name = (_("Yes"), "check") if value else (_("No"), "minus")
    return format_html('<span class="dm-yesno">{} {}</span>', icon(name), word)


def text(value: Any) -> SafeString:
    if value in {None, ""}:
        return SafeString(DASH)  # nosec B703
    return format_html("{}", value)


def long_text(value: Any) -> SafeString:
    if value in {None, ""}:
        return SafeString(DASH)  # nosec B703
    return format_html('<span class="dm-long">{}</span>', value)


def count_words(count: int, cap: int) -> str:
    """A capped count, honest about the cap."""
    if count >= cap:
        return _("%(cap)s or more") % {"cap": f"{cap:,}"}
    return ngettext("%(count)s row", "%(count)s rows", count) % {"count": f"{count:,}"}


def badges(values: Sequence[State] | None) -> SafeString:
    """Several states beside each other."""
    shown = format_html_join(" ", "{}", ((badge(value),) for value in values or ()))
    return shown or SafeString(DASH)  # nosec B703


_BY_KIND: dict[str, Callable[[Any], SafeString]] = {
    "text": text,
    "long": long_text,
    "code": code,
    "state": badge,
    "badges": badges,
    "money": money,
    "number": number,
    "bytes": lambda value: number(octets_text(value)),
    "rate": lambda value: number(rate_text(value)),
    "duration": lambda value: number(duration_text(value)),
    "date": day,
    "datetime": instant,
    "ago": ago,
    "progress": progress,
    "bool": yes_no,
}


def show(value: Any, kind: str = "text") -> SafeString:
    """The markup for a value of a column kind."""
    return _BY_KIND[kind](value)


def plain(value: Any, kind: str = "text") -> Any:
    """The value for CSV and XLSX: ISO dates, dot decimals, no markup."""
    if value is None:
        return ""
    if isinstance(value, Money):
        return value.amount
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if kind == "state":
        return str(state_of(value).word)
    if kind == "badges":
        return ", ".join(str(each.word) for each in value)
    if isinstance(value, (bool, int, Decimal, float)):
        return value
    return str(value)
