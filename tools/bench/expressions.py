"""How many conditions of rules a core evaluates, and what compiling costs."""

from __future__ import annotations

import time

from apps.identity.rules.policy import LANGUAGE
from tools.bench.cpu import Series
from tools.bench.page import Bar, Section

BAR = 20_000
FACTS = {
    "actor.roles": ["billing-clerk", "support"],
    "actor.mfa_age_s": 120,
    "request.address": "192.0.2.17",
    "request.hour": 14,
    "amount.major": 60_000.0,
}
CONDITIONS = {
    "one comparison": "request.hour < 18",
    "four clauses": (
        "amount.major > 50000.0 && !('owner' in actor.roles)"
        " && actor.mfa_age_s < 300 && request.hour >= 8"
    ),
    "four clauses with a network": (
        "amount.major > 50000.0 && !(in_network(request.address, '192.0.2.0/24')"
        " && actor.mfa_age_s < 300) || request.hour < 6"
    ),
    "a loop over roles": "actor.roles.exists(r, r.startsWith('bill'))",
}


def run(*, evaluations: int, rounds: int, stamp: str) -> Section:
    """Each condition in turn, `evaluations` times a round."""
    found: dict[str, list[float]] = {name: [] for name in CONDITIONS}
    for _ in range(rounds):
        for name, source in CONDITIONS.items():
            program = LANGUAGE.compile(source)
            began = time.process_time()
            for _number in range(evaluations):
                program.evaluate(FACTS)
            found[name].append(evaluations / (time.process_time() - began))
    slowest = min(Series(values).median for values in found.values())
    return Section(
        name="expressions",
        title="Conditions of rules",
        stamp=stamp,
        settings=_SETTINGS.format(evaluations=f"{evaluations:,}"),
        columns=("condition", "evaluations per CPU second"),
        rows=[[name, Series(values).text(0)] for name, values in found.items()],
        bars=[
            Bar(
                f"evaluations per CPU second, the slowest, at least {BAR:,}",
                f"{slowest:,.0f}",
                slowest >= BAR,
            )
        ],
    )


_SETTINGS = """One process, one thread, {evaluations} evaluations a round of a compiled program as `LANGUAGE.compile` keeps it, with the
check of every fact (kind, length) before each. CPU of the process."""
