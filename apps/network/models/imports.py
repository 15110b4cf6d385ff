"""Imports of users from other RADIUS servers, row by row."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q

from apps.network.enums import (
    ComparisonVerdict,
    ImportRowState,
    ImportSource,
    ImportState,
)
from dotmac.core.models import Record, SealedField


class AccountImportQuerySet(models.QuerySet["AccountImport"]):
    def locked(self) -> Self:
        """Rows held until commit, always taken in the same order."""
        return self.select_for_update(of=("self",), no_key=True).order_by("pk")


class AccountImport(Record):
    """One file, or one look into another server's database, read whole.

    `profile` is for users without a speed of their own; `nas` is the one that is to
    be switched: its attributes cover what an account has no place for.
    """

    name = models.CharField(max_length=120)
    source = models.CharField(max_length=16, choices=ImportSource.choices)
    state = models.CharField(
        max_length=16, choices=ImportState.choices, default=ImportState.PREVIEW
    )
    profile = models.ForeignKey(
        "network.RateProfile", models.PROTECT, related_name="+", null=True
    )
    nas = models.ForeignKey("network.Nas", models.PROTECT, related_name="+", null=True)
    job = models.OneToOneField("ops.Job", models.PROTECT, related_name="+", null=True)
    left = models.JSONField(default=list)
    actor_label = models.CharField(max_length=200)
    # The number of the last row that its job has carried.
    carried = models.PositiveIntegerField(default=0)
    began_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    compared_at = models.DateTimeField(null=True)
    compared_as = models.ForeignKey(
        "network.Nas", models.PROTECT, related_name="+", null=True
    )

    objects = AccountImportQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="network_accountimport_source_known",
                condition=Q(source__in=ImportSource.values),
            ),
            models.CheckConstraint(
                name="network_accountimport_state_known",
                condition=Q(state__in=ImportState.values),
            ),
        )

    def __str__(self) -> str:
        return self.name


class AccountImportRow(Record):
    """One user of the old server: what becomes of it, and why.

    `facts` seals what the account will be opened with, its password among it; they
    are there only while the row waits. A constraint sees to that.
    """

    batch = models.ForeignKey(
        "network.AccountImport", models.CASCADE, related_name="rows", db_index=False
    )
    number = models.PositiveIntegerField()
    place = models.CharField(max_length=200)
    login = models.CharField(max_length=253, blank=True)
    state = models.CharField(max_length=16, choices=ImportRowState.choices)
    reason = models.TextField(blank=True, default="")
    facts = SealedField(null=True)  # type: ignore[misc]
    account = models.ForeignKey(
        "network.AccessAccount", models.PROTECT, related_name="+", null=True
    )
    verdict = models.CharField(
        max_length=16, choices=ComparisonVerdict.choices, blank=True, default=""
    )
    differences = models.JSONField(default=list)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                name="network_accountimportrow_number", fields=("batch", "number")
            ),
            models.CheckConstraint(
                name="network_accountimportrow_state_known",
                condition=Q(state__in=ImportRowState.values),
            ),
            models.CheckConstraint(
                name="network_accountimportrow_verdict_known",
                condition=Q(verdict__in=("", *ComparisonVerdict.values)),
            ),
            # A password is kept as long as somebody needs it, and not a row longer.
            models.CheckConstraint(
                name="network_accountimportrow_facts_while_it_waits",
                condition=Q(state=ImportRowState.READY, facts__isnull=False)
                | (~Q(state=ImportRowState.READY) & Q(facts__isnull=True)),
            ),
            models.CheckConstraint(
                name="network_accountimportrow_opened_has_account",
                condition=~Q(state=ImportRowState.OPENED) | Q(account__isnull=False),
            ),
        )
        indexes = (
            models.Index(
                name="network_importrow_by_state", fields=("batch", "state", "number")
            ),
        )

    def __str__(self) -> str:
        return self.login or self.place
