"""The question for a second factor in front of something dangerous.

Before a form: to the page that asks, and back. After it: the same question with
what was typed in hidden fields, so that nothing is lost.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

FIELD = "step_up_otp"
_NOT_TYPED = frozenset({"csrfmiddlewaretoken", FIELD})


def confirm_first(request: HttpRequest, *, base: str) -> HttpResponse:
    """Ask who it is; `base` is the look of the page around the question."""
    if request.method != "POST":
        query = urlencode({"next": request.get_full_path()})
        url = f"{settings.STEP_UP_URL}?{query}"
        if request.headers.get("HX-Request"):
            return HttpResponse(status=204, headers={"HX-Redirect": url})
        return redirect(url)
    error: Any = getattr(request, "step_up_error", None)
    context = {
        "base": base,
        "typed": [
            (name, value)
            for name, values in request.POST.lists()
            if name not in _NOT_TYPED
            for value in values
        ],
        "had_files": bool(request.FILES),
        "field": FIELD,
        "error": _(error.detail) if error is not None else "",
        "begin": settings.STEP_UP_PASSKEY_URL,
    }
    response = render(request, "ui/confirm.html", context, status=422)
    if error is not None and "retry_after_s" in error.facts:
        response["Retry-After"] = str(error.facts["retry_after_s"])
    return response
