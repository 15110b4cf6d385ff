"""A copy of everything that is held, for whom it is about."""

from __future__ import annotations

from typing import Any

from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.identity import operations, selectors
from apps.identity.portal.papers import key_of
from apps.identity.portal.profile import me, prove
from dotmac.core.console.page import Done
from dotmac.core.downloads import attached_pieces
from dotmac.core.errors import NotFound
from dotmac.core.portal import PortalPage, PortalPageRequest, register_page

COPIES_SHOWN_MAX = 5
PERMISSION = "identity.export_customer"


@register_page
class OwnData(PortalPage):
    """Asking for a copy and taking it both need the password: a phone gets lost."""

    path, name, title = "your-data", "own-data", gettext_lazy("Your data")
    template = "identity/portal/own_data.html"
    only_shows = False  # the proof that it asks for is the person's own

    def context(self, page: PortalPageRequest, **_path: Any) -> dict[str, Any]:
        page.require(PERMISSION)
        copies = list(selectors.exports_of(page.customer_id)[:COPIES_SHOWN_MAX])
        return {
            "copies": copies,
            "waiting": any(copy.done_at is None for copy in copies),
            "factors": selectors.factors_of(me(page).pk),
            "here": "own-data",
        }

    def submit(self, page: PortalPageRequest, **_path: Any) -> Done | HttpResponseBase:
        page.require(PERMISSION)
        if page.form.get("do") == "request":
            prove(page)
            operations.request_export(
                customer_id=page.customer_id, actor=page.actor, now=page.now
            )
            return Done(_("We put your copy together. Come back in a minute."))
        if page.form.get("do") == "open":
            return self._open(page)
        raise NotFound

    def _open(self, page: PortalPageRequest) -> HttpResponseBase:
        mine = selectors.exports_of(page.customer_id)
        copy = mine.filter(pk=key_of(page, "copy")).first()
        if copy is None:
            raise NotFound
        prove(page)
        opened = operations.open_export(
            export_id=copy.pk, actor=page.actor, now=page.now
        )
        return attached_pieces(
            opened.pieces,
            name=opened.name,
            media_type=opened.media_type,
            size_bytes=opened.size_bytes,
        )
