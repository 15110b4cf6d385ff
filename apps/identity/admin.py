"""Identity's tables for superusers. Rows are read-only; actions are operations."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.identity import operations
from apps.identity.enums import SessionEnd
from apps.identity.models import (
    OrganisationUnit,
    Role,
    RoleAssignment,
    RolePermission,
    Session,
    User,
)
from dotmac.core.actors import Actor
from dotmac.core.admin import OperationsAdmin

# Roles stand in their place; an empty table would only invite mistakes.
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(OperationsAdmin[User]):
    list_display = ("username", "name", "email", "kind", "is_active", "is_superuser")
    list_filter = ("kind", "is_active", "is_superuser")
    search_fields = ("username", "email", "name")
    exclude = ("password",)
    actions = ("deactivate", "reactivate", "reset_mfa")

    @admin.action(description="Deactivate: end all sessions, refuse sign-in")
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        now = timezone.now()
        self.for_each(
            request,
            queryset,
            lambda pk, actor: _("%s is switched off.")
            % operations.deactivate_user(user_id=pk, actor=actor, now=now),
        )

    @admin.action(description="Reactivate: allow sign-in again")
    def reactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        now = timezone.now()
        self.for_each(
            request,
            queryset,
            lambda pk, actor: _("%s may sign in again.")
            % operations.reactivate_user(user_id=pk, actor=actor, now=now),
        )

    @admin.action(description="Reset MFA and show a one-time link")
    def reset_mfa(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        now = timezone.now()
        self.for_each(
            request,
            queryset,
            lambda pk, actor: _("Hand over this link, it works once: %s")
            % (
                settings.BASE_URL
                + operations.reset_mfa(user_id=pk, actor=actor, now=now).path
            ),
        )


@admin.register(OrganisationUnit)
class OrganisationUnitAdmin(OperationsAdmin[OrganisationUnit]):
    list_display = ("name", "kind", "parent", "time_zone")
    list_select_related = ("parent",)


@admin.register(Role)
class RoleAdmin(OperationsAdmin[Role]):
    list_display = ("slug", "name")


@admin.register(RolePermission)
class RolePermissionAdmin(OperationsAdmin[RolePermission]):
    list_display = ("role", "permission")
    list_filter = ("role",)
    list_select_related = ("role",)
    search_fields = ("permission",)


@admin.register(RoleAssignment)
class RoleAssignmentAdmin(OperationsAdmin[RoleAssignment]):
    list_display = ("user", "role", "unit")
    list_select_related = ("user", "role", "unit")


@admin.register(Session)
class SessionAdmin(OperationsAdmin[Session]):
    list_display = (
        "id", "user", "face", "stage", "address", "started_at", "seen_at", "ended_at",
        "end_reason",
    )  # fmt: skip
    list_filter = ("face", "stage")
    list_select_related = ("user",)
    actions = ("end",)

    @admin.action(description="End these sessions")
    def end(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        now = timezone.now()

        def end_one(pk: int, actor: Actor) -> str:
            operations.end_session(
                session_id=pk, now=now, reason=SessionEnd.REVOKED, actor=actor
            )
            return _("Session %s is over.") % pk

        self.for_each(request, queryset, end_one)
