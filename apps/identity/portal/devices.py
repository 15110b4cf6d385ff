"""Where the person is signed in, and how to end it."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.identity import operations, selectors
from dotmac.core.console.page import Done
from dotmac.core.errors import NotFound
from dotmac.core.portal import PortalPage, PortalPageRequest, register_page

DIGITS_MAX = 18


@register_page
class Devices(PortalPage):
    path = "devices"
    name = "devices"
    title = gettext_lazy("Devices")
    template = "identity/portal/devices.html"
    only_shows = False  # the person's own, not the account's

    def context(self, page: PortalPageRequest, **path: Any) -> dict[str, Any]:
        found = selectors.sign_ins_of(page.actor, now=page.now)
        return {"sign_ins": found, "more": len(found) > 1, "here": "devices"}

    def submit(self, page: PortalPageRequest, **path: Any) -> Done:
        wanted = page.form.get("session", "")
        if wanted == "others":
            ended = operations.end_other_sessions(actor=page.actor, now=page.now)
            return Done(_("%s other sign-ins are over.") % ended)
        if not wanted.isdecimal() or len(wanted) > DIGITS_MAX:
            raise NotFound
        operations.end_own_session(
            session_id=int(wanted), actor=page.actor, now=page.now
        )
        return Done(_("That device must sign in again."))
