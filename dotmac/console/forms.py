"""Binding console forms and tying refusals to their fields."""

from __future__ import annotations

from typing import Any

from django.forms import BaseForm
from django.http import HttpRequest

from dotmac.console.access import refusal_text
from dotmac.core.console import ConsoleForm, Page
from dotmac.core.errors import DomainError


def bind(
    kind: type[ConsoleForm],
    request: HttpRequest,
    *,
    page: Page,
    row: Any = None,
    initial: dict[str, Any] | None = None,
) -> ConsoleForm:
    """Unbound on GET, with what was typed on POST. Query values prefill."""
    if request.method == "POST":
        return kind(request.POST, request.FILES, page=page, row=row, initial=initial)
    prefilled = {
        name: value
        for name, value in request.GET.items()
        if name in kind.base_fields and "\x00" not in value
    }
    return kind(page=page, row=row, initial={**(initial or {}), **prefilled})


def explain(form: BaseForm, error: DomainError) -> None:
    """Put the refusal beside the field it names, else above the form."""
    # "custom.nin" of an operation is the field "custom_nin" of a form.
    name = (error.field or "").replace(".", "_")
    form.add_error(name if name in form.fields else None, refusal_text(error))
