"""What identity adds to the customer page: its facts and what may be done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.identity import operations, selectors
from apps.identity.console.documents import ADD_ACTION, DOCUMENTS_TAB
from apps.identity.console.family import PARENT_ACTION, family_panels
from apps.identity.console.fields import (
    TAGS_ACTION,
    badge_of,
    own_fields_panel,
    taken_out,
)
from apps.identity.console.forms import (
    ContactForm,
    CustomerForm,
    LocationForm,
    LookForm,
    PortalInvitationForm,
    PortalPasswordForm,
    PortalUserForm,
    ReasonForm,
    ReopenForm,
)
from apps.identity.console.history import NOTE_ACTION, history_tab
from apps.identity.console.merging import MERGE_ACTION, merge_panels
from apps.identity.console.people import link_panel
from apps.identity.console.personal import (
    COPIES_TAB,
    ERASE_ACTION,
    EXPORT_ACTION,
)
from apps.identity.console.places import coordinates, receives, serviceability
from apps.identity.enums import CustomerState
from apps.identity.models import Customer
from dotmac.core.console import (
    Action,
    Column,
    Done,
    Fact,
    FactsPanel,
    HubContribution,
    Page,
    Panel,
    Tab,
    TablePanel,
    list_url,
    register_hub,
)

_FIELDS = (
    "name", "kind", "email", "phone", "address", "city", "region", "postal_code",
    "country", "tax_number", "unit_id", "source", "owner_id",
)  # fmt: skip


def _people_and_places(row: Customer, page: Page) -> Sequence[Panel]:
    address = ", ".join(selectors.customer_snapshot(row.pk).address_lines)
    return [
        FactsPanel(
            title=_("Address"),
            facts=[
                Fact(_("Address"), address),
                Fact(_("Tax number"), row.tax_number),
                Fact(_("Currency"), row.currency),
                Fact(_("Came by"), row.source),
                Fact(_("Followed up by"), row.owner.name if row.owner else ""),
            ],
        ),
        *merge_panels(row, page),
        *family_panels(row, page),
        *([own_fields_panel(row)] if selectors.custom_fields() else []),
        TablePanel(
            title=_("Locations"),
            columns=(
                Column(_("Label"), "label", to="locations"),
                Column(_("Address"), "address"),
                Column(_("City"), "city"),
                Column(_("Coordinates"), coordinates, phone=False),
                Column(_("Can it be served?"), serviceability, "state"),
            ),
            rows=selectors.locations_of(row.pk),
            empty=_("No place of service is known."),
        ),
        TablePanel(
            title=_("Contacts"),
            columns=(
                Column(_("Name"), "name", to="contacts"),
                Column(_("For"), "get_role_display"),
                Column(_("Receives"), receives),
                Column(_("Phone"), "phone", "code"),
                Column(_("E-mail"), "email", "code"),
            ),
            rows=selectors.contacts_of(row.pk),
            empty=_("Nobody besides the customer."),
        ),
        _sign_ins(row),
    ]


def _sign_ins(row: Customer) -> Panel:
    return TablePanel(
        title=_("Portal sign-ins"),
        columns=(
            Column(_("Name"), "user.sign_in_name", "code"),
            Column(_("E-mail"), "user.email"),
            Column(_("May do"), "get_rights_display"),
            Column(_("Works"), "user.is_active", "bool"),
        ),
        rows=selectors.memberships_of(row.pk),
        empty=_("The customer cannot sign in to the portal yet."),
    )


def _tags(customer_id: int, page: Page) -> Sequence[Fact]:
    """The customer's tags, on every tab; none, no line."""
    held = selectors.tags_of([customer_id])[customer_id]
    return [Fact(_("Tags"), list(map(badge_of, held)), "badges")] if held else []


def _is_open(row: Customer) -> bool:
    return row.state != CustomerState.CLOSED


def _said_so_far(row: Customer, page: Page) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _FIELDS}


def _change(row: Customer, data: dict[str, Any], page: Page) -> str:
    changes = dict(data)
    changes["custom"] = taken_out(changes)
    confirmed = changes.pop("confirm_duplicate")
    operations.change_customer(
        customer_id=row.pk,
        changes=changes,
        confirm_duplicate=confirmed,
        actor=page.actor,
        now=page.now,
    )
    return _("Saved.")


def _add_location(row: Customer, data: dict[str, Any], page: Page) -> str:
    operations.add_location(customer_id=row.pk, **data, actor=page.actor, now=page.now)
    return _("Location added.")


def _add_contact(row: Customer, data: dict[str, Any], page: Page) -> str:
    operations.add_contact(customer_id=row.pk, **data, actor=page.actor, now=page.now)
    return _("Contact added.")


def _create_portal_user(row: Customer, data: dict[str, Any], page: Page) -> str:
    user = operations.create_portal_user(
        customer_id=row.pk, **data, actor=page.actor, now=page.now
    )
    return _("%s may sign in to the portal now.") % user.username


def _invite(row: Customer, data: dict[str, Any], page: Page) -> Done:
    made = operations.invite_member(
        customer_id=row.pk, **data, actor=page.actor, now=page.now
    )
    if made.link is None:
        # Whoever it is was here before: the name is not for the inviter to learn.
        words = _("We wrote to %s. Who was here before has to agree first.")
        return Done(words % data["email"])
    words = _("%s may act for the customer now.") % made.user.name
    return Done(words, panels=[link_panel(made.link.path, mailed=True)])


def _addressed(row: Customer, page: Page) -> dict[str, Any]:
    """The customer's own address, until somebody signs in with it."""
    known = any(member.user.email for member in selectors.memberships_of(row.pk))
    return {} if known else {"email": row.email, "name": row.name}


def _set_portal_password(row: Customer, data: dict[str, Any], page: Page) -> str:
    operations.set_portal_password(
        customer_id=row.pk, **data, actor=page.actor, now=page.now
    )
    return _("The new password works now; all sign-ins with the old one are over.")


def _qualify(row: Customer, data: dict[str, Any], page: Page) -> str:
    operations.qualify_customer(customer_id=row.pk, actor=page.actor, now=page.now)
    return _("The lead is a prospect now.")


def _close(row: Customer, data: dict[str, Any], page: Page) -> str:
    operations.close_customer(
        customer_id=row.pk, **data, actor=page.actor, now=page.now
    )
    return _("The customer is closed.")


def _begin_look(row: Customer, data: dict[str, Any], page: Page) -> Done:
    operations.begin_look(customer_id=row.pk, **data, actor=page.actor, now=page.now)
    return Done("", "/console/look/")


def _end_look(row: Customer, data: dict[str, Any], page: Page) -> str:
    operations.end_look(actor=page.actor, now=page.now)
    return _("You are not looking any more.")


def _reopen(row: Customer, data: dict[str, Any], page: Page) -> str:
    operations.reopen_customer(
        customer_id=row.pk, **data, actor=page.actor, now=page.now
    )
    return _("The customer is a prospect again.")


def _delete(row: Customer, data: dict[str, Any], page: Page) -> Done:
    operations.delete_customer(customer_id=row.pk, actor=page.actor, now=page.now)
    return Done(_("%s is deleted.") % row.reference, list_url("customers"))


ACTIONS = (
    NOTE_ACTION,
    TAGS_ACTION,
    PARENT_ACTION,
    ADD_ACTION,
    MERGE_ACTION,
    EXPORT_ACTION,
    ERASE_ACTION,
    Action(
        slug="edit",
        label=gettext_lazy("Edit"),
        submit=gettext_lazy("Save"),
        permission="identity.change_customer",
        icon="edit",
        form=CustomerForm,
        initial=_said_so_far,
        shown=_is_open,
        run=_change,
        order=60,
    ),
    Action(
        slug="qualify",
        label=gettext_lazy("Make a prospect"),
        permission="identity.change_customer",
        icon="user-check",
        shown=lambda row: row.state == CustomerState.LEAD,
        run=_qualify,
        order=61,
    ),
    Action(
        slug="add-location",
        label=gettext_lazy("Add location"),
        permission="identity.change_customer",
        icon="map-pin",
        form=LocationForm,
        shown=_is_open,
        run=_add_location,
        order=62,
    ),
    Action(
        slug="add-contact",
        label=gettext_lazy("Add contact"),
        permission="identity.change_customer",
        icon="address-book",
        form=ContactForm,
        shown=_is_open,
        run=_add_contact,
        order=63,
    ),
    Action(
        slug="invite",
        label=gettext_lazy("Invite to the portal"),
        permission="identity.create_portal_user",
        icon="mail",
        form=PortalInvitationForm,
        initial=_addressed,
        shown=_is_open,
        run=_invite,
        order=63,
    ),
    Action(
        slug="create-portal-user",
        label=gettext_lazy("Give portal sign-in"),
        permission="identity.create_portal_user",
        icon="key",
        form=PortalUserForm,
        shown=_is_open,
        run=_create_portal_user,
        order=64,
    ),
    Action(
        slug="set-portal-password",
        label=gettext_lazy("New portal password"),
        permission="identity.set_portal_password",
        icon="key",
        form=PortalPasswordForm,
        shown=_is_open,
        run=_set_portal_password,
        order=65,
    ),
    Action(
        slug="close",
        label=gettext_lazy("Close customer"),
        permission="identity.close_customer",
        icon="user-off",
        tone="danger",
        confirm=gettext_lazy("No service can be ordered afterwards; history stays."),
        form=ReasonForm,
        shown=_is_open,
        run=_close,
        order=90,
    ),
    Action(
        slug="look",
        label=gettext_lazy("See what the customer sees"),
        submit=gettext_lazy("Look for 15 minutes"),
        permission="identity.impersonate_customer",
        icon="eye",
        form=LookForm,
        run=_begin_look,
        order=67,
    ),
    Action(
        slug="end-look",
        label=gettext_lazy("End looking"),
        permission="identity.view_customer",
        shown=lambda _row: False,  # its button is in the banner of the look
        run=_end_look,
    ),
    Action(
        slug="reopen",
        label=gettext_lazy("Reopen"),
        permission="identity.reopen_customer",
        icon="user-plus",
        form=ReopenForm,
        shown=lambda row: row.state == CustomerState.CLOSED,
        run=_reopen,
        order=58,
    ),
    Action(
        slug="delete",
        label=gettext_lazy("Delete customer"),
        permission="identity.delete_customer",
        icon="trash",
        tone="danger",
        confirm=gettext_lazy("Only a customer without any history can be deleted."),
        run=_delete,
        order=91,
    ),
)

register_hub(
    HubContribution(
        app="identity",
        order=80,
        tabs=(
            Tab(
                slug="people",
                label=gettext_lazy("People and places"),
                build=_people_and_places,
                permission="identity.view_customer",
                order=80,
            ),
            DOCUMENTS_TAB,
            Tab(
                slug="history",
                label=gettext_lazy("History"),
                build=history_tab,
                permission="identity.view_timeline",
                order=85,
            ),
            COPIES_TAB,
        ),
        actions=ACTIONS,
        facts=_tags,
    )
)
