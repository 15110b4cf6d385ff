"""Password, authenticator, passkeys, recovery codes: the customer's own door."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import segno
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.identity import operations, selectors
from apps.identity.portal.profile import me, prove, text
from dotmac.core.console.page import Done
from dotmac.core.errors import InvalidInput, NotFound
from dotmac.core.portal import PortalPage, PortalPageRequest, Shown, register_page

DIGITS_MAX = 18
Answer = Done | Shown


@register_page
class Security(PortalPage):
    path = "security"
    name = "security"
    title = gettext_lazy("Security")
    template = "identity/portal/security.html"
    only_shows = False  # the person's own, not the account's

    def context(self, page: PortalPageRequest, **path: Any) -> dict[str, Any]:
        user = me(page)
        return {
            "me": user,
            "factors": selectors.factors_of(user.pk),
            "passkeys": list(selectors.passkeys_of(user.pk)),
            "characters_min": selectors.password_characters_min(user),
            "here": "security",
        }

    def submit(self, page: PortalPageRequest, **path: Any) -> Answer:
        doing: dict[str, Callable[[PortalPageRequest], Answer]] = {
            "password": self._password,
            "totp-begin": self._begin,
            "totp-confirm": self._confirm,
            "totp-remove": self._remove_totp,
            "passkey-remove": self._remove_passkey,
            "codes": self._codes,
        }
        act = doing.get(page.form.get("do", ""))
        if act is None:
            raise NotFound
        return act(page)

    def _password(self, page: PortalPageRequest) -> Done:
        new = text(page, "new_password")
        if new != text(page, "again"):
            raise InvalidInput("The two passwords differ.", field="again")
        prove(page)
        operations.change_password(
            user_id=me(page).pk,
            session_id=page.actor.session_id,
            password=new,
            now=page.now,
        )
        return Done(_("Your password is changed. Other devices must sign in again."))

    def _begin(self, page: PortalPageRequest) -> Shown:
        prove(page)
        return Shown(self._picture(page))

    def _picture(self, page: PortalPageRequest) -> dict[str, Any]:
        seed = operations.begin_totp(user_id=me(page).pk, now=page.now)
        picture = segno.make(seed.uri, error="m").svg_data_uri(scale=5, border=3)
        return {"picture": picture, "secret": seed.secret}

    def _confirm(self, page: PortalPageRequest) -> Done:
        prove(page)
        operations.replace_totp(
            user_id=me(page).pk, otp=text(page, "new_otp", 16), now=page.now
        )
        return Done(_("Sign-in asks for a code from now on. Get recovery codes too."))

    def _remove_totp(self, page: PortalPageRequest) -> Done:
        prove(page)
        operations.remove_totp(
            user_id=me(page).pk, password=text(page, "password"), now=page.now
        )
        return Done(_("The authenticator is off."))

    def _remove_passkey(self, page: PortalPageRequest) -> Done:
        prove(page)
        key = page.form.get("passkey", "")
        operations.remove_passkey(
            user_id=me(page).pk,
            passkey_id=int(key) if key.isdecimal() and len(key) <= DIGITS_MAX else 0,
            password=text(page, "password"),
            actor=page.actor,
            now=page.now,
        )
        return Done(_("The passkey no longer works."))

    def _codes(self, page: PortalPageRequest) -> Shown:
        prove(page)
        codes = operations.make_recovery_codes(
            user_id=me(page).pk, actor=page.actor, now=page.now
        )
        return Shown({"codes": codes})
