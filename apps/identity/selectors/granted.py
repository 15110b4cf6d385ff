"""Customers that grants name: kept in their rows, read where they are asked for."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from apps.identity.models import CustomerGrant


@dataclass(frozen=True, slots=True)
class GrantedTo:
    """The customers on which one person holds one permission.

    Of a holder of ten thousand grants a request carries these two numbers.
    """

    user_id: int
    permission_id: int

    def ids(self) -> QuerySet[CustomerGrant, int]:
        return self._rows().values_list("content_object_id", flat=True)

    def joined(self, name: str) -> dict[str, int]:
        return {
            f"{name}__user_id": self.user_id,
            f"{name}__permission_id": self.permission_id,
        }

    def __contains__(self, customer_id: int) -> bool:
        return self._rows().filter(content_object_id=customer_id).exists()

    def _rows(self) -> QuerySet[CustomerGrant]:
        return CustomerGrant.objects.filter(
            user_id=self.user_id, permission_id=self.permission_id
        )
