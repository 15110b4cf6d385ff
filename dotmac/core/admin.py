"""Base of the admin site's tables: people look, operations write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from dotmac.core.actors import Actor
from dotmac.core.api import actor_of
from dotmac.core.errors import DomainError

SELECTION_MAX = 100
ModelT = TypeVar("ModelT", bound=Model)


class OperationsAdmin(ModelAdmin[ModelT]):
    """Rows are read-only; actions call one operation for each selected row."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def for_each(
        self,
        request: HttpRequest,
        queryset: QuerySet[ModelT],
        act: Callable[[int, Actor], str],
    ) -> None:
        """Run the operation for each row and report each refusal."""
        actor = actor_of(request)
        for row in queryset.order_by("pk")[:SELECTION_MAX]:
            try:
                self.message_user(request, act(row.pk, actor))
            except DomainError as error:
                text = f"{row}: {error.detail}"
                self.message_user(request, text, level=messages.ERROR)
