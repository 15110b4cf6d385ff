"""Roles: what each allows, the whole table of them, and roles of one's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.identity import operations, selectors
from apps.identity.console.access_forms import RoleForm, permissions_by_app
from apps.identity.models import Role
from apps.identity.rules.roles import is_built_in
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Action,
    Button,
    Column,
    DetailScreen,
    Done,
    FormScreen,
    ListScreen,
    Page,
    PageScreen,
    Panel,
    State,
    Tab,
    TablePanel,
    detail_url,
    list_url,
    register_screen,
)
from dotmac.core.permissions import catalogue

_MANAGE = "identity.manage_roles"


def _origin(role: Role) -> State:
    if is_built_in(role.slug):
        why = _("sync_roles keeps it as it is.")
        return State(_("Comes with DotMac"), "quiet", "lock", why=why)
    return State(_("Your own"), "good", "pencil")


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
        Column(gettext_lazy("Origin"), _origin, "state"),
    )

    @property
    def buttons(self) -> Sequence[Button]:  # type: ignore[override]
        return (
            Button(
                label=_("All in one table"), url=list_url("role-matrix"), icon="table"
            ),
            Button(
                label=_("New role"),
                url=list_url("roles/new"),
                icon="plus",
                tone="primary",
                permission=_MANAGE,
            ),
        )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Role]:
        return selectors.roles_visible_to(actor, permission)


def _is_own(role: Role) -> bool:
    return not is_built_in(role.slug)


def _change(role: Role, data: dict[str, Any], page: Page) -> str:
    operations.change_role(role_id=role.pk, **data, actor=page.actor, now=page.now)
    return _("Saved. It holds from everybody's next click on.")


def _delete(role: Role, data: dict[str, Any], page: Page) -> Done:
    operations.delete_role(role_id=role.pk, actor=page.actor, now=page.now)
    return Done(_("The role is gone."), list_url("roles"))


def _as_it_is(role: Role, page: Page) -> dict[str, Any]:
    held = [name for name, _meaning in selectors.permissions_held(role.pk)]
    return {"name": role.name, "permissions": held}


@register_screen
class RoleDetail(DetailScreen):
    slug = "roles"
    title = gettext_lazy("Role")
    permission = "identity.view_staff"
    tabs = (
        Tab(slug="permissions", label=gettext_lazy("Permissions"), build="held"),
        Tab(slug="people", label=gettext_lazy("Who holds it"), build="people"),
    )
    actions = (
        Action(
            slug="change",
            label=gettext_lazy("Change"),
            submit=gettext_lazy("Save"),
            permission=_MANAGE,
            icon="edit",
            form=RoleForm,
            initial=_as_it_is,
            confirm=gettext_lazy("Everybody who holds the role gains or loses this."),
            shown=_is_own,
            run=_change,
        ),
        Action(
            slug="delete",
            label=gettext_lazy("Delete"),
            permission=_MANAGE,
            icon="trash",
            tone="danger",
            confirm=gettext_lazy("Only a role that nobody holds can be deleted."),
            shown=_is_own,
            run=_delete,
            order=90,
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Role]:
        return selectors.roles_visible_to(actor, permission)

    def heading(self, row: Role) -> str:
        return row.name

    def state(self, row: Role, page: Page) -> State:
        return _origin(row)

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

    def people(self, row: Role, page: Page) -> Sequence[Panel]:
        visible = selectors.staff_visible_to(page.actor, self.permission)
        return [
            TablePanel(
                title=_("Who holds it"),
                columns=(
                    Column(_("Sign-in name"), "user.username", "code",
                           to="staff", to_id="user_id"),
                    Column(_("Name"), "user.name"),
                    Column(_("Where"), "unit.name"),
                ),
                rows=selectors.holders_of(row.pk, visible),
                empty=_("Nobody."),
            )
        ]  # fmt: skip


@register_screen
class NewRole(FormScreen):
    slug = "roles/new"
    title = gettext_lazy("New role")
    permission = _MANAGE
    form = RoleForm

    def run(self, data: dict[str, Any], page: Page) -> Done:
        role = operations.create_role(**data, actor=page.actor, now=page.now)
        return Done(_("The role is there."), detail_url("roles", role.pk))


def _held_by(
    roles: Sequence[Role], held: dict[int, list[str]]
) -> Callable[[tuple[str, str]], str]:
    """The same as the columns, in words, where there is no room for columns."""

    def names(pair: tuple[str, str]) -> str:
        found = [role.name for role in roles if pair[0] in held.get(role.pk, ())]
        return ", ".join(found) or str(_("nobody"))

    return names


def _allows(names: set[str]) -> Callable[[tuple[str, str]], bool]:
    return lambda pair: pair[0] in names


@register_screen
class RoleMatrix(PageScreen):
    """Every permission by every role; a role of one's own is changed on its page."""

    slug = "role-matrix"
    title = gettext_lazy("Roles and permissions")
    permission = "identity.view_staff"
    intro = gettext_lazy(
        "What each role allows. Roles that come with DotMac stay as they are;"
        " your own are changed on their pages."
    )

    @property
    def buttons(self) -> Sequence[Button]:  # type: ignore[override]
        new = list_url("roles/new")
        return (
            Button(label=_("Roles"), url=list_url("roles"), icon="shield"),
            Button(label=_("New role"), url=new, icon="plus", permission=_MANAGE),
        )

    def panels(self, page: Page) -> Sequence[Panel]:
        roles = list(selectors.roles_visible_to(page.actor, self.permission))
        roles.sort(key=lambda role: (_is_own(role), role.pk))
        held = selectors.permissions_of_roles([role.pk for role in roles])
        meanings = catalogue()
        columns = (
            Column(_("Permission"), lambda pair: pair[1]),
            *(
                Column(
                    role.name, _allows(set(held.get(role.pk, ()))), "bool", phone=False
                )
                for role in roles
            ),
            Column(_("Held by"), _held_by(roles, held), desktop=False),
        )
        return [
            TablePanel(
                title=app,
                columns=columns,
                rows=[(name, meanings[name]) for name, _words in names],
            )
            for app, names in permissions_by_app()
        ]
