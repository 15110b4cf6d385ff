"""Why a login is let in or refused, step by step, by the judges that decide it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from apps.network.models import AccessAttempt, Nas
from apps.network.radius.packets import unquoted
from apps.network.selectors.records import access_attempts, accounts, nas_list
from apps.ops import selectors as ops
from dotmac.core.actors import Actor
from dotmac.core.db import fetch_dicts

PERMISSION = "network.view_session"
_STRANGER = (
    {"step": "account", "outcome": "unknown", "detail": {"closed": None}},
    {"step": "verdict", "outcome": "reject", "detail": {"reason": "unknown"}},
)


@dataclass(frozen=True, slots=True)
class ExplainedStep:
    """One question that RADIUS asks, and its answer; sql/0033_explain.sql has the words."""

    step: str
    outcome: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The steps in their order, and what comes of them.

    `verdict`: accept (no password is asked for), password (let in with the right
    one), reject, silent (no answer at all). `hold` names the hold that decided.
    """

    steps: tuple[ExplainedStep, ...]
    verdict: str
    reason: str
    hold: str
    account_id: int | None
    reply: tuple[tuple[str, str, str], ...]


def explain_access(
    actor: Actor, permission: str = PERMISSION, *, login: str, nas_address: str,
    mac: str = "", port: str = "", circuit: str = "", remote: str = "",
) -> Explanation:  # fmt: skip
    """What RADIUS would answer this request now, and why. Changes nothing.

    Everything is text as radius_text() gives it. An account that the actor may not
    see is answered as a login that nobody has.
    """
    rows = fetch_dicts(
        "SELECT step, outcome, detail"
        "  FROM network_explain_access(%s, %s::inet, %s, %s, %s, %s)",
        [login, nas_address, mac, port, circuit, remote],
    )
    for row in rows:
        row["detail"] = json.loads(row["detail"])
    asked = next((row for row in rows if row["step"] == "account"), None)
    detail: Mapping[str, Any] = asked["detail"] if asked else {}
    about = detail.get("account_id") or detail.get("closed")
    reached = accounts(actor, permission)
    if about is not None and not reached.filter(pk=about).exists():
        rows = [rows[0], *_STRANGER]
    return _explanation([ExplainedStep(**row) for row in rows], actor)


def explaining_nases(actor: Actor, permission: str = PERMISSION) -> list[Nas]:
    """Those that a login can be explained for: all, for whom may see NASes.

    Anybody else chooses among those that his accounts asked lately.
    """
    rows = nas_list(actor)
    if not actor.scope("network.view_nas").everything:
        asked = access_attempts(actor, permission).order_by("-decided_at", "-pk")
        ids = asked.values_list("nas_id", flat=True)[:_LATELY]
        rows = Nas.objects.filter(pk__in=set(ids))
    return list(rows.order_by("name")[:_NASES_MAX])


def attempt_of(
    actor: Actor, attempt_id: int, permission: str = PERMISSION
) -> AccessAttempt | None:
    """The attempt, where the actor may see it."""
    return access_attempts(actor, permission).filter(pk=attempt_id).first()


_NASES_MAX = 1_000
_LATELY = 1_000


def _explanation(steps: list[ExplainedStep], actor: Actor) -> Explanation:
    verdict = next(step for step in steps if step.step == "verdict")
    account = next(
        (s.detail.get("account_id") for s in steps if s.step == "account"), None
    )
    word, _, hold = verdict.detail["reason"].partition(":")
    placed = _placed_by(account, actor) if account else {}
    return Explanation(
        steps=tuple(
            ExplainedStep(s.step, s.outcome, {**s.detail, "by": placed.get(s.detail["reason"], "")})
            if s.step == "hold" else s
            for s in steps if s.step not in ("reply", "verdict")
        ),
        verdict=verdict.outcome,
        reason=word,
        hold=hold,
        account_id=account,
        reply=tuple(
            (s.outcome, s.detail["op"], unquoted(s.detail["value"]))
            for s in steps if s.step == "reply"
        ),
    )  # fmt: skip


def _placed_by(account_id: int, actor: Actor) -> dict[str, str]:
    """Who placed the latest hold for each reason, for whom may read the audit."""
    entries = ops.audit_entries(actor).filter(
        action="network.hold.placed.v1", subject_app="network", subject_kind="account",
        subject_id=account_id,
    )  # fmt: skip
    found = entries.order_by("pk").values_list("changes__reason", "actor_label")
    return {str(reason): label for reason, label in found}
