"""Members of staff one by one: who they are, where they are signed in, their end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.identity import operations, selectors
from apps.identity.console.explaining import rights_panels
from apps.identity.console.keys import COLUMNS as KEY_COLUMNS
from apps.identity.console.keys import with_uses
from apps.identity.console.own import device_words
from apps.identity.console.staff import ROLE_ACTIONS, roles_panels
from apps.identity.enums import SessionEnd, SessionFace
from apps.identity.models import Session, User
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Action,
    ChoiceFilter,
    Column,
    ConsoleForm,
    DetailScreen,
    Done,
    Fact,
    FactsPanel,
    FormScreen,
    IdFilter,
    ListScreen,
    Page,
    Panel,
    State,
    Tab,
    TablePanel,
    TemplatePanel,
    detail_url,
    list_url,
    register_screen,
)

ROWS = 20
VIEW_SIGN_INS = "identity.view_sign_in"


def link_panel(path: str, *, mailed: bool) -> Panel:
    """A one-time link that is handed over, or was mailed as well."""
    says = _("Hand it over yourself; it works once.")
    if mailed:
        says = _("It was mailed as well. It works once.")
    return TemplatePanel(
        title=_("One-time link"),
        name="ui/shown_once.html",
        context={"says": says, "value": f"{settings.BASE_URL}{path}"},
    )


def _invite(row: User, data: dict[str, Any], page: Page) -> Done:
    link = operations.invite_staff(
        user_id=row.pk, by_mail=True, actor=page.actor, now=page.now
    )
    panels = [link_panel(link.path, mailed=bool(row.email))]
    return Done(_("%s can set up the sign-in.") % row.name, panels=panels)


def _reset(row: User, data: dict[str, Any], page: Page) -> Done:
    link = operations.reset_mfa(user_id=row.pk, actor=page.actor, now=page.now)
    panels = [link_panel(link.path, mailed=False)]
    return Done(_("Password and second factors of %s are gone.") % row.name, "", panels)


def _deactivate(row: User, data: dict[str, Any], page: Page) -> str:
    operations.deactivate_user(user_id=row.pk, actor=page.actor, now=page.now)
    return _("%s is switched off; all sign-ins are over.") % row.name


def _reactivate(row: User, data: dict[str, Any], page: Page) -> str:
    operations.reactivate_user(user_id=row.pk, actor=page.actor, now=page.now)
    return _("%s may sign in again.") % row.name


@register_screen
class StaffDetail(DetailScreen):
    slug = "staff"
    title = gettext_lazy("Colleague")
    permission = "identity.view_staff"
    tabs = (
        Tab(slug="overview", label=gettext_lazy("Overview"), build="overview", order=1),
        Tab(slug="roles", label=gettext_lazy("Roles"), build="roles", order=10),
        Tab(
            slug="rights",
            label=gettext_lazy("What this person can do"),
            build="rights",
            permission="identity.view_access",
            order=11,
        ),
        Tab(
            slug="sign-ins",
            label=gettext_lazy("Sign-ins"),
            build="sign_ins",
            permission=VIEW_SIGN_INS,
            order=20,
        ),
        Tab(
            slug="keys",
            label=gettext_lazy("API keys"),
            build="keys",
            permission="identity.view_api_key",
            order=21,
        ),
    )
    actions = (
        Action(
            slug="invite",
            label=gettext_lazy("Send a one-time link"),
            permission="identity.invite_staff",
            icon="mail",
            confirm=gettext_lazy(
                "By the link the colleague sets a password and a second factor. The"
                " link before it stops working."
            ),
            shown=lambda row: row.is_active,
            run=_invite,
        ),
        Action(
            slug="reset-mfa",
            label=gettext_lazy("Reset password and factors"),
            permission="identity.reset_mfa",
            icon="refresh-alert",
            tone="danger",
            confirm=gettext_lazy(
                "For a lost phone without recovery codes. Password, second factors"
                " and keys go, all sign-ins end. Be sure whom you speak to."
            ),
            shown=lambda row: row.is_active,
            run=_reset,
        ),
        Action(
            slug="deactivate",
            label=gettext_lazy("Switch off"),
            permission="identity.deactivate_user",
            icon="user-off",
            tone="danger",
            confirm=gettext_lazy("All sign-ins and keys stop working at once."),
            shown=lambda row: row.is_active,
            run=_deactivate,
        ),
        Action(
            slug="reactivate",
            label=gettext_lazy("Switch on again"),
            permission="identity.deactivate_user",
            icon="user-check",
            shown=lambda row: not row.is_active,
            run=_reactivate,
        ),
        *ROLE_ACTIONS,
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[User]:
        return selectors.users_visible_to(actor, permission)

    def heading(self, row: User) -> str:
        return row.name

    def state(self, row: User, page: Page) -> State:
        if not row.is_active:
            return State(_("Switched off"), "quiet", "user-off")
        if not selectors.has_second_factor(row.pk):
            why = _("No second factor yet.")
            return State(_("Invited"), "warn", "clock", why=why)
        return State(_("Active"), "good", "circle-check")

    def overview(self, row: User, page: Page) -> Sequence[Panel]:
        factors = selectors.factors_of(row.pk)
        (member,) = selectors.staff_members([row])
        return [
            FactsPanel(
                title=_("Sign-in"),
                wide=False,
                facts=[
                    Fact(_("Sign-in name"), row.username, "code"),
                    Fact(_("E-mail"), row.email or _("None")),
                    Fact(_("E-mail confirmed"), selectors.proved_email(row), "bool"),
                    Fact(_("Roles"), ", ".join(member.roles) or _("None")),
                    Fact(_("Since"), row.created_at, "date"),
                ],
            ),
            FactsPanel(
                title=_("Second factors"),
                wide=False,
                facts=[
                    Fact(_("Authenticator"), factors.totp, "bool"),
                    Fact(_("Passkeys"), factors.passkeys, "number"),
                    Fact(_("Recovery codes left"), factors.codes_left, "number"),
                ],
            ),
        ]

    def roles(self, row: User, page: Page) -> Sequence[Panel]:
        return roles_panels(row)

    def rights(self, row: User, page: Page) -> Sequence[Panel]:
        return rights_panels(row, page)

    def sign_ins(self, row: User, page: Page) -> Sequence[Panel]:
        rows = selectors.own_sessions(row.pk, now=page.now).order_by("-seen_at")
        return [
            TablePanel(
                title=_("Where %s is signed in") % row.name,
                columns=(
                    Column(_("Device"), device_words),
                    Column(_("Through"), "face"),
                    Column(_("Address"), "address", "code"),
                    Column(_("Since"), "started_at", "datetime"),
                    Column(_("Last used"), "seen_at", "datetime"),
                ),
                rows=selectors.described(rows[:ROWS], this=page.actor.session_id),
                empty=_("Nowhere now."),
                more_url=list_url("sign-ins", user=row.pk),
            )
        ]

    def keys(self, row: User, page: Page) -> Sequence[Panel]:
        rows = list(selectors.own_api_keys(row.pk).order_by("-pk")[:ROWS])
        return [
            TablePanel(
                title=_("API keys"),
                columns=KEY_COLUMNS,
                rows=with_uses(rows),
                empty=_("No key."),
                more_url=list_url("api-keys", user=row.pk),
            )
        ]


class NewStaffForm(ConsoleForm):
    GIVES = "identity.create_staff"

    username = forms.CharField(label=gettext_lazy("Sign-in name"), max_length=150)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=150)
    email = forms.CharField(
        label=gettext_lazy("E-mail"),
        max_length=254,
        required=False,
        widget=forms.EmailInput({"autocomplete": "off"}),
        help_text=gettext_lazy("The invitation is mailed there; else hand it over."),
    )
    role_slug = forms.ChoiceField(label=gettext_lazy("Role"))
    unit_id = forms.TypedChoiceField(label=gettext_lazy("Works in"), coerce=int)

    def arrange(self) -> None:
        actor = self.page.actor
        self.fields["role_slug"].choices = [  # type: ignore[attr-defined]
            (role.slug, role.name) for role in selectors.roles_within(actor, self.GIVES)
        ]
        self.fields["unit_id"].choices = [  # type: ignore[attr-defined]
            (unit.pk, unit.name)
            for unit in selectors.units_visible_to(actor, self.GIVES)[:500]
        ]


@register_screen
class NewStaff(FormScreen):
    slug = "staff/new"
    title = gettext_lazy("New colleague")
    permission = "identity.create_staff"
    form = NewStaffForm
    submit_label = gettext_lazy("Add and invite")

    def run(self, data: dict[str, Any], page: Page) -> Done:
        with transaction.atomic():
            user = operations.create_staff(**data, actor=page.actor, now=page.now)
            link = operations.invite_staff(
                user_id=user.pk, by_mail=True, actor=page.actor, now=page.now
            )
        return Done(
            _("%s is invited.") % user.name,
            detail_url("staff", user.pk),
            [link_panel(link.path, mailed=bool(user.email))],
        )


def _works(row: Session) -> State:
    if row.ended_at is not None:
        return State(_("Over"), "quiet", "circle-off", why=row.get_end_reason_display())
    if min(row.expires_at, row.idle_until_at) <= timezone.now():
        return State(_("Over"), "quiet", "clock-stop", why=_("Unused for too long."))
    return State(row.get_stage_display(), "good", "circle-check")


def _device(row: Session) -> str:
    (sign_in,) = selectors.described([row], this=None)
    return device_words(sign_in)


def _end(row: Session, data: dict[str, Any], page: Page) -> str:
    operations.end_session(
        session_id=row.pk, reason=SessionEnd.REVOKED, actor=page.actor, now=page.now
    )
    return _("That sign-in is over.")


@register_screen
class SignInList(ListScreen):
    slug = "sign-ins"
    title = gettext_lazy("Sign-ins")
    permission = VIEW_SIGN_INS
    icon = "devices"
    menu = "system"
    menu_order = 72
    columns = (
        Column(gettext_lazy("Who"), "user.username", "code"),
        Column(gettext_lazy("State"), _works, "state"),
        Column(gettext_lazy("Through"), "get_face_display"),
        Column(gettext_lazy("Device"), _device),
        Column(gettext_lazy("Address"), "address", "code", phone=False),
        Column(gettext_lazy("Since"), "started_at", "datetime", phone=False),
        Column(gettext_lazy("Last used"), "seen_at", "datetime"),
    )
    filters = (
        ChoiceFilter(
            name="face", label=gettext_lazy("Through"), choices=SessionFace.choices
        ),
        IdFilter(name="user", label=gettext_lazy("Who"), field="user_id"),
    )
    actions = (
        Action(
            slug="end",
            label=gettext_lazy("End"),
            permission="identity.end_sign_in",
            icon="logout",
            shown=lambda row: row.ended_at is None,
            run=_end,
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Session]:
        return selectors.sessions_visible_to(actor, permission)

    def row_url(self, row: Any) -> str | None:
        return ""
