"""What people type about customers; the operations judge it."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.identity import selectors
from apps.identity.console.fields import PREFIX, form_field
from apps.identity.enums import (
    FIRST_STATES,
    ContactRole,
    CustomerKind,
    MemberRights,
    Serviceability,
)
from dotmac.core.console import ConsoleForm

_UNITS_MAX = 500


class CustomerForm(ConsoleForm):
    """Who it is, how to reach them, where they live."""

    permission = "identity.change_customer"

    name = forms.CharField(label=_("Name"), max_length=200)
    kind = forms.ChoiceField(label=_("Kind"), choices=CustomerKind.choices)
    email = forms.CharField(
        label=_("E-mail"),
        max_length=254,
        required=False,
        widget=forms.EmailInput({"autocomplete": "off"}),
        help_text=_("E-mail or phone is needed."),
    )
    phone = forms.CharField(
        label=_("Phone"),
        max_length=40,
        required=False,
        widget=forms.TextInput({"inputmode": "tel", "autocomplete": "off"}),
        help_text=_("As dialled here, or with the country: 0803 123 4567."),
    )
    address = forms.CharField(label=_("Address"), max_length=300, required=False)
    city = forms.CharField(label=_("City"), max_length=120, required=False)
    region = forms.CharField(label=_("State or region"), max_length=120, required=False)
    postal_code = forms.CharField(label=_("Postal code"), max_length=20, required=False)
    country = forms.CharField(
        label=_("Country"),
        max_length=2,
        required=False,
        help_text=_("Two letters, such as NG."),
    )
    tax_number = forms.CharField(label=_("Tax number"), max_length=40, required=False)
    unit_id = forms.TypedChoiceField(label=_("Belongs to"), coerce=int)
    source = forms.CharField(
        label=_("Came by"),
        max_length=80,
        required=False,
        help_text=_("Such as: shop, radio, a friend."),
    )
    owner_id = forms.TypedChoiceField(
        label=_("Followed up by"), coerce=int, empty_value=None, required=False
    )
    confirm_duplicate = forms.BooleanField(
        label=_("This is another customer, though e-mail or phone are the same."),
        required=False,
    )

    def arrange(self) -> None:
        units = selectors.units_visible_to(self.page.actor, self.permission)
        choices = [(unit.pk, unit.name) for unit in units[:_UNITS_MAX]]
        if self.row is not None and self.row.unit_id not in dict(choices):
            choices.append((self.row.unit_id, self.row.unit.name))
        self.fields["unit_id"].choices = choices  # type: ignore[attr-defined]
        held = {} if self.row is None else self.row.custom
        for field in selectors.custom_fields():
            self.fields[f"{PREFIX}{field.slug}"] = form_field(field)
            value = held.get(field.slug)
            shown = str(value).lower() if isinstance(value, bool) else value
            self.initial.setdefault(f"{PREFIX}{field.slug}", shown)
        staff = [(row.pk, row.name) for row in selectors.active_staff()[:_UNITS_MAX]]
        owner = self.fields["owner_id"]
        owner.choices = [("", _("Nobody")), *staff]  # type: ignore[attr-defined]
        if len(choices) == 1:
            self.fields["unit_id"].widget = forms.HiddenInput()
            self.fields["unit_id"].initial = choices[0][0]
        if not self.is_bound:
            # Asked only of those whom the first attempt told of a duplicate.
            del self.fields["confirm_duplicate"]


class NewCustomerForm(CustomerForm):
    permission = "identity.create_customer"

    state = forms.ChoiceField(
        label=_("Begins as"),
        choices=FIRST_STATES,
        help_text=_("The first active service makes a prospect a customer."),
    )


class LocationForm(ConsoleForm):
    label = forms.CharField(
        label=_("Label"), max_length=80, help_text=_("Such as: home, shop.")
    )
    address = forms.CharField(label=_("Address"), max_length=300)
    city = forms.CharField(label=_("City"), max_length=120, required=False)
    latitude = forms.DecimalField(
        label=_("Latitude"), max_digits=9, decimal_places=6, required=False
    )
    longitude = forms.DecimalField(
        label=_("Longitude"), max_digits=9, decimal_places=6, required=False
    )


class ContactForm(ConsoleForm):
    name = forms.CharField(label=_("Name"), max_length=150)
    role = forms.ChoiceField(label=_("For"), choices=ContactRole.choices)
    email = forms.CharField(label=_("E-mail"), max_length=254, required=False)
    phone = forms.CharField(label=_("Phone"), max_length=40, required=False)
    is_primary = forms.BooleanField(label=_("Primary contact"), required=False)
    gets_bills = forms.BooleanField(label=_("Gets the bills"), required=False)
    gets_outages = forms.BooleanField(label=_("Gets outage notes"), required=False)


class CheckForm(ConsoleForm):
    answer = forms.ChoiceField(
        label=_("Can it be served?"),
        choices=[
            pair for pair in Serviceability.choices if pair[0] != Serviceability.UNKNOWN
        ],
    )
    note = forms.CharField(
        label=_("Note"),
        max_length=300,
        required=False,
        help_text=_("Such as: line of sight to Ikeja tower, 12 m mast needed."),
    )


class ReasonForm(ConsoleForm):
    """Why a customer's state changes; it stands in the history."""

    reason = forms.CharField(label=_("Reason"), max_length=300, required=False)


class LookForm(ConsoleForm):
    reason = forms.CharField(
        label=_("Why"),
        max_length=200,
        help_text=_("The customer reads it in the portal. You can read, not act."),
    )


class ReopenForm(ReasonForm):
    confirm_duplicate = forms.BooleanField(
        label=_("This is another customer, though e-mail or phone are the same."),
        required=False,
    )


class PortalPasswordForm(ConsoleForm):
    user_id = forms.TypedChoiceField(label=_("Whose"), coerce=int)
    password = forms.CharField(
        label=_("New password"),
        max_length=1024,
        strip=False,
        help_text=_("At least 15 characters. Tell it to the customer yourself."),
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def arrange(self) -> None:
        members = selectors.memberships_of(self.row.pk)
        self.fields["user_id"].choices = [  # type: ignore[attr-defined]
            (member.user_id, member.user.sign_in_name) for member in members
        ]


class PortalUserForm(ConsoleForm):
    username = forms.CharField(
        label=_("Sign-in name"), max_length=150, help_text=_("For the portal.")
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=1024,
        strip=False,
        help_text=_("At least 15 characters. Tell it to the customer yourself."),
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    rights = forms.ChoiceField(label=_("May do"), choices=MemberRights.choices)


class PortalInvitationForm(ConsoleForm):
    email = forms.CharField(
        label=_("E-mail"),
        max_length=254,
        widget=forms.EmailInput({"autocomplete": "off"}),
        help_text=_("A link to choose a password is mailed there."),
    )
    name = forms.CharField(label=_("Name"), max_length=150)
    rights = forms.ChoiceField(label=_("May do"), choices=MemberRights.choices)
