"""What people type about customers; the operations judge it."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.identity import selectors
from apps.identity.enums import (
    FIRST_STATES,
    ContactRole,
    CustomerKind,
    MemberRights,
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
            (member.user_id, member.user.username) for member in members
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
