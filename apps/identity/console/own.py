"""What members of staff see and change of their own sign-in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import segno
from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.identity import operations, selectors
from apps.identity.models import Session, User
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Action,
    Button,
    Column,
    ConsoleForm,
    Done,
    Fact,
    FactsPanel,
    FormScreen,
    ListScreen,
    Page,
    PageScreen,
    Panel,
    State,
    TemplatePanel,
    list_url,
    register_screen,
)
from dotmac.core.errors import InvalidInput, NotFound

OWN = "identity.manage_own_access"
FACTORS = "identity.change_own_factors"


def me(page: Page) -> User:
    """The row of who asks."""
    found = selectors.person(page.actor.id)
    if found is None:
        raise NotFound
    return found


def _codes(factors: selectors.Factors) -> State:
    if not factors.codes_left:
        why = _("Without one, a lost phone means a call to a colleague.")
        return State(_("None"), "bad", "alert-triangle", why=why)
    tone, icon = ("warn", "alert-triangle") if factors.codes_few else ("good", "check")
    return State(_("%s left") % factors.codes_left, tone, icon)


@register_screen
class MySecurity(PageScreen):
    slug = "my-security"
    title = gettext_lazy("My security")
    permission = OWN
    icon = "shield-lock"

    def panels(self, page: Page) -> Sequence[Panel]:
        user = me(page)
        return [self._sign_in(user), self._factors(user)]

    def _sign_in(self, user: User) -> Panel:
        proved = selectors.proved_email(user)
        email = State(_("Confirmed"), "good", "mail-check")
        if not proved:
            why = _("A new password can be mailed once you have confirmed it.")
            email = State(_("Not confirmed"), "warn", "mail-exclamation", why=why)
        return FactsPanel(
            title=_("Sign-in"),
            facts=[
                Fact(_("Sign-in name"), user.username, "code"),
                Fact(_("Name"), user.name),
                Fact(_("E-mail"), user.email or _("None")),
                Fact(_("Address"), email, "state"),
            ],
            buttons=[
                Button(label=_("E-mail"), url="my-security/email", icon="mail"),
                Button(label=_("Password"), url="my-security/password", icon="lock"),
            ],
        )

    def _factors(self, user: User) -> Panel:
        factors = selectors.factors_of(user.pk)
        totp = State(_("Set up"), "good", "check")
        if not factors.totp:
            totp = State(_("None"), "quiet", "circle-off")
        return FactsPanel(
            title=_("Second factors"),
            facts=[
                Fact(_("Authenticator"), totp, "state"),
                Fact(_("Passkeys"), factors.passkeys, "number"),
                Fact(_("Recovery codes"), _codes(factors), "state"),
            ],
            buttons=[
                Button(
                    label=_("Authenticator"),
                    url="my-security/authenticator",
                    icon="device-mobile",
                ),
                Button(label=_("Passkeys"), url="my-passkeys", icon="fingerprint"),
                Button(
                    label=_("Recovery codes"),
                    url="/console/recovery-codes?next=/console/my-security",
                    icon="key",
                ),
            ],
        )


class NewPasswordForm(ConsoleForm):
    new_password = forms.CharField(
        label=gettext_lazy("New password"),
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text=gettext_lazy("At least 12 characters; a sentence is good."),
    )
    again = forms.CharField(
        label=gettext_lazy("The same again"),
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )


@register_screen
class MyPassword(FormScreen):
    slug = "my-security/password"
    title = gettext_lazy("Change my password")
    permission = FACTORS
    form = NewPasswordForm
    intro = gettext_lazy("All your other sign-ins end.")

    def run(self, data: dict[str, Any], page: Page) -> Done:
        if data["new_password"] != data["again"]:
            raise InvalidInput("The two passwords differ.", field="again")
        operations.change_password(
            user_id=me(page).pk,
            session_id=page.actor.session_id,
            password=data["new_password"],
            now=page.now,
        )
        return Done(_("Your password is changed; other sign-ins are over."))


class EmailForm(ConsoleForm):
    email = forms.CharField(
        label=gettext_lazy("E-mail"),
        max_length=254,
        widget=forms.EmailInput({"autocomplete": "email"}),
        help_text=gettext_lazy("It counts once you open the link that we mail there."),
    )


@register_screen
class MyEmail(FormScreen):
    slug = "my-security/email"
    title = gettext_lazy("My e-mail address")
    permission = FACTORS
    form = EmailForm
    submit_label = gettext_lazy("Send the link")

    def initial(self, page: Page) -> dict[str, Any]:
        return {"email": me(page).email}

    def run(self, data: dict[str, Any], page: Page) -> Done:
        operations.request_email(
            user_id=me(page).pk, email=data["email"], actor=page.actor, now=page.now
        )
        return Done(_("A link is on its way to %s.") % data["email"])


class CodeForm(ConsoleForm):
    otp = forms.CharField(
        label=gettext_lazy("Code of the new authenticator"),
        max_length=16,
        widget=forms.TextInput(
            {"autocomplete": "one-time-code", "inputmode": "numeric"}
        ),
    )


@register_screen
class MyAuthenticator(FormScreen):
    slug = "my-security/authenticator"
    title = gettext_lazy("Set up an authenticator")
    permission = FACTORS
    form = CodeForm
    submit_label = gettext_lazy("Confirm")

    def above(self, page: Page) -> Sequence[Panel]:
        seed = operations.begin_totp(user_id=me(page).pk, now=page.now)
        picture = segno.make(seed.uri, error="m").svg_data_uri(scale=5, border=3)
        return [
            TemplatePanel(
                title=_("Your new authenticator"),
                name="identity/console/authenticator.html",
                context={"picture": picture, "secret": seed.secret},
            )
        ]

    def run(self, data: dict[str, Any], page: Page) -> Done:
        operations.replace_totp(user_id=me(page).pk, otp=data["otp"], now=page.now)
        return Done(_("The new authenticator counts from now on."))


class PasskeyNameForm(ConsoleForm):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)


def _called(row: Any, page: Page) -> dict[str, Any]:
    return {"name": row.name}


def _rename(row: Any, data: dict[str, Any], page: Page) -> str:
    operations.rename_passkey(
        user_id=me(page).pk,
        passkey_id=row.pk,
        name=data["name"],
        actor=page.actor,
        now=page.now,
    )
    return _("Renamed.")


def _remove(row: Any, data: dict[str, Any], page: Page) -> str:
    operations.remove_passkey(
        user_id=me(page).pk, passkey_id=row.pk, actor=page.actor, now=page.now
    )
    return _("The passkey no longer works.")


@register_screen
class MyPasskeys(ListScreen):
    slug = "my-passkeys"
    title = gettext_lazy("My passkeys")
    permission = OWN
    icon = "fingerprint"
    export = False
    empty = gettext_lazy("No passkey yet. One on your phone is quicker than codes.")
    columns = (
        Column(gettext_lazy("Name"), "name"),
        Column(gettext_lazy("Since"), "created_at", "date"),
        Column(gettext_lazy("Last used"), "last_used_at", "datetime"),
        Column(gettext_lazy("Copied to other devices"), "backed_up", "bool"),
    )
    actions = (
        Action(
            slug="rename",
            label=gettext_lazy("Rename"),
            permission=OWN,
            icon="edit",
            form=PasskeyNameForm,
            initial=_called,
            run=_rename,
        ),
        Action(
            slug="remove",
            label=gettext_lazy("Remove"),
            permission=FACTORS,
            icon="trash",
            tone="danger",
            confirm=gettext_lazy("The device no longer opens your account."),
            run=_remove,
        ),
    )

    @property
    def buttons(self) -> Sequence[Button]:  # type: ignore[override]
        new = Button(
            label=_("Add a passkey"),
            url=list_url("my-passkeys/new"),
            icon="plus",
            tone="primary",
        )
        return (new,)

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.passkeys_of(actor.id)

    def row_url(self, row: Any) -> str | None:
        return ""


@register_screen
class NewPasskey(PageScreen):
    slug = "my-passkeys/new"
    title = gettext_lazy("Add a passkey")
    permission = FACTORS

    def panels(self, page: Page) -> Sequence[Panel]:
        return [
            TemplatePanel(
                title=_("A passkey of this device"),
                name="identity/console/new_passkey.html",
            )
        ]


def device_words(row: Any) -> str:
    """A browser on a system, or what a program calls itself."""
    device = row.device
    if device.browser and device.system:
        return _("%(browser)s on %(system)s") % {
            "browser": device.browser,
            "system": device.system,
        }
    return device.browser or device.system or _("Unknown program")


def _this(row: Any) -> State | str:
    return State(_("This one"), "good", "point") if row.is_this else ""


def _end(row: Session, data: dict[str, Any], page: Page) -> str:
    operations.end_own_session(session_id=row.pk, actor=page.actor, now=page.now)
    return _("That sign-in is over.")


@register_screen
class MySignIns(ListScreen):
    slug = "my-sign-ins"
    title = gettext_lazy("My sign-ins")
    permission = OWN
    icon = "devices"
    export = False
    intro = gettext_lazy(
        "Where you are signed in now. End what you do not know, and change your"
        " password."
    )
    columns = (
        Column(gettext_lazy("Device"), device_words),
        Column(gettext_lazy("Which"), _this, "state"),
        Column(gettext_lazy("Through"), "face"),
        Column(gettext_lazy("Address"), "address", "code", phone=False),
        Column(gettext_lazy("Since"), "started_at", "datetime", phone=False),
        Column(gettext_lazy("Last used"), "seen_at", "ago"),
        Column(gettext_lazy("Ends unused"), "idle_until_at", "ago", phone=False),
        Column(gettext_lazy("Ends anyway"), "expires_at", "ago", phone=False),
    )
    actions = (
        Action(
            slug="end",
            label=gettext_lazy("End"),
            permission=OWN,
            icon="logout",
            run=_end,
        ),
    )

    @property
    def buttons(self) -> Sequence[Button]:  # type: ignore[override]
        others = Button(
            label=_("End all others"),
            url=list_url("my-sign-ins/end-others"),
            icon="logout",
        )
        return (others,)

    def rows(self, actor: Actor, permission: str) -> QuerySet[Session]:
        return selectors.own_sessions(actor.id, now=timezone.now())

    def decorate(self, rows: list[Any], page: Page) -> list[Any]:
        return list(selectors.described(rows, this=page.actor.session_id))

    def row_url(self, row: Any) -> str | None:
        return ""


class NothingForm(ConsoleForm):
    """Asks for nothing but the click."""


@register_screen
class EndOthers(FormScreen):
    slug = "my-sign-ins/end-others"
    title = gettext_lazy("End all other sign-ins")
    permission = OWN
    form = NothingForm
    intro = gettext_lazy("Every browser and program but this one must sign in again.")
    submit_label = gettext_lazy("End them")

    def run(self, data: dict[str, Any], page: Page) -> Done:
        ended = operations.end_other_sessions(actor=page.actor, now=page.now)
        return Done(_("%s other sign-ins are over.") % ended)
