"""A customer's instance of a plan, and which plan it had when."""

from __future__ import annotations

from typing import Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from apps.catalog.enums import ServiceState
from dotmac.core.models import Record, SealedField

_NEVER_OPENED = Q(access__isnull=True)


class ServiceQuerySet(models.QuerySet["Service"]):
    def locked(self) -> Self:
        """Rows held until commit, always taken in the same order."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")

    def active(self) -> Self:
        return self.filter(state=ServiceState.ACTIVE)


class Service(Record):
    """One customer's right to one plan.

    `login` and `password` are the wish of the order. They stand here until the
    access account exists; from then on the account owns both and these are
    empty. Whether the service is suspended is read from the account's holds.
    """

    reference = models.CharField(max_length=20)
    customer = models.ForeignKey(
        "identity.Customer", models.PROTECT, related_name="+", db_index=False
    )
    plan = models.ForeignKey(
        "catalog.Plan", models.PROTECT, related_name="+", db_index=False
    )
    location = models.ForeignKey(
        "identity.ServiceLocation",
        models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
    )
    access = models.OneToOneField(
        "network.AccessAccount",
        models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
    )
    state = models.CharField(
        max_length=16, choices=ServiceState, default=ServiceState.PENDING
    )
    login = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001
    # The stubs cannot say that a field class of ours is nullable.
    password = SealedField(null=True, blank=True, editable=False)  # type: ignore[misc]
    activated_at = models.DateTimeField(null=True, blank=True)
    active_from_date = models.DateField(null=True, blank=True)
    terminated_at = models.DateTimeField(null=True, blank=True)
    ends_date = models.DateField(null=True, blank=True)

    objects = ServiceQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                "reference", name="catalog_service_reference_unique"
            ),
            models.UniqueConstraint("login", name="catalog_service_login_unique"),
            models.CheckConstraint(
                name="catalog_service_state_known",
                condition=Q(state__in=ServiceState.values),
            ),
            models.CheckConstraint(
                name="catalog_service_pending_has_no_access",
                condition=~Q(state=ServiceState.PENDING)
                | (_NEVER_OPENED & Q(login__isnull=False, password__isnull=False)),
            ),
            models.CheckConstraint(
                name="catalog_service_credentials_until_access",
                condition=_NEVER_OPENED | Q(login__isnull=True, password__isnull=True),
            ),
            models.CheckConstraint(
                name="catalog_service_active_is_complete",
                condition=~Q(state=ServiceState.ACTIVE)
                | Q(
                    access__isnull=False,
                    activated_at__isnull=False,
                    active_from_date__isnull=False,
                    terminated_at__isnull=True,
                    ends_date__isnull=True,
                ),
            ),
            models.CheckConstraint(
                name="catalog_service_terminated_has_time",
                condition=~Q(state=ServiceState.TERMINATED)
                | Q(terminated_at__isnull=False, login__isnull=True),
            ),
            models.CheckConstraint(
                name="catalog_service_terminated_has_end",
                condition=~Q(state=ServiceState.TERMINATED)
                | Q(active_from_date__isnull=True)
                | Q(ends_date__isnull=False),
            ),
            models.CheckConstraint(
                name="catalog_service_ends_after_start",
                condition=Q(ends_date__isnull=True)
                | Q(ends_date__gte=F("active_from_date")),
            ),
        )
        indexes = (
            models.Index(
                fields=("customer", "state"), name="catalog_service_of_customer"
            ),
            models.Index(fields=("plan", "state"), name="catalog_service_of_plan"),
            models.Index(fields=("state", "id"), name="catalog_service_in_state"),
        )

    def __str__(self) -> str:
        return self.reference


class ServicePlanPeriod(Record):
    """From start_date until end_date (excluded) the service had this plan."""

    service = models.ForeignKey(Service, models.PROTECT, related_name="+")
    plan = models.ForeignKey("catalog.Plan", models.PROTECT, related_name="+")
    start_date = models.DateField()
    end_date = models.DateField(null=True, blank=True)

    class Meta:
        constraints = (
            ExclusionConstraint(
                name="catalog_serviceplanperiod_no_overlap",
                expressions=[
                    ("service", RangeOperators.EQUAL),
                    (
                        Func("start_date", "end_date", function="daterange"),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            ),
            models.CheckConstraint(
                name="catalog_serviceplanperiod_ends_after_start",
                condition=Q(end_date__isnull=True) | Q(end_date__gte=F("start_date")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.service_id}: {self.plan_id} from {self.start_date}"
