"""The customer's papers: what we keep and show, and what it sends us."""

from __future__ import annotations

from typing import Any

from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.identity import operations, selectors
from apps.identity.enums import DocumentKind
from apps.identity.models import CustomerDocument
from apps.identity.rules.documents import FORMATS
from dotmac.core.console.page import Done
from dotmac.core.downloads import attached
from dotmac.core.errors import InvalidInput, NotFound
from dotmac.core.portal import PortalPage, PortalPageRequest, register_page

DIGITS_MAX = 18
DOCUMENTS_SHOWN_MAX = 50


def key_of(page: PortalPageRequest, name: str) -> int:
    """A row's key as the form sent it; what is no key names nothing."""
    said = page.form.get(name, "")
    if not (said.isascii() and said.isdecimal()) or len(said) > DIGITS_MAX:
        raise NotFound
    return int(said)


@register_page
class Papers(PortalPage):
    """Documents; opening one is an act, since it is written down."""

    path, name, title = "papers", "papers", gettext_lazy("Documents")
    template = "identity/portal/papers.html"

    def context(self, page: PortalPageRequest, **_path: Any) -> dict[str, Any]:
        page.require("identity.view_document")
        return {
            "documents": self._mine(page, "identity.view_document")[
                :DOCUMENTS_SHOWN_MAX
            ],
            "kinds": DocumentKind.choices,
            "accept": ",".join(FORMATS),
            "may_add": page.may("identity.add_document"),
            "here": "papers",
        }

    def submit(self, page: PortalPageRequest, **_path: Any) -> Done | HttpResponseBase:
        if page.form.get("do") == "open":
            return self._open(page)
        if page.form.get("do") == "add":
            return self._add(page)
        raise NotFound

    def _mine(self, page: PortalPageRequest, permission: str) -> Any:
        page.require(permission)
        reach = selectors.documents_visible_to(page.actor, permission)
        rows = reach.filter(customer_id=page.customer_id, in_portal=True)
        return rows.order_by("-pk")

    def _open(self, page: PortalPageRequest) -> HttpResponseBase:
        mine = self._mine(page, "identity.open_document")
        document: CustomerDocument | None = mine.filter(
            pk=key_of(page, "document")
        ).first()
        if document is None:
            raise NotFound
        opened = operations.open_document(
            document_id=document.pk, actor=page.actor, now=page.now
        )
        return attached(opened.content, name=opened.name, media_type=opened.media_type)

    def _add(self, page: PortalPageRequest) -> Done:
        page.require("identity.add_document")
        file = page.files.get("file")
        if file is None:
            raise InvalidInput(_("Choose a file."), field="file")
        operations.add_document(
            customer_id=page.customer_id,
            kind=page.form.get("kind", ""),
            name=file.name or "",
            content=file,
            actor=page.actor,
            now=page.now,
        )
        return Done(_("We have it. Thank you."))
