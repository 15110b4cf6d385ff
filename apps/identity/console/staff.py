"""Members of staff: which roles they hold where, and what they can do by it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.identity import operations, selectors
from apps.identity.console.access_forms import GiveRoleForm, GrantForm, TakeRoleForm
from apps.identity.models import User
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Action,
    Button,
    Column,
    ListScreen,
    Page,
    Panel,
    State,
    TablePanel,
    detail_url,
    list_url,
    register_screen,
)
from dotmac.core.errors import NotFound

_ROLES, _GRANTS = "identity.manage_roles", "identity.grant_access"


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


def _give_role(row: User, data: dict[str, Any], page: Page) -> str:
    operations.assign_role(user_id=row.pk, **data, actor=page.actor, now=page.now)
    return _("It holds from the next click on.")


def _take_role(row: User, data: dict[str, Any], page: Page) -> str:
    slug, _slash, unit = data["held"].rpartition("/")
    operations.unassign_role(
        user_id=row.pk, role_slug=slug, unit_id=int(unit), actor=page.actor,
        now=page.now,
    )  # fmt: skip
    return _("Taken away; it holds from the next click on.")


def _grant(row: User, data: dict[str, Any], page: Page) -> str:
    facts = {"user_id": row.pk, "permission": data["permission"], "actor": page.actor,
             "now": page.now}  # fmt: skip
    if data["unit_id"]:
        operations.grant_on_unit(unit_id=data["unit_id"], **facts)
    else:
        operations.grant_on_customer(customer_id=_customer(data, page), **facts)
    return _("Granted.")


def _revoke(row: User, data: dict[str, Any], page: Page) -> str:
    facts = {"user_id": row.pk, "permission": data["permission"], "actor": page.actor,
             "now": page.now}  # fmt: skip
    if data["unit_id"]:
        operations.revoke_on_unit(unit_id=data["unit_id"], **facts)
    else:
        operations.revoke_on_customer(customer_id=_customer(data, page), **facts)
    return _("Taken back.")


def _customer(data: dict[str, Any], page: Page) -> int:
    """The id behind the reference, within the actor's reach."""
    rows = selectors.customers_visible_to(page.actor, _GRANTS)
    found = rows.filter(reference=data["customer"].strip().upper()).first()
    if found is None:
        raise NotFound(_("There is no such customer."), field="customer")
    return found.pk


ROLE_ACTIONS = (
    Action(
        slug="give-role",
        label=gettext_lazy("Give a role"),
        permission=_ROLES,
        icon="user-plus",
        form=GiveRoleForm,
        run=_give_role,
    ),
    Action(
        slug="take-role",
        label=gettext_lazy("Take a role"),
        permission=_ROLES,
        icon="user-minus",
        tone="danger",
        form=TakeRoleForm,
        run=_take_role,
    ),
    Action(
        slug="grant",
        label=gettext_lazy("Grant one thing"),
        permission=_GRANTS,
        icon="key",
        form=GrantForm,
        run=_grant,
    ),
    Action(
        slug="revoke",
        label=gettext_lazy("Take a grant back"),
        permission=_GRANTS,
        icon="lock",
        form=GrantForm,
        run=_revoke,
    ),
)


def roles_panels(row: User) -> list[Panel]:
    """The roles of one member of staff, each with its place."""
    return [
        TablePanel(
            title=_("Roles"),
            columns=(
                Column(_("Role"), "role.name", to="roles", to_id="role_id"),
                Column(_("Where"), "unit.name"),
                Column(_("Since"), "created_at", "date"),
            ),
            rows=selectors.assignments_of(row.pk),
            empty=_("No role: this person can do nothing."),
        )
    ]
