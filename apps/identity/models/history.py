"""What became of a customer: turns of state, changed values, notes of staff."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from apps.identity.enums import CustomerState
from apps.identity.models.customer import Customer
from apps.identity.models.signed import Signed
from dotmac.core.models import Record

NOTE_CHARACTERS_MAX = 4_000


class CustomerTurn(Signed):
    """One move from state to state, written with the move.

    A trigger refuses a change of a customer's state without its turn, and any
    change of a turn but the emptying of its reason.
    """

    id = models.BigAutoField(primary_key=True)
    customer = models.ForeignKey(
        Customer, models.CASCADE, related_name="+", db_index=False
    )
    at = models.DateTimeField()
    from_state = models.CharField(max_length=16, choices=CustomerState)
    to_state = models.CharField(max_length=16, choices=CustomerState)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=("customer", "-id"), name="identity_customerturn_of"),
        )
        constraints = (
            models.CheckConstraint(
                name="identity_customerturn_moves",
                condition=~Q(from_state=F("to_state")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.from_state} → {self.to_state}"


class CustomerChange(Signed):
    """A value before and after, for people; the audit names the field alone.

    The audit can never be changed, and a customer may ask to be forgotten: what
    is personal stands here, where erasure reaches it.
    """

    id = models.BigAutoField(primary_key=True)
    customer = models.ForeignKey(
        Customer, models.CASCADE, related_name="+", db_index=False
    )
    at = models.DateTimeField()
    field = models.CharField(max_length=60)
    before = models.CharField(max_length=2000, blank=True)
    after = models.CharField(max_length=2000, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=("customer", "-id"), name="identity_customerchange_of"),
        )

    def __str__(self) -> str:
        return self.field


class CustomerNote(Record, Signed):
    """What a member of staff wrote down about a customer.

    No page shows it to the customer; the copy of all data, which the law lets the
    customer ask for, has it.
    """

    customer = models.ForeignKey(
        Customer, models.CASCADE, related_name="+", db_index=False
    )
    at = models.DateTimeField()
    text = models.TextField(max_length=NOTE_CHARACTERS_MAX)
    pinned = models.BooleanField(default=False)
    edited_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=("customer", "-id"), name="identity_customernote_of"),
        )
        constraints = (
            models.CheckConstraint(
                name="identity_customernote_says_something", condition=~Q(text="")
            ),
        )

    def __str__(self) -> str:
        return self.text[:60]


class NoteRevision(Signed):
    """What a note said before somebody edited it, and who did."""

    id = models.BigAutoField(primary_key=True)
    note = models.ForeignKey(CustomerNote, models.CASCADE, related_name="+")
    at = models.DateTimeField()
    text = models.TextField()

    def __str__(self) -> str:
        return self.text[:60]
