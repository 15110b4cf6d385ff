"""What was decided in a request, written down after it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from django.db import transaction

from apps.identity.models import AccessDecision
from apps.identity.rules.policy import Note, RulePolicy
from apps.ops import operations as ops
from dotmac.core.actors import OUT_OF_REACH, Actor
from dotmac.core.permissions import is_dangerous, is_own
from dotmac.core.refs import SubjectRef
from dotmac.core.telemetry import request_id_var

KEPT = timedelta(days=8)
FORGET_BATCH = 5_000
FORGET_BATCHES_MAX = 200
_SEEN_MAX = 10_000
# The facts that tell one look of an hour from the other.
_PLACE = ("actor.face", "actor.api_key", "request.address")


class _Latest:
    """Which looks of this hour this process has written already.

    Only spares an insert: the constraint on `once` keeps them single.
    """

    def __init__(self) -> None:
        self._keys: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()

    def is_new(self, key: str) -> bool:
        with self._lock:
            if key in self._keys:
                return False
            self._keys[key] = None
            if len(self._keys) > _SEEN_MAX:
                self._keys.popitem(last=False)
            return True


_latest = _Latest()


def record_decisions(
    *, actor: Actor, now: datetime, acted: bool = True, found: bool = True
) -> int:
    """Write down what this actor's request decided, by one insert.

    Every refusal and every act; looking at things, and one's own sign-ins, once an hour for
    each person, permission and place. A request that has not `acted` (it opened a form) did
    none of what it was let through to; one that `found` nothing was let through to nothing.
    A rule that erred is in the audit as well. Returns how many rows were sent.
    """
    policy = actor.policy
    if not isinstance(policy, RulePolicy):
        return 0
    facts = policy.facts(actor)
    rows = [
        _row(note, actor, facts, now, once)
        for note in _settled(policy.noted, acted=acted, found=found)
        if (once := _once(note, facts, actor, now)) is None or _latest.is_new(once)
    ]
    policy.noted.clear()
    # Most requests look at what was looked at in this hour: no transaction for them.
    if rows:
        _write(rows, actor, now)
    return len(rows)


@transaction.atomic
def _write(rows: list[AccessDecision], actor: Actor, now: datetime) -> None:
    AccessDecision.objects.bulk_create(rows, ignore_conflicts=True)
    for row in rows:
        for slug in row.erred:
            _tell_of_error(slug, row.permission, actor, now)


@transaction.atomic
def forget_decisions(*, now: datetime) -> int:
    """Delete what is older than a week and a day, in batches."""
    total = 0
    for _ in range(FORGET_BATCHES_MAX):
        old = AccessDecision.objects.filter(at__lt=now - KEPT).order_by("pk")
        batch = list(old.values_list("pk", flat=True)[:FORGET_BATCH])
        if not batch:
            break
        total += AccessDecision.objects.filter(pk__in=batch).delete()[0]
    return total


def _settled(notes: list[Note], *, acted: bool, found: bool) -> list[Note]:
    """What came of it, each once: a payment is asked for first, and weighed then."""
    weighed = {note.permission for note in notes if note.amount is not None}
    whole = [
        note
        for note in notes
        if note.amount is not None or not note.granted or note.permission not in weighed
    ]
    if not found:
        whole = [_out_of_reach(note) for note in whole]
    kept = [note for note in whole if acted or not note.granted or _is_look(note)]
    return list({(n.permission, n.granted, n.rule, n.amount): n for n in kept}.values())


def _out_of_reach(note: Note) -> Note:
    return replace(note, granted=False, rule=OUT_OF_REACH) if note.granted else note


def _is_look(note: Note) -> bool:
    """What somebody does with his own sign-in is in the audit."""
    return note.permission.partition(".")[2].startswith("view_") or (
        is_own(note.permission) and not is_dangerous(note.permission)
    )


def _once(note: Note, facts: dict[str, Any], actor: Actor, now: datetime) -> str | None:
    """The key of a look; nothing for acts and refusals, which all count.

    A look from elsewhere is another one: rules see from where somebody came in.
    """
    outcome = note.outcome
    if not (note.granted and _is_look(note)) or outcome.would_refuse or outcome.erred:
        return None
    hour = now.strftime("%Y%m%d%H")
    place = "/".join(str(facts.get(name, "")) for name in _PLACE)
    return f"{actor.id}/{note.permission}/{hour}/{place}"


def _row(
    note: Note, actor: Actor, facts: dict[str, Any], now: datetime, once: str | None
) -> AccessDecision:
    amount = note.amount
    return AccessDecision(
        at=now,
        actor_kind=str(actor.kind),
        actor_id=actor.id,
        actor_label=actor.label[:200],
        permission=note.permission,
        granted=note.granted,
        rule=note.rule,
        facts=facts,
        amount_minor=None if amount is None else amount.amount_minor,
        currency="" if amount is None else amount.currency,
        would_refuse=list(note.outcome.would_refuse),
        erred=list(note.outcome.erred),
        once=once,
        request_id=request_id_var.get()[:64],
    )


def _tell_of_error(slug: str, permission: str, actor: Actor, now: datetime) -> None:
    """A rule that errs refuses; somebody has to mend it. Once an hour."""
    if not _latest.is_new(f"erred/{slug}/{now:%Y%m%d%H}"):
        return
    ops.record(
        action="identity.rule_erred",
        subject=SubjectRef("identity", "rule", 0, slug),
        actor=actor,
        now=now,
        changes={"permission": permission},
    )
