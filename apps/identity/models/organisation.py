"""The tree of the operator, its branches and its resellers."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from guardian.models import UserObjectPermissionBase

from apps.identity.enums import UnitKind
from dotmac.core.models import Record


class OrganisationUnit(Record):
    """One part of the operator's organisation; customers belong to one.

    A unit never moves: its place is part of what its people may see. Its time zone
    is a name of the IANA database; blank means that of the unit above, and at the
    top the operator's (settings.OPERATOR_ZONE).
    """

    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=16, choices=UnitKind)
    parent = models.ForeignKey(
        "identity.OrganisationUnit",
        models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
    )
    time_zone = models.CharField(max_length=64, blank=True, db_default="", default="")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("kind",),
                condition=Q(kind=UnitKind.OPERATOR),
                name="identity_organisationunit_one_operator",
            ),
            models.UniqueConstraint(
                fields=("parent", "name"), name="identity_organisationunit_name_once"
            ),
            models.CheckConstraint(
                name="identity_organisationunit_root_is_operator",
                condition=Q(kind=UnitKind.OPERATOR, parent__isnull=True)
                | (~Q(kind=UnitKind.OPERATOR) & Q(parent__isnull=False)),
            ),
            models.CheckConstraint(
                name="identity_organisationunit_not_own_parent",
                condition=~Q(parent=F("id")),
            ),
        )

    def __str__(self) -> str:
        return self.name


class UnitGrant(UserObjectPermissionBase):
    """django-guardian's direct table: one permission of one user on one unit.

    The permission reaches the unit and all below it.
    """

    # guardian finds this table through the reverse relation, so it has a name.
    content_object = models.ForeignKey(
        OrganisationUnit, models.CASCADE, related_name="grants"
    )
