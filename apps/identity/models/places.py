"""Where customers are served, and whom to speak to about them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.identity.enums import ContactRole, Serviceability
from apps.identity.models.customer import Customer
from dotmac.core.models import Record


class Contact(Record):
    """A person to speak to about a customer.

    One may be the primary contact; those who get bills or outage notes are
    written to beside the customer.
    """

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    name = models.CharField(max_length=150)
    role = models.CharField(
        max_length=16, choices=ContactRole, default=ContactRole.GENERAL
    )
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=16, blank=True)
    is_primary = models.BooleanField(default=False)
    gets_bills = models.BooleanField(default=False)
    gets_outages = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="identity_contact_phone_e164",
                condition=Q(phone="") | Q(phone__regex=r"^\+[1-9][0-9]{6,14}$"),
            ),
            models.UniqueConstraint(
                fields=("customer",),
                condition=Q(is_primary=True),
                name="identity_contact_one_primary",
            ),
            models.CheckConstraint(
                name="identity_contact_bills_by_email",
                condition=Q(gets_bills=False) | ~Q(email=""),
            ),
            models.CheckConstraint(
                name="identity_contact_outages_reach",
                condition=Q(gets_outages=False) | ~Q(email="") | ~Q(phone=""),
            ),
        )

    def __str__(self) -> str:
        return self.name


class ServiceLocation(Record):
    """A place where a customer is served, or asks to be."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="+")
    label = models.CharField(max_length=80)
    address = models.CharField(max_length=300)
    city = models.CharField(max_length=120, blank=True)
    latitude = models.DecimalField(
        max_digits=9, decimal_places=6, null=True, blank=True
    )
    longitude = models.DecimalField(
        max_digits=9, decimal_places=6, null=True, blank=True
    )
    serviceability = models.CharField(
        max_length=16, choices=Serviceability, default=Serviceability.UNKNOWN
    )
    serviceability_note = models.CharField(max_length=300, blank=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    checked_by = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="identity_servicelocation_on_earth",
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(
                    latitude__isnull=False,
                    longitude__isnull=False,
                    latitude__range=(-90, 90),
                    longitude__range=(-180, 180),
                ),
            ),
            models.CheckConstraint(
                name="identity_servicelocation_checked_has_time",
                condition=Q(
                    serviceability=Serviceability.UNKNOWN,
                    checked_at__isnull=True,
                    checked_by="",
                )
                | (
                    ~Q(serviceability=Serviceability.UNKNOWN)
                    & Q(checked_at__isnull=False)
                ),
            ),
        )

    def __str__(self) -> str:
        return self.label
