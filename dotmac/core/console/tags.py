"""Template tags that console, portal and the apps' own templates share."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django import template
from django.conf import settings
from django.forms import BoundField, CheckboxInput, RadioSelect
from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from dotmac.core.console import render
from dotmac.core.console.columns import Column, Fact
from dotmac.core.console.links import link_of
from dotmac.core.console.panels import Button, Chart, TemplatePanel
from dotmac.core.console.screens import Action, Screen
from dotmac.core.console.urls import action_url
from dotmac.core.money import Money

register = template.Library()
TABLE_ROWS_MAX = 60


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    return render.icon(name, css)


@register.simple_tag
def badge(value: Any, why: Any = "") -> SafeString:
    return render.badge(value, why)


@register.simple_tag
def show(value: Any, kind: str = "text") -> SafeString:
    return render.show(value, kind)


@register.simple_tag
def fact(item: Fact) -> SafeString:
    """The value of a fact, with its link where it has one."""
    if item.kind == "state":
        return render.badge(item.value, item.why)
    if item.kind == "code":
        return render.code(item.value, item.url)
    shown = render.show(item.value, item.kind)
    return format_html('<a href="{}">{}</a>', item.url, shown) if item.url else shown


@register.simple_tag
def cell(column: Column, row: Any, url: str = "") -> SafeString:
    """One cell of a table, with its link where it has one."""
    value = column.read(row)
    if column.kind == "state":
        return render.badge(value, column.why(row) if column.why else "")
    if column.kind == "code":
        return render.code(value, url)
    shown = render.show(value, column.kind)
    return format_html('<a href="{}">{}</a>', url, shown) if url else shown


@register.simple_tag
def row_link(row_url: Callable[[Any], str], row: Any) -> str:
    return row_url(row)


@register.simple_tag
def row_count(count: int, cap: int) -> str:
    return render.count_words(count, cap)


@register.simple_tag(takes_context=True)
def allowed(context: Any, buttons: Sequence[Button]) -> list[Button]:
    """The buttons that this person may use."""
    page = context.get("page")
    return [b for b in buttons if page is None or page.may(b.permission)]


@register.simple_tag(takes_context=True)
def include_panel(context: Any, panel: TemplatePanel) -> SafeString:
    """A panel drawn by its app's own template."""
    return render_to_string(
        panel.name, {**panel.context, "page": context.get("page")}, context["request"]
    )


@register.inclusion_tag("ui/row_action.html", takes_context=True)
def action_form(context: Any, screen: Screen, row: Any, action: Action) -> Any:
    """The button of an action on one row of a list."""
    shown = action.shown is None or action.shown(row)
    return {
        "shown": shown,
        "action": action,
        "asks": bool(action.form or action.confirm),
        "url": action_url(screen.slug, row.pk, action.slug) if shown else "",
        "csrf_token": context.get("csrf_token"),
    }


@register.simple_tag(takes_context=True)
def cell_url(context: Any, column: Column, row: Any) -> str:
    """Where the cell leads, if it leads anywhere this person may go."""
    return link_of(column, row, context.get("page"))


@register.filter
def ago(value: datetime | None) -> SafeString:
    return render.ago(value)


@register.filter
def owed(value: Money) -> str:
    return render.balance_words(value)


@register.filter
def octets(value: Any) -> str:
    return render.octets_text(value)


@register.inclusion_tag("ui/form_field.html")
def form_field(field: BoundField) -> dict[str, Any]:
    """Label, control, help and errors, tied together for screen readers."""
    widget = field.field.widget
    is_check = isinstance(widget, CheckboxInput)
    is_group = isinstance(widget, RadioSelect)
    described = [f"{field.auto_id}_help"] if field.help_text else []
    described += [f"{field.auto_id}_error"] if field.errors else []
    attrs: dict[str, Any] = {}
    if described:
        attrs["aria-describedby"] = " ".join(described)
    if field.errors:
        attrs["aria-invalid"] = "true"
    attrs["class"] = _control_class(widget, is_check=is_check, bad=bool(field.errors))
    control = field.as_widget(attrs=attrs)
    return {
        "field": field,
        "control": control,
        "is_check": is_check,
        "is_group": is_group,
    }


def _control_class(widget: Any, *, is_check: bool, bad: bool) -> str:
    if isinstance(widget, RadioSelect):
        return ""  # Django puts it on the box around the choices as well
    base = "form-control"
    if is_check:
        base = "form-check-input"
    elif getattr(widget, "input_type", "") == "select":
        base = "form-select"
    return f"{base} is-invalid" if bad else base


@register.inclusion_tag("ui/chart.html")
def chart(chart: Chart, source: str = "", title: Any = "") -> dict[str, Any]:
    """A drawing with legend and values, and the same numbers as a table."""
    show_value = _value_text(chart.unit)
    step = -(-len(chart.instants) // TABLE_ROWS_MAX) or 1
    picked = range(len(chart.instants) - 1, -1, -step)
    return {
        "chart": chart,
        "source": source,
        "title": title,
        "data": chart_json(chart),
        "legend": [_legend(line, show_value) for line in chart.lines],
        "table": [
            (chart.instants[at], [show_value(line.values[at]) for line in chart.lines])
            for at in picked
        ],
        "thinned": step > 1,
    }


def chart_json(chart: Chart) -> str:
    """Columns for uPlot: instants in seconds, then one list per line."""
    columns: list[list[float | None]] = [
        [int(instant.timestamp()) for instant in chart.instants]
    ]
    columns += [list(line.values) for line in chart.lines]
    return json.dumps(
        {
            "unit": chart.unit,
            "zone": settings.OPERATOR_TIME_ZONE,
            "labels": [str(line.label) for line in chart.lines],
            "columns": columns,
        }
    )


def _value_text(unit: str) -> Any:
    texts = {"octets": render.octets_text, "bit/s": render.rate_text}
    return texts.get(
        unit, lambda value: render.DASH if value is None else f"{value:,.0f}"
    )


def _legend(line: Any, show_value: Any) -> dict[str, Any]:
    present = [value for value in line.values if value is not None]
    return {
        "label": line.label,
        "latest": show_value(present[-1]) if present else _("no data"),
        "peak": show_value(max(present)) if present else _("no data"),
        "total": show_value(sum(present)) if present else _("no data"),
    }


@register.simple_tag(takes_context=True)
def with_query(context: Any, **changes: Any) -> str:
    """The current query with some values replaced; None drops one."""
    query: QueryDict = context["request"].GET.copy()
    query.pop("fragment", None)
    for name, value in changes.items():
        if value is None or value == "":
            query.pop(name, None)
        else:
            query[name] = str(value)
    return f"?{query.urlencode()}" if query else "?"
