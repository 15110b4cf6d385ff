"""Members of staff, their roles, and what the roles allow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.identity import selectors
from apps.identity.models import Role, User
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Button,
    Column,
    DetailScreen,
    ListScreen,
    Page,
    Panel,
    State,
    Tab,
    TablePanel,
    detail_url,
    list_url,
    register_screen,
)


def _works(member: selectors.StaffMember) -> State:
    if not member.active:
        return State(_("Switched off"), "quiet", "user-off")
    if not member.enrolled:
        return State(_("Invited"), "warn", "clock", why=_("No authenticator yet."))
    return State(_("Active"), "good", "circle-check")


@register_screen
class StaffList(ListScreen):
    slug = "staff"
    title = gettext_lazy("Staff")
    permission = "identity.view_staff"
    icon = "users-group"
    menu = "system"
    menu_order = 70
    intro = gettext_lazy("New colleagues come in by a one-time link.")
    empty = gettext_lazy("Nobody works here yet.")
    columns = (
        Column(gettext_lazy("Sign-in name"), "username", "code"),
        Column(gettext_lazy("Name"), "name"),
        Column(gettext_lazy("E-mail"), "email", phone=False),
        Column(gettext_lazy("Roles"), lambda row: ", ".join(row.roles)),
        Column(gettext_lazy("State"), _works, "state"),
        Column(gettext_lazy("Since"), "created_at", "date", phone=False),
    )

    @property
    def buttons(self) -> Sequence[Button]:  # type: ignore[override]
        new = Button(
            label=_("New colleague"),
            url=list_url("staff/new"),
            icon="plus",
            tone="primary",
            permission="identity.create_staff",
        )
        return (new,)

    def rows(self, actor: Actor, permission: str) -> QuerySet[User]:
        return selectors.staff_visible_to(actor, permission)

    def decorate(self, rows: list[Any], page: Page) -> list[Any]:
        return list(selectors.staff_members(rows))

    def row_url(self, row: Any) -> str | None:
        return detail_url("staff", row.id)


@register_screen
class RoleList(ListScreen):
    slug = "roles"
    title = gettext_lazy("Roles")
    permission = "identity.view_staff"
    icon = "shield"
    menu = "system"
    menu_order = 71
    columns = (
        Column(gettext_lazy("Role"), "slug", "code"),
        Column(gettext_lazy("Name"), "name"),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Role]:
        return selectors.roles()


@register_screen
class RoleDetail(DetailScreen):
    slug = "roles"
    title = gettext_lazy("Role")
    permission = "identity.view_staff"
    tabs = (Tab(slug="permissions", label=gettext_lazy("Permissions"), build="held"),)

    def rows(self, actor: Actor, permission: str) -> QuerySet[Role]:
        return selectors.roles()

    def heading(self, row: Role) -> str:
        return row.name

    def held(self, row: Role, page: Page) -> Sequence[Panel]:
        return [
            TablePanel(
                title=_("What this role allows"),
                columns=(
                    Column(_("Permission"), lambda pair: pair[0], "code"),
                    Column(_("Meaning"), lambda pair: pair[1]),
                ),
                rows=selectors.permissions_held(row.pk),
                empty=_("Nothing."),
            )
        ]
