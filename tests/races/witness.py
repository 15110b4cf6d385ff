"""A handler that leaves a mark for each event; workers load it with --include."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from dotmac.core.events import Event, on
from dotmac.core.refs import SubjectRef

TABLE = "CREATE TABLE tests_witness (id bigserial PRIMARY KEY, lamp int, step int)"


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessedEvent(Event):
    name = "tests.witness.seen.v1"

    lamp_id: int
    step: int

    @property
    def subject(self) -> SubjectRef:
        return SubjectRef("tests", "witness", self.lamp_id)


@on(WitnessedEvent)
def witness(event: WitnessedEvent) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO tests_witness (lamp, step) VALUES (%s, %s)",
            [event.lamp_id, event.step],
        )
