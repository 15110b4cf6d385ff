"""Roles, and who holds them where."""

from __future__ import annotations

from django.db import models

from dotmac.core.models import Record


class Role(Record):
    """A named set of permissions; `sync_roles` fills those that come with DotMac."""

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)

    def __str__(self) -> str:
        return self.slug


class RolePermission(models.Model):
    """One permission of the catalogue ("app.verb_noun") in one role."""

    id = models.BigAutoField(primary_key=True)
    role = models.ForeignKey(Role, models.CASCADE, related_name="+", db_index=False)
    permission = models.CharField(max_length=100)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("role", "permission"), name="identity_rolepermission_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.role_id} {self.permission}"


class RoleAssignment(Record):
    """One user holds one role in one unit and in all units below it."""

    user = models.ForeignKey(
        "identity.User", models.CASCADE, related_name="+", db_index=False
    )
    role = models.ForeignKey(Role, models.PROTECT, related_name="+")
    unit = models.ForeignKey(
        "identity.OrganisationUnit", models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("user", "role", "unit"), name="identity_roleassignment_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user_id} {self.role_id} {self.unit_id}"
