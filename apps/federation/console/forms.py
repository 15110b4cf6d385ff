"""What people type about connections and applications."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.federation import operations, selectors
from apps.federation.enums import ConnectionKind
from apps.federation.models import ROLE_HOURS_MAX
from apps.identity import selectors as identity
from apps.identity.enums import UserKind
from dotmac.core.console import ConsoleForm

_CHOICES_MAX = 500
_LINES = {"rows": 2, "spellcheck": "false"}
_OIDC_ONLY = ("issuer", "client_id", "secret", "extra_scopes")


class ConnectionFields(ConsoleForm):
    """The facts of a connection of either kind; `facts` gives them to operations."""

    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        help_text=_("What the button says: Sign in with …"),
    )
    issuer = forms.CharField(
        label=_("Issuer"),
        max_length=500,
        help_text=_(
            "The address that serves /.well-known/openid-configuration, without that"
            " ending."
        ),
    )
    client_id = forms.CharField(
        label=_("Client id"),
        max_length=255,
        help_text=_("How the provider knows DotMac."),
    )
    secret = forms.CharField(
        label=_("Client secret"),
        max_length=500,
        required=False,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "off"}),
        help_text=_("Kept encrypted and never shown again."),
    )
    metadata = forms.CharField(
        label=_("Metadata"),
        max_length=200_000,
        widget=forms.Textarea({"rows": 3, "spellcheck": "false", "class": "dm-mono"}),
        help_text=_("The provider's metadata, or the address that serves it."),
    )
    domains = forms.CharField(
        label=_("E-mail domains"),
        max_length=5_000,
        widget=forms.Textarea(_LINES),
        help_text=_("One a line. Nobody with another address comes in."),
    )
    group_claim = forms.CharField(
        label=_("Groups are in"),
        max_length=150,
        initial="groups",
        help_text=_("The claim or attribute, such as groups or realm_access.roles."),
    )
    extra_scopes = forms.CharField(
        label=_("More scopes"),
        max_length=200,
        required=False,
        help_text=_("Asked for beside openid, email and profile."),
    )
    makes_accounts = forms.BooleanField(
        label=_("Make accounts at the first sign-in"),
        required=False,
        help_text=_(
            "Staff: where a group gives a role. Customers: for the one customer of"
            " that address, if nobody acts for it yet."
        ),
    )
    trusts_email = forms.BooleanField(
        label=_("Every address it names is verified"),
        required=False,
        help_text=_("Only for a provider of your own: Entra, and SAML, do not say so."),
    )
    trusts_mfa = forms.BooleanField(
        label=_("Its second factor counts"),
        required=False,
        help_text=_("Otherwise DotMac asks for its own after the provider."),
    )
    role_hours = forms.IntegerField(
        label=_("Roles last (hours)"),
        min_value=1,
        max_value=ROLE_HOURS_MAX,
        initial=24,
        help_text=_(
            "What groups gave goes when somebody was not seen through it for so long,"
            " however they sign in."
        ),
    )
    mfa_words = forms.CharField(
        label=_("Words for a second factor"),
        max_length=300,
        required=False,
        help_text=_("Values of acr or amr that mean it, beside mfa. Such as: 2 gold"),
    )

    def clean(self) -> dict[str, Any]:
        """The operation checks values; here only whole words become lists."""
        data = dict(super().clean() or {})
        data["domains"] = str(data.get("domains", "")).replace(",", " ").split()
        return data


def facts_in(data: dict[str, Any]) -> operations.ConnectionFacts:
    """Everything that was typed, but at whose door it stands."""
    names = set(data) - {"audience"}
    return operations.ConnectionFacts(**{name: data[name] for name in names})


class NewOidcForm(ConnectionFields):
    audience = forms.ChoiceField(label=_("For"), choices=UserKind.choices)
    field_order = ["name", "audience"]

    def arrange(self) -> None:
        del self.fields["metadata"]


class NewSamlForm(ConnectionFields):
    audience = forms.ChoiceField(label=_("For"), choices=UserKind.choices)
    field_order = ["name", "audience"]

    def arrange(self) -> None:
        for name in _OIDC_ONLY:
            del self.fields[name]


class ChangeConnectionForm(ConnectionFields):
    """Without the fields of the other protocol."""

    def arrange(self) -> None:
        is_saml = self.row.kind == ConnectionKind.SAML
        for name in _OIDC_ONLY if is_saml else ("metadata",):
            del self.fields[name]
        if not is_saml:
            self.fields["secret"].help_text = _("Left empty, it stays as it is.")


def values_of(row: Any) -> dict[str, Any]:
    """A connection as the form shows it; never its secret."""
    names = set(ConnectionFields.base_fields) - {"secret", "metadata", "domains"}
    return {
        **{name: getattr(row, name) for name in names},
        "domains": "\n".join(row.domains),
        "metadata": row.metadata_url,
    }


class MapRoleForm(ConsoleForm):
    group = forms.CharField(
        label=_("Group"),
        max_length=255,
        help_text=_("Exactly as the provider writes it; Entra sends object ids."),
    )
    role_slug = forms.ChoiceField(label=_("Role"))
    unit_id = forms.TypedChoiceField(
        label=_("Where"), coerce=int, help_text=_("There, and in all units below.")
    )

    def arrange(self) -> None:
        self.fields["role_slug"].choices = [  # type: ignore[attr-defined]
            (role.slug, role.name) for role in identity.roles().order_by("name")
        ]
        units = identity.units_visible_to(self.page.actor, "identity.manage_roles")
        self.fields["unit_id"].choices = [  # type: ignore[attr-defined]
            (unit.pk, unit.name) for unit in units[:_CHOICES_MAX]
        ]


class UnmapRoleForm(ConsoleForm):
    line_id = forms.TypedChoiceField(label=_("Which"), coerce=int)

    def arrange(self) -> None:
        self.fields["line_id"].choices = [  # type: ignore[attr-defined]
            (line.pk, f"{line.group} · {line.role.name} · {line.unit.name}")
            for line in selectors.mappings_of(self.row.pk)
        ]


class UnlinkForm(ConsoleForm):
    person_id = forms.TypedChoiceField(label=_("Who"), coerce=int)

    def arrange(self) -> None:
        self.fields["person_id"].choices = [  # type: ignore[attr-defined]
            (person.pk, f"{person.user.username} · {person.email}")
            for person in selectors.people_of(self.row.pk)
        ]


class ApplicationFields(ConsoleForm):
    name = forms.CharField(label=_("Name"), max_length=80)
    return_addresses = forms.CharField(
        label=_("Return addresses"),
        max_length=5_010,
        widget=forms.Textarea(_LINES),
        help_text=_("Redirect URIs, one a line, compared letter by letter."),
    )
    leave_addresses = forms.CharField(
        label=_("Addresses after signing out"),
        max_length=5_010,
        required=False,
        widget=forms.Textarea(_LINES),
    )
    asks_consent = forms.BooleanField(
        label=_("Ask people before they are told"), required=False, initial=True
    )

    def clean_return_addresses(self) -> list[str]:
        return str(self.cleaned_data["return_addresses"]).split()

    def clean_leave_addresses(self) -> list[str]:
        return str(self.cleaned_data["leave_addresses"]).split()


class NewApplicationForm(ApplicationFields):
    is_public = forms.BooleanField(
        label=_("Runs on people's own machines"),
        required=False,
        help_text=_("Then it has no secret: it could not keep one."),
    )
