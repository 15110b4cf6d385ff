"""API keys: one's own, and for administrators those of colleagues.

What is dangerous is not offered: a key cannot show a second factor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.identity import operations, selectors
from apps.identity.models import ApiKey
from dotmac.core.actors import Actor
from dotmac.core.console import (
    Action,
    Button,
    Column,
    ConsoleForm,
    Done,
    FormScreen,
    IdFilter,
    ListScreen,
    Page,
    State,
    TemplatePanel,
    list_url,
    register_screen,
)
from dotmac.core.permissions import catalogue, is_dangerous

OWN = "identity.manage_own_access"
_DAYS = (
    (30, gettext_lazy("30 days")),
    (90, gettext_lazy("90 days")),
    (180, gettext_lazy("half a year")),
    (366, gettext_lazy("one year")),
)


def key_state(key: ApiKey) -> State:
    """Works, over, or taken back."""
    if key.revoked_at is not None:
        return State(_("Revoked"), "quiet", "ban")
    if key.expires_at <= timezone.now():
        return State(_("Expired"), "quiet", "clock-stop")
    return State(_("Works"), "good", "circle-check")


def _bound(key: ApiKey) -> str:
    return ", ".join(key.addresses) or _("anywhere")


def _is_open(key: ApiKey) -> bool:
    return key.revoked_at is None


COLUMNS = (
    Column(gettext_lazy("Name"), "name"),
    Column(gettext_lazy("Key"), "shown_prefix"),
    Column(gettext_lazy("State"), key_state, "state"),
    Column(gettext_lazy("May do"), lambda key: len(key.scopes), "number", phone=False),
    Column(gettext_lazy("From"), _bound, phone=False),
    Column(gettext_lazy("Expires"), "expires_at", "date"),
    Column(gettext_lazy("Last used"), "last_used_at", "datetime"),
    Column(gettext_lazy("By"), "last_address", "code", phone=False),
    Column(gettext_lazy("Uses"), "use_count", "number"),
)


def with_uses(rows: list[Any]) -> list[Any]:
    """The count of the row, and what Valkey has counted since."""
    uses = selectors.counted_uses(rows)
    for row in rows:
        row.use_count = uses[row.pk]
    return rows


def _revoke_own(row: ApiKey, data: dict[str, Any], page: Page) -> str:
    operations.revoke_api_key(
        key_id=row.pk, owner_id=page.actor.id, actor=page.actor, now=page.now
    )
    return _('The key "%s" no longer works.') % row.name


def _revoke(row: ApiKey, data: dict[str, Any], page: Page) -> str:
    operations.revoke_api_key(key_id=row.pk, actor=page.actor, now=page.now)
    return _('The key "%s" no longer works.') % row.name


REVOKE = Action(
    slug="revoke",
    label=gettext_lazy("Revoke"),
    permission=OWN,
    icon="ban",
    tone="danger",
    confirm=gettext_lazy("Programs that use this key are refused from now on."),
    shown=_is_open,
    run=_revoke_own,
)


@register_screen
class MyKeys(ListScreen):
    slug = "my-keys"
    title = gettext_lazy("My API keys")
    permission = OWN
    icon = "key"
    export = False
    intro = gettext_lazy(
        "A program with a key acts in your name, as far as the key goes and you may go."
    )
    empty = gettext_lazy("No key yet. Programs need one to use the API without you.")
    columns = COLUMNS
    actions = (REVOKE,)

    @property
    def buttons(self) -> Sequence[Button]:  # type: ignore[override]
        new = Button(
            label=_("New key"),
            url=list_url("my-keys/new"),
            icon="plus",
            tone="primary",
            permission="identity.create_api_key",
        )
        return (new,)

    def rows(self, actor: Actor, permission: str) -> QuerySet[ApiKey]:
        return selectors.own_api_keys(actor.id)

    def decorate(self, rows: list[Any], page: Page) -> list[Any]:
        return with_uses(rows)

    def row_url(self, row: Any) -> str | None:
        return ""


class NewKeyForm(ConsoleForm):
    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=80,
        help_text=gettext_lazy("What will use it, such as: nightly export."),
    )
    days = forms.TypedChoiceField(
        label=gettext_lazy("Valid for"), coerce=int, choices=_DAYS, initial=90
    )
    addresses = forms.CharField(
        label=gettext_lazy("Only from these addresses"),
        required=False,
        widget=forms.Textarea({"rows": 2, "spellcheck": "false"}),
        help_text=gettext_lazy("One address or network a line: 203.0.113.0/28."),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("May do"), widget=forms.CheckboxSelectMultiple
    )

    def arrange(self) -> None:
        held = self.page.actor.scopes
        groups: dict[str, list[tuple[str, str]]] = {}
        for name, meaning in catalogue().items():
            if name in held and not is_dangerous(name):
                groups.setdefault(name.split(".", 1)[0], []).append((name, meaning))
        choices = list(groups.items())
        self.fields["scopes"].choices = choices  # type: ignore[attr-defined]


@register_screen
class NewKey(FormScreen):
    slug = "my-keys/new"
    title = gettext_lazy("New API key")
    permission = "identity.create_api_key"
    form = NewKeyForm
    submit_label = gettext_lazy("Make the key")
    intro = gettext_lazy("Choose as little as the program needs.")

    def run(self, data: dict[str, Any], page: Page) -> Done:
        made = operations.create_api_key(
            name=data["name"],
            scopes=data["scopes"],
            days=data["days"],
            addresses=data["addresses"].split(),
            actor=page.actor,
            now=page.now,
        )
        panel = TemplatePanel(
            title=made.row.name,
            name="ui/shown_once.html",
            context={
                "says": _("Send it as: Authorization: Bearer KEY"),
                "value": made.key,
            },
        )
        return Done(_("The key is made."), panels=[panel])


@register_screen
class ApiKeyList(ListScreen):
    slug = "api-keys"
    title = gettext_lazy("API keys")
    permission = "identity.view_api_key"
    icon = "key"
    menu = "system"
    menu_order = 73
    empty = gettext_lazy("Nobody has made a key yet.")
    columns = (
        COLUMNS[0],
        Column(gettext_lazy("Owner"), "user.username", "code"),
        *COLUMNS[1:],
    )
    filters = (IdFilter(name="user", label=gettext_lazy("Owner"), field="user_id"),)
    actions = (replace(REVOKE, permission="identity.revoke_api_key", run=_revoke),)

    def rows(self, actor: Actor, permission: str) -> QuerySet[ApiKey]:
        return selectors.api_keys_visible_to(actor, permission)

    def decorate(self, rows: list[Any], page: Page) -> list[Any]:
        return with_uses(rows)

    def row_url(self, row: Any) -> str | None:
        return ""
