"""What of identity moves from a duplicate to the customer that it is."""

from __future__ import annotations

from typing import Any

from apps.identity.errors import CannotBeMerged, CannotBeUnmerged
from apps.identity.models import (
    Contact,
    Customer,
    CustomerDocument,
    CustomerNote,
    CustomerTag,
    Membership,
    ServiceLocation,
)
from apps.identity.operations.members import forget_idle_users
from dotmac.core.db import refusing
from dotmac.core.merging import Moved, Pair

_WHOLE: dict[str, Any] = {
    "locations": ServiceLocation,
    "notes": CustomerNote,
    "documents": CustomerDocument,
}


def move_identity(pair: Pair) -> Moved:
    """Contacts, places, notes, papers and customers below move; tags and people add up.

    Who signs in for the duplicate signs in for both from now on: the bills of
    the duplicate stay under its number.
    """
    moved: dict[str, list[int]] = {}
    for name, model in _WHOLE.items():
        rows = model.objects.filter(customer_id=pair.duplicate_id)
        moved[name] = list(rows.order_by("pk").values_list("pk", flat=True))
        rows.update(customer_id=pair.survivor_id)
    below = Customer.objects.filter(parent_id=pair.duplicate_id)
    moved["below"] = list(below.order_by("pk").values_list("pk", flat=True))
    says = "The customers below it would hang too deep, or below themselves."
    with refusing(identity_customer_family=lambda: CannotBeMerged(says, objections=[])):
        below.update(parent_id=pair.survivor_id)
    return {
        **moved,
        **_move_contacts(pair),
        "tags": _add_tags(pair),
        "members": _add_members(pair),
    }


def give_back_identity(pair: Pair, moved: Moved) -> None:
    """What moved and is still there goes back; what was added goes."""
    for name, model in _WHOLE.items():
        _of(model, moved[name], pair).update(customer_id=pair.duplicate_id)
    below = Customer.objects.filter(pk__in=moved["below"], parent_id=pair.survivor_id)
    says = "The families changed since: what goes back would hang too deep."
    with refusing(
        identity_customer_family=lambda: CannotBeUnmerged(says, objections=[])
    ):
        below.update(parent_id=pair.duplicate_id)
    contacts = _of(Contact, moved["contacts"], pair)
    # One primary contact each: theirs steps down before it is one again.
    contacts.update(customer_id=pair.duplicate_id, is_primary=False)
    primary = Contact.objects.filter(
        pk__in=moved["primary"], customer_id=pair.duplicate_id
    )
    primary.update(is_primary=True)
    CustomerTag.objects.filter(
        pk__in=moved["tags"], customer_id=pair.survivor_id
    ).delete()
    added = Membership.objects.filter(
        pk__in=moved["members"], customer_id=pair.survivor_id
    )
    people = list(added.values_list("user_id", flat=True))
    added.delete()
    forget_idle_users(people)


def _move_contacts(pair: Pair) -> dict[str, list[int]]:
    rows = Contact.objects.filter(customer_id=pair.duplicate_id)
    keys = list(rows.order_by("pk").values_list("pk", flat=True))
    primary = list(rows.filter(is_primary=True).values_list("pk", flat=True))
    theirs = Contact.objects.filter(customer_id=pair.survivor_id, is_primary=True)
    if theirs.exists():
        rows.update(is_primary=False)
    rows.update(customer_id=pair.survivor_id)
    return {"contacts": keys, "primary": primary}


def _add_tags(pair: Pair) -> list[int]:
    """The survivor has the duplicate's tags as well; the keys of the new rows."""
    has = CustomerTag.objects.filter(customer_id=pair.survivor_id).values("tag_id")
    mine = CustomerTag.objects.filter(customer_id=pair.duplicate_id)
    added = CustomerTag.objects.bulk_create(
        CustomerTag(customer_id=pair.survivor_id, tag_id=row.tag_id)
        for row in mine.exclude(tag_id__in=has)
    )
    return [row.pk for row in added]


def _add_members(pair: Pair) -> list[int]:
    """Who acts for the duplicate acts for the survivor as well, with those rights."""
    has = Membership.objects.filter(customer_id=pair.survivor_id).values("user_id")
    mine = Membership.objects.filter(customer_id=pair.duplicate_id)
    added = Membership.objects.bulk_create(
        Membership(customer_id=pair.survivor_id, user_id=row.user_id, rights=row.rights)
        for row in mine.exclude(user_id__in=has)
    )
    return [row.pk for row in added]


def _of(model: Any, keys: list[int], pair: Pair) -> Any:
    return model.objects.filter(pk__in=keys, customer_id=pair.survivor_id)
