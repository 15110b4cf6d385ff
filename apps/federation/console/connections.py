"""Identity providers: listed, added, tested, mapped, switched on and off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.federation import operations, selectors
from apps.federation.console.forms import (
    ChangeConnectionForm,
    MapRoleForm,
    NewOidcForm,
    NewSamlForm,
    UnlinkForm,
    UnmapRoleForm,
    facts_in,
    values_of,
)
from apps.federation.console.panels import to_enter
from apps.federation.enums import ConnectionKind
from apps.federation.models import Connection
from apps.identity.enums import UserKind
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Action,
    Button,
    Column,
    ConsoleForm,
    DetailScreen,
    Done,
    Fact,
    FactsPanel,
    FormScreen,
    ListScreen,
    Page,
    Panel,
    State,
    Tab,
    TablePanel,
    detail_url,
    register_screen,
)

VIEW = "federation.view_connection"


def state_of_connection(row: Connection) -> State:
    """On, off, or not tested as it stands."""
    if row.is_active:
        why = _("Offered on the sign-in page.")
        return State(_("On"), "good", "circle-check", why=why)
    if row.checked_at is None:
        why = _("Test it first: only then it can be switched on.")
        return State(_("Not tested"), "warn", "help-circle", why=why)
    return State(_("Off"), "quiet", "circle-off")


def _may_go_on(row: Connection) -> bool:
    return not row.is_active and row.checked_at is not None


def _is_on(row: Connection) -> bool:
    return row.is_active


def _is_for_staff(row: Connection) -> bool:
    return row.audience == UserKind.STAFF


def _values(row: Connection, page: Page) -> dict[str, Any]:
    return values_of(row)


def _change(row: Connection, data: dict[str, Any], page: Page) -> str:
    changed = operations.change_connection(
        connection_id=row.pk, facts=facts_in(data), actor=page.actor, now=page.now
    )
    if row.is_active and not changed.is_active:
        return _("Saved, and switched off: test it again as it stands now.")
    return _("Saved.")


def _check(row: Connection, data: dict[str, Any], page: Page) -> str:
    checked = operations.check_connection(
        connection_id=row.pk, actor=page.actor, now=page.now
    )
    return _("The provider: %s") % checked.check_says


def _switch_on(row: Connection, data: dict[str, Any], page: Page) -> str:
    operations.switch_connection(
        connection_id=row.pk, on=True, actor=page.actor, now=page.now
    )
    return _("It is on the sign-in page now.")


def _switch_off(row: Connection, data: dict[str, Any], page: Page) -> str:
    operations.switch_connection(
        connection_id=row.pk, on=False, actor=page.actor, now=page.now
    )
    return _("Nobody comes in through it any more; roles by its groups are taken.")


def _map(row: Connection, data: dict[str, Any], page: Page) -> str:
    operations.map_role(connection_id=row.pk, **data, actor=page.actor, now=page.now)
    return _("It holds from each person's next sign-in on.")


def _unmap(row: Connection, data: dict[str, Any], page: Page) -> str:
    operations.unmap_role(connection_id=row.pk, **data, actor=page.actor, now=page.now)
    return _("The group gives this role no more; who had it by it lost it.")


def _unlink(row: Connection, data: dict[str, Any], page: Page) -> str:
    operations.unlink_person(
        connection_id=row.pk, **data, actor=page.actor, now=page.now
    )
    return _("The link is gone; the account stays.")


@register_screen
class ConnectionList(ListScreen):
    slug = "connections"
    title = gettext_lazy("Sign-in providers")
    permission = VIEW
    icon = "login"
    menu = "system"
    menu_order = 75
    intro = gettext_lazy(
        "Through these, people sign in with an account they have elsewhere."
    )
    empty = gettext_lazy("None yet. Everybody signs in with DotMac's own password.")
    columns = (
        Column(gettext_lazy("Name"), "name"),
        Column(gettext_lazy("State"), state_of_connection, "state"),
        Column(gettext_lazy("For"), lambda row: row.get_audience_display()),
        Column(gettext_lazy("Protocol"), lambda row: row.get_kind_display()),
        Column(gettext_lazy("Domains"), lambda row: ", ".join(row.domains)),
        Column(gettext_lazy("Tested"), "checked_at", "datetime", phone=False),
    )
    buttons = (
        Button(
            label=gettext_lazy("New by OpenID Connect"),
            url="connections/new",
            icon="plus",
            tone="primary",
            permission="federation.create_connection",
        ),
        Button(
            label=gettext_lazy("New by SAML"),
            url="connections/new-saml",
            icon="plus",
            permission="federation.create_connection",
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Connection]:
        return selectors.connections_visible_to(actor, permission)


@register_screen
class NewConnection(FormScreen):
    slug = "connections/new"
    title = gettext_lazy("New provider by OpenID Connect")
    permission = "federation.create_connection"
    icon = "login"
    form: ClassVar[type[ConsoleForm]] = NewOidcForm
    kind = ConnectionKind.OIDC
    submit_label = gettext_lazy("Add provider")
    intro = gettext_lazy(
        "Whoever runs the provider says who the people of its domains are. It stays"
        " off until you have tested it."
    )

    def run(self, data: dict[str, Any], page: Page) -> Done:
        row = operations.create_connection(
            kind=self.kind,
            audience=data["audience"],
            facts=facts_in(data),
            actor=page.actor,
            now=page.now,
        )
        return Done(_("The provider was added."), detail_url("connections", row.pk))


@register_screen
class NewSamlConnection(NewConnection):
    slug = "connections/new-saml"
    title = gettext_lazy("New provider by SAML")
    form = NewSamlForm
    kind = ConnectionKind.SAML


ACTIONS = (
    Action(
        slug="change",
        label=gettext_lazy("Change"),
        submit=gettext_lazy("Save"),
        permission="federation.change_connection",
        icon="edit",
        form=ChangeConnectionForm,
        initial=_values,
        run=_change,
        order=10,
    ),
    Action(
        slug="check",
        label=gettext_lazy("Test"),
        permission="federation.check_connection",
        icon="plug-connected",
        run=_check,
        order=20,
    ),
    Action(
        slug="switch-on",
        label=gettext_lazy("Switch on"),
        permission="federation.switch_connection",
        icon="player-play",
        tone="primary",
        confirm=gettext_lazy("It appears on the sign-in page at once."),
        shown=_may_go_on,
        run=_switch_on,
        order=30,
    ),
    Action(
        slug="switch-off",
        label=gettext_lazy("Switch off"),
        permission="federation.switch_connection",
        icon="player-pause",
        tone="danger",
        confirm=gettext_lazy(
            "Nobody comes in through it, and roles that its groups gave are taken at"
            " once. Open sign-ins go on without them."
        ),
        shown=_is_on,
        run=_switch_off,
        order=30,
    ),
    Action(
        slug="map-role",
        label=gettext_lazy("Map a group"),
        permission="federation.map_role",
        icon="user-plus",
        form=MapRoleForm,
        shown=_is_for_staff,
        run=_map,
        order=40,
    ),
    Action(
        slug="unmap-role",
        label=gettext_lazy("Take a mapping away"),
        permission="federation.map_role",
        icon="user-minus",
        form=UnmapRoleForm,
        shown=_is_for_staff,
        run=_unmap,
        order=50,
    ),
    Action(
        slug="unlink",
        label=gettext_lazy("Unlink a person"),
        permission="federation.unlink_person",
        icon="link-off",
        tone="danger",
        form=UnlinkForm,
        run=_unlink,
        order=60,
    ),
)


@register_screen
class ConnectionDetail(DetailScreen):
    slug = "connections"
    title = gettext_lazy("Sign-in provider")
    permission = VIEW
    icon = "login"
    actions = ACTIONS
    tabs = (
        Tab(slug="overview", label=gettext_lazy("Overview"), build="overview"),
        Tab(slug="groups", label=gettext_lazy("Groups and roles"), build="groups"),
        Tab(slug="people", label=gettext_lazy("People"), build="people"),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Connection]:
        return selectors.connections_visible_to(actor, permission)

    def heading(self, row: Connection) -> str:
        return row.name

    def subheading(self, row: Connection, page: Page) -> str:
        return f"{row.get_kind_display()} · {row.get_audience_display()}"

    def state(self, row: Connection, page: Page) -> State:
        return state_of_connection(row)

    def facts(self, row: Connection, page: Page) -> Sequence[Fact]:
        return [
            Fact(_("Domains"), ", ".join(row.domains)),
            Fact(_("Tested"), row.checked_at, "datetime"),
            Fact(_("It said"), row.check_says or _("nothing yet")),
        ]

    def overview(self, row: Connection, page: Page) -> Sequence[Panel]:
        return [_ours(row), _theirs(row), _trust(row)]

    def groups(self, row: Connection, page: Page) -> Sequence[Panel]:
        return [
            TablePanel(
                title=_("Which group gives which role"),
                note=_(
                    "Looked at anew at each sign-in: what is gone there goes here, at"
                    " the latest %s hours after somebody was seen through it."
                )
                % row.role_hours,
                columns=(
                    Column(_("Group"), "group", "code"),
                    Column(_("Role"), "role.name", to="roles", to_id="role_id"),
                    Column(_("Where"), "unit.name"),
                ),
                rows=selectors.mappings_of(row.pk),
                empty=_("No group gives a role yet: people keep what they have here."),
            )
        ]

    def people(self, row: Connection, page: Page) -> Sequence[Panel]:
        to = "staff" if _is_for_staff(row) else None
        return [
            TablePanel(
                title=_("Who came in through it"),
                columns=(
                    Column(_("Sign-in name"), "user.username", "code", to, "user_id"),
                    Column(_("Address there"), "email"),
                    Column(_("Groups"), lambda one: ", ".join(one.groups), phone=False),
                    Column(_("Account made"), "made_account", "bool", phone=False),
                    Column(_("Last came"), "seen_at", "datetime"),
                ),
                rows=selectors.people_of(row.pk),
                empty=_("Nobody yet."),
            )
        ]


def _ours(row: Connection) -> Panel:
    """What the provider's side has to be told."""
    ours = selectors.addresses_of(row)
    if row.kind == ConnectionKind.SAML:
        says = _("Let it sign assertions, with SHA-256 or better.")
        lines = [
            (_("Entity id, and our metadata"), ours.metadata),
            (_("Assertion consumer service"), ours.consumer),
        ]
    else:
        says = _("The code flow with PKCE.")
        lines = [(_("Redirect URI"), ours.callback)]
    return to_enter(_("To be entered at the provider"), lines, says)


def _theirs(row: Connection) -> Panel:
    lines = [(_("Issuer"), row.issuer)]
    if row.kind == ConnectionKind.SAML:
        lines.append((_("Sign-in address"), row.sso_url))
        lines.append((_("Metadata from"), row.metadata_url or _("what was pasted")))
    else:
        lines.append((_("Client id"), row.client_id))
        secret = _("kept encrypted") if row.secret else _("none: PKCE alone")
        lines.append((_("Client secret"), secret))
        lines.append((_("More scopes"), row.extra_scopes or _("none")))
    return to_enter(_("The provider"), lines)


def _trust(row: Connection) -> Panel:
    return FactsPanel(
        title=_("What it is trusted with"),
        facts=[
            Fact(_("Makes accounts at the first sign-in"), row.makes_accounts, "bool"),
            Fact(_("Every address is verified"), row.trusts_email, "bool"),
            Fact(_("Its second factor counts"), row.trusts_mfa, "bool"),
            Fact(_("Words for a second factor"), row.mfa_words or _("mfa")),
            Fact(_("Groups are in"), row.group_claim, "code"),
            Fact(_("Roles last (hours)"), row.role_hours),
        ],
    )
