"""The table: which requests are limited how, and what happens without Redis.

The first policy whose pattern and methods fit decides. Its `door` rules are
judged before anybody is recognised, from the address alone; its `rules` after.
Paths are those of the API without their version: /api/v1/jobs is /api/jobs.
docs/security.md shows this table; a test compares them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Strategy(StrEnum):
    """How a rule counts; decide.lua has each by this name."""

    FIXED = "fixed"
    SLIDING = "sliding"
    BUCKET = "bucket"
    BUSY = "busy"


class Part(StrEnum):
    """What a key is made of."""

    ADDRESS = "address"  # an IPv4 address, or the /64 of an IPv6 one
    PRINCIPAL = "principal"  # the user or key; the address of a stranger
    SCOPE = "scope"  # the branch, the reseller, the customers whom one acts for
    ROUTE = "route"  # the path with its numbers taken out


class Away(StrEnum):
    """What becomes of a request while Redis does not answer."""

    CLOSED = "closed"  # 503: guessing and paying do not go on uncounted
    LOCAL = "local"  # counted in this process, each with its share of the limit


@dataclass(frozen=True, slots=True)
class Rule:
    """So many (`limit`) within `window_s` for each value of `by`.

    For Strategy.BUSY: so many at once; a request that was killed gives its place
    back after `window_s`.
    """

    name: str
    strategy: Strategy
    limit: int
    window_s: int
    by: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """One line of the table."""

    name: str
    says: str
    methods: frozenset[str]
    pattern: re.Pattern[str]
    away: Away
    door: tuple[Rule, ...] = ()
    rules: tuple[Rule, ...] = ()


def _fixed(name: str, limit: int, window_s: int, *by: Part) -> Rule:
    return Rule(name, Strategy.FIXED, limit, window_s, by)


def _sliding(name: str, limit: int, window_s: int, *by: Part) -> Rule:
    return Rule(name, Strategy.SLIDING, limit, window_s, by)


def _bucket(name: str, limit: int, window_s: int, *by: Part) -> Rule:
    return Rule(name, Strategy.BUCKET, limit, window_s, by)


def _busy(name: str, limit: int, lease_s: int, *by: Part) -> Rule:
    return Rule(name, Strategy.BUSY, limit, lease_s, by)


# Never limited: whoever watches must see, above all in trouble.
EXEMPT = re.compile(r"/health(?:/|$)|/static/")

POLICIES: tuple[Policy, ...] = (
    Policy(
        name="refresh",
        says="new tokens for old, signing out",
        methods=WRITES,
        pattern=re.compile(r"/api/auth/(?:refresh|logout)$"),
        away=Away.CLOSED,
        door=(_bucket("refresh-address", 120, 60, Part.ADDRESS),),
    ),
    Policy(
        name="sign-in",
        says="passwords, one-time codes, invitations, resets",
        # Ending one's sign-ins (DELETE) guesses nothing: it goes on without Redis.
        methods=frozenset({"POST"}),
        pattern=re.compile(
            r"/api/auth/|/accounts/|/(?:console|portal)/(?:sign-in|invitation|enrolment"
            r"|reset|recover|passkey|confirm-email|step-up|join)"
        ),
        away=Away.CLOSED,
        door=(
            _sliding("sign-in-address", 30, 60, Part.ADDRESS),
            _fixed("sign-in-hour", 600, 3600, Part.ADDRESS),
        ),
    ),
    Policy(
        name="federation",
        says="to a sign-in provider and back; applications at our own",
        methods=SAFE | WRITES,
        pattern=re.compile(
            r"/(?:console|portal)/federation/|/console/(?:authorize|end-session)|/oidc/"
        ),
        away=Away.CLOSED,
        door=(
            _sliding("federation-address", 300, 60, Part.ADDRESS),
            _fixed("federation-hour", 6000, 3600, Part.ADDRESS),
        ),
    ),
    Policy(
        name="payments",
        says="payments, refunds, credit notes, paying in the portal",
        methods=WRITES,
        pattern=re.compile(
            r"/api/billing/(?:payments|refunds|credit-notes)|/portal/pay"
        ),
        away=Away.CLOSED,
        rules=(
            _sliding("payments-user", 60, 60, Part.PRINCIPAL),
            _fixed("payments-address", 600, 60, Part.ADDRESS),
            _busy("payments-busy", 8, 60, Part.PRINCIPAL),
        ),
    ),
    Policy(
        name="notices",
        says="what payment gateways send; each carries its signature",
        methods=WRITES,
        pattern=re.compile(r"/webhooks/"),
        away=Away.LOCAL,
        door=(_fixed("notices-address", 1200, 60, Part.ADDRESS),),
    ),
    Policy(
        name="heavy",
        says="documents, previews and bill runs",
        methods=SAFE | WRITES,
        pattern=re.compile(
            r"/api/billing/(?:runs$|runs/preview|invoices/\d+/pdf)|/console/.*\.pdf$"
            r"|/api/customers/\d+/(?:documents/\d+/content|exports(?:/\d+/content)?)$"
        ),
        away=Away.LOCAL,
        rules=(
            _bucket("heavy-user", 60, 60, Part.PRINCIPAL, Part.ROUTE),
            _busy("heavy-busy", 4, 120, Part.PRINCIPAL),
        ),
    ),
    Policy(
        name="write",
        says="every other change through the API",
        methods=WRITES,
        pattern=re.compile(r"/api/"),
        away=Away.LOCAL,
        rules=(
            _bucket("write-user", 300, 60, Part.PRINCIPAL),
            _fixed("write-scope", 3000, 60, Part.SCOPE),
            _busy("write-busy", 20, 60, Part.PRINCIPAL),
        ),
    ),
    Policy(
        name="read",
        says="reading through the API",
        methods=SAFE,
        pattern=re.compile(r"/api/"),
        away=Away.LOCAL,
        rules=(
            _bucket("read-user", 1200, 60, Part.PRINCIPAL),
            _fixed("read-address", 6000, 60, Part.ADDRESS),
            _fixed("read-scope", 12000, 60, Part.SCOPE),
            _busy("read-busy", 32, 60, Part.PRINCIPAL),
        ),
    ),
    Policy(
        name="pages",
        says="console, portal, admin and everything else",
        methods=SAFE | WRITES,
        pattern=re.compile(r"/"),
        away=Away.LOCAL,
        rules=(_bucket("pages-user", 1200, 60, Part.PRINCIPAL),),
    ),
)

_VERSION = re.compile(r"/api/v\d+/")


def policy_for(method: str, path: str) -> Policy | None:
    """The policy of a request; None for what is never limited."""
    if EXEMPT.match(path):
        return None
    plain = _VERSION.sub("/api/", path, count=1)
    return next(
        (
            policy
            for policy in POLICIES
            if method in policy.methods and policy.pattern.match(plain)
        ),
        None,
    )
