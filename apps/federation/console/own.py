"""Which tools learn something of oneself, and how that ends."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.federation import operations, selectors
from apps.federation.models import Consent
from dotmac.core.actors import Actor
from dotmac.core.console import Action, Column, ListScreen, Page, register_screen

_OWN = "identity.manage_own_access"


def _learns(consent: Consent) -> str:
    words = [_(selectors.SCOPES[scope]) for scope in consent.scopes]
    return ", ".join(words)


def _withdraw(consent: Consent, data: dict[str, Any], page: Page) -> str:
    operations.withdraw_consent(consent_id=consent.pk, actor=page.actor, now=page.now)
    return _("%s learns nothing more of you.") % consent.application.name


@register_screen
class MyApplications(ListScreen):
    slug = "my-applications"
    title = gettext_lazy("My applications")
    permission = _OWN
    icon = "layout-grid"
    export = False
    intro = gettext_lazy(
        "Tools that you entered with your DotMac sign-in, and what they were told."
    )
    empty = gettext_lazy("No tool was told anything of you.")
    columns = (
        Column(gettext_lazy("Application"), "application.name"),
        Column(gettext_lazy("Learns"), _learns),
        Column(gettext_lazy("Agreed"), "updated_at", "datetime"),
    )
    actions = (
        Action(
            slug="withdraw",
            label=gettext_lazy("Withdraw"),
            permission=_OWN,
            icon="x",
            confirm=gettext_lazy(
                "The tool's access ends at once; what it kept, it has. It asks again"
                " when you next enter it, unless it asks nobody."
            ),
            run=_withdraw,
        ),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Consent]:
        return selectors.own_consents(actor)

    def row_url(self, row: Any) -> str | None:
        return ""
