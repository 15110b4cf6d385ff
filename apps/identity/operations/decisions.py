"""What was decided in a request, written down after it."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from threading import Lock
from typing import Any

from django.db import transaction

from apps.identity.models import AccessDecision
from apps.identity.rules.policy import Note, RulePolicy
from apps.ops import operations as ops
from dotmac.core.actors import Actor
from dotmac.core.permissions import is_dangerous, is_own
from dotmac.core.refs import SubjectRef
from dotmac.core.telemetry import request_id_var

KEPT = timedelta(days=8)
FORGET_BATCH = 5_000
FORGET_BATCHES_MAX = 200
_SEEN_MAX = 10_000


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


def record_decisions(*, actor: Actor, now: datetime) -> int:
    """Write down what this actor's request decided, by one insert.

    Every refusal and every act; looking at things, and one's own sign-ins, once an hour for
    each person and permission. A rule that erred is in the audit as well. Returns how many
    rows were sent.
    """
    policy = actor.policy
    if not isinstance(policy, RulePolicy):
        return 0
    facts = policy.facts(actor)
    rows = [
        _row(note, actor, facts, now, once)
        for note in _without_repeats(policy.noted)
        if (once := _once(note, actor, now)) is None or _latest.is_new(once)
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


def _without_repeats(notes: list[Note]) -> list[Note]:
    return list(
        {(n.permission, n.granted, n.rule, n.amount): n for n in notes}.values()
    )


def _once(note: Note, actor: Actor, now: datetime) -> str | None:
    """The key of a look; nothing for acts and refusals, which all count."""
    # What somebody does with his own sign-in is in the audit.
    is_look = note.permission.partition(".")[2].startswith("view_") or (
        is_own(note.permission) and not is_dangerous(note.permission)
    )
    outcome = note.outcome
    if not (note.granted and is_look) or outcome.would_refuse or outcome.erred:
        return None
    hour = now.strftime("%Y%m%d%H")
    return f"{actor.id}/{note.permission}/{hour}"


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
