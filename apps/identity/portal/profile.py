"""Who the person is: the own name and address, and the customer's contact data."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.identity import operations, selectors
from apps.identity.models import User
from dotmac.core.console.page import Done
from dotmac.core.errors import NotFound
from dotmac.core.portal import PortalPage, PortalPageRequest, register_page


def me(page: PortalPageRequest) -> User:
    """The row of who is signed in."""
    found = selectors.person(page.actor.id)
    if found is None:
        raise NotFound
    return found


def text(page: PortalPageRequest, name: str, limit: int = 1024) -> str:
    """What was typed into a field, bounded."""
    return page.form.get(name, "")[:limit]


def prove(page: PortalPageRequest) -> None:
    """The password, and a code where there is a second factor."""
    operations.require_proof(
        session_id=page.actor.session_id or 0,
        password=text(page, "password"),
        otp=text(page, "otp", 24),
        address=page.actor.address,
        now=page.now,
    )


@register_page
class Profile(PortalPage):
    path = "profile"
    name = "profile"
    title = gettext_lazy("Profile")
    template = "identity/portal/profile.html"
    only_shows = False  # the person's own, not the account's

    def context(self, page: PortalPageRequest, **path: Any) -> dict[str, Any]:
        user = me(page)
        return {
            "me": user,
            "proved": selectors.proved_email(user),
            "factors": selectors.factors_of(user.pk),
            "may_change": selectors.is_full_member(user.pk, page.customer_id),
            "here": "profile",
        }

    def submit(self, page: PortalPageRequest, **path: Any) -> Done:
        doing = {
            "name": self._rename,
            "email": self._email,
            "again": self._again,
            "phone": self._phone,
        }.get(page.form.get("do", ""))
        if doing is None:
            raise NotFound
        return Done(doing(page))

    def _rename(self, page: PortalPageRequest) -> str:
        operations.rename_user(
            user_id=me(page).pk,
            name=text(page, "name", 200),
            actor=page.actor,
            now=page.now,
        )
        return _("Saved.")

    def _email(self, page: PortalPageRequest) -> str:
        prove(page)
        email = text(page, "email", 300).strip()
        operations.request_email(
            user_id=me(page).pk, email=email, actor=page.actor, now=page.now
        )
        return _("We mailed a link to %s. The address counts once you open it.") % email

    def _again(self, page: PortalPageRequest) -> str:
        user = me(page)
        operations.request_email(
            user_id=user.pk, email=user.email, actor=page.actor, now=page.now
        )
        return _("We mailed a link to %s.") % user.email

    def _phone(self, page: PortalPageRequest) -> str:
        if not selectors.is_full_member(me(page).pk, page.customer_id):
            raise NotFound
        operations.change_customer(
            customer_id=page.customer_id,
            changes={"phone": text(page, "phone", 40)},
            actor=page.actor,
            now=page.now,
        )
        return _("Saved.")
