"""Who may act for the customer. One with all rights invites and removes others."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.identity import operations, selectors
from apps.identity.enums import MemberRights
from apps.identity.portal.profile import me, text
from dotmac.core.console.page import Done
from dotmac.core.errors import NotFound
from dotmac.core.portal import PortalPage, PortalPageRequest, register_page

DIGITS_MAX = 18


@register_page
class People(PortalPage):
    path = "people"
    name = "people"
    title = gettext_lazy("People")
    template = "identity/portal/people.html"
    only_shows = False  # what it offers is by the person's own rights

    def context(self, page: PortalPageRequest, **path: Any) -> dict[str, Any]:
        return {
            "members": list(selectors.memberships_of(page.customer_id)),
            "rights": MemberRights.choices,
            "may_change": self._is_full(page),
            "my_id": page.actor.id,
            "here": "people",
        }

    def _is_full(self, page: PortalPageRequest) -> bool:
        return selectors.is_full_member(me(page).pk, page.customer_id)

    def submit(self, page: PortalPageRequest, **path: Any) -> Done:
        if not self._is_full(page):
            raise NotFound
        doing = {"invite": self._invite, "rights": self._rights, "remove": self._remove}
        act = doing.get(page.form.get("do", ""))
        if act is None:
            raise NotFound
        return Done(act(page))

    def _invite(self, page: PortalPageRequest) -> str:
        email = text(page, "email", 300).strip()
        operations.invite_member(
            customer_id=page.customer_id,
            email=email,
            name=text(page, "name", 150),
            rights=page.form.get("rights", ""),
            actor=page.actor,
            now=page.now,
        )
        return _("We wrote to %s.") % email

    def _rights(self, page: PortalPageRequest) -> str:
        operations.change_member(
            customer_id=page.customer_id,
            user_id=_whom(page),
            rights=page.form.get("rights", ""),
            actor=page.actor,
            now=page.now,
        )
        return _("Saved.")

    def _remove(self, page: PortalPageRequest) -> str:
        operations.remove_member(
            customer_id=page.customer_id,
            user_id=_whom(page),
            actor=page.actor,
            now=page.now,
        )
        return _("That person no longer acts for the account.")


def _whom(page: PortalPageRequest) -> int:
    number = page.form.get("user", "")
    if not number.isdecimal() or len(number) > DIGITS_MAX:
        raise NotFound
    return int(number)
