"""Federation's part in forgetting a person."""

from __future__ import annotations

from datetime import datetime

from apps.federation.selectors.personal import linked_people_of
from dotmac.core.actors import Actor


def forget_people(customer_id: int, actor: Actor, now: datetime) -> None:
    """Nobody who acts for this customer alone is known by a provider any more.

    Whoever's sign-in identity has deleted is gone already, with the link.
    """
    linked_people_of(customer_id).delete()
