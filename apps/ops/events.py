from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from dotmac.core.events import Event
from dotmac.core.refs import SubjectRef


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessDateMoved(Event):
    name = "ops.business_date.moved.v1"

    business_date: date

    @property
    def subject(self) -> SubjectRef:
        return SubjectRef("ops", "installation", 1)
