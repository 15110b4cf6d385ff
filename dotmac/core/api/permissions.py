"""The one place where an API request is let through or not."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from dotmac.core.api import actor_of


class DeclaredPermission(BasePermission):
    """Default deny: the view must name a permission for the action.

    Row scope is not decided here but by the queryset (`visible_to`), so that a
    list is always the filter of the detail.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        needed = view.permission_for(request)
        if needed is None:
            return False
        actor_of(request).require(needed)
        return True
