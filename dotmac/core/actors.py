"""Who acts, and over which rows each permission reaches.

An actor is made at the edge (a view, a task, a command) from the live rows of
identity, and passed down as an argument. Row scope comes from columns and
grants only: organisation units, customers. Rules may take a permission away for
the moment (an address, an hour, an amount), never widen or narrow its rows, so
that a list is always the filter of the detail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from dotmac.core.errors import PermissionRefused, StepUpRequired
from dotmac.core.money import Money
from dotmac.core.permissions import is_dangerous, is_own

# A dangerous operation needs a second factor that was shown this recently.
STEP_UP_LIFETIME = timedelta(minutes=10)
# What stands in place of a rule's slug where that was the reason.
STEP_UP = "step_up"
# The permission is held somewhere, and nothing within its reach was asked for.
OUT_OF_REACH = "out_of_reach"


class ActorKind(StrEnum):
    STAFF = "staff"
    CUSTOMER = "customer"
    SYSTEM = "system"


class GrantedCustomers(Protocol):
    """Customers that rows name one by one: read where they are asked for.

    Somebody may hold thousands of grants, and a request asks about a few. It is
    hashable, so that a scope holds each source once.
    """

    def ids(self) -> Any:
        """Their ids: a query, for a filter (`customer_id__in`) or to walk through."""

    def joined(self, name: str) -> dict[str, Any]:
        """The same as a filter of customers, whose rows of this are called `name`."""

    def __contains__(self, customer_id: int) -> bool: ...


@dataclass(frozen=True, slots=True)
class Scope:
    """The rows that one permission reaches.

    Either everything, or the rows of some organisation units and customers; the
    customers are named here (`customer_ids`) or by rows (`granted`).
    """

    everything: bool = False
    unit_ids: frozenset[int] = frozenset()
    customer_ids: frozenset[int] = frozenset()
    granted: frozenset[GrantedCustomers] = frozenset()

    def __bool__(self) -> bool:
        return self.everything or bool(
            self.unit_ids or self.customer_ids or self.granted
        )

    def __or__(self, other: Scope) -> Scope:
        return Scope(
            everything=self.everything or other.everything,
            unit_ids=self.unit_ids | other.unit_ids,
            customer_ids=self.customer_ids | other.customer_ids,
            granted=self.granted | other.granted,
        )

    @property
    def is_single(self) -> bool:
        """Whether one source makes it up."""
        return len(self.sources()) == 1

    def names_customer(self, customer_id: int) -> bool:
        """Whether the customer is named, here or by a row; units are not looked at."""
        return customer_id in self.customer_ids or any(
            customer_id in source for source in self.granted
        )

    def named_customers(self) -> frozenset[int]:
        """Every customer that is named, those of rows read now."""
        return self.customer_ids.union(*(source.ids() for source in self.granted))

    def sources(self) -> list[Scope]:
        """Scopes that reach the same together, each by one way: units, names, rows.

        A database finds the newest rows of one way by an index; of several joined
        by "or" it reads until enough have passed.
        """
        if self.everything:
            return [self]
        told = [Scope(unit_ids=self.unit_ids), Scope(customer_ids=self.customer_ids)]
        told += [Scope(granted=frozenset((source,))) for source in self.granted]
        return [scope for scope in told if scope]

    def customer_sources(self) -> list[Any]:
        """What a filter may be given, one after the other (`customer_id__in`)."""
        told: list[Any] = [self.customer_ids] if self.customer_ids else []
        return told + [source.ids() for source in self.granted]


NOTHING = Scope()
EVERYTHING = Scope(everything=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """How the actor came in: what rules and step-up look at.

    `now` is when the request was recognised; `mfa_at` when a second factor was
    shown last, None for sign-ins without one and for API keys.
    """

    now: datetime
    face: str
    roles: frozenset[str] = frozenset()
    started_at: datetime | None = None
    mfa_at: datetime | None = None
    api_key_id: int | None = None

    @property
    def mfa_is_fresh(self) -> bool:
        return self.mfa_at is not None and self.now - self.mfa_at <= STEP_UP_LIFETIME


class Policy(Protocol):
    """What may take a held permission away for the moment: the rules."""

    def refusal(
        self, actor: Actor, permission: str, amount: Money | None = None
    ) -> str | None:
        """The slug of the rule that refuses, or None.

        Rules about amounts are asked only when there is an amount.
        """

    def why(self, rule: str) -> str:
        """What the refused person reads of this rule."""

    def note(
        self,
        permission: str,
        *,
        granted: bool,
        rule: str = "",
        amount: Money | None = None,
    ) -> None:
        """Remember that an act was decided; the edge writes it down afterwards.

        `rule` says why not: a rule's slug, "" where the permission is not held.
        """


@dataclass(frozen=True, slots=True)
class Actor:
    """One person or program at work: kind, user id, and permission scopes."""

    kind: ActorKind
    id: int | None
    label: str
    scopes: Mapping[str, Scope] = field(default_factory=dict)
    session_id: int | None = None
    address: str = ""
    circumstances: Circumstances | None = None
    policy: Policy | None = field(default=None, compare=False, repr=False)

    def scope(self, permission: str) -> Scope:
        """The rows that the permission reaches now.

        Empty when it is not held, or when a rule refuses it.
        """
        if self.kind == ActorKind.SYSTEM:
            return EVERYTHING
        held = self._held(permission)
        return NOTHING if held and self._refusal(permission) else held

    def by_source(self, permission: str) -> list[Actor]:
        """This actor for each source of the permission's scope; itself for one."""
        sources = self.scopes.get(permission, NOTHING).sources()
        if self.kind == ActorKind.SYSTEM or len(sources) < 2:
            return [self]
        return [
            replace(self, scopes={**self.scopes, permission: source})
            for source in sources
        ]

    def may(self, permission: str) -> bool:
        """True when the permission is held somewhere and no rule refuses it."""
        return bool(self.scope(permission))

    def require(self, permission: str) -> Scope:
        """The scope of the permission.

        Raises PermissionRefused without it, with the rule that refused it if one
        did; StepUpRequired when the operation is dangerous and the second factor
        was shown too long ago.
        """
        if self.kind == ActorKind.SYSTEM:
            return EVERYTHING
        held = self._held(permission)
        if not held:
            self._note(permission, granted=False)
            raise PermissionRefused(permission=permission)
        if rule := self._refusal(permission):
            self._note(permission, granted=False, rule=rule)
            raise self._refused(permission, rule)
        if is_dangerous(permission) and not self._stepped_up():
            self._note(permission, granted=False, rule=STEP_UP)
            raise StepUpRequired(permission=permission)
        self._note(permission, granted=True)
        return held

    def _held(self, permission: str) -> Scope:
        """By roles and grants; one's own sign-in belongs to whoever signed in."""
        if is_own(permission):
            by_key = self.circumstances and self.circumstances.api_key_id is not None
            return NOTHING if by_key else EVERYTHING
        return self.scopes.get(permission, NOTHING)

    def weigh(self, permission: str, amount: Money) -> None:
        """Ask the rules about an amount; raises PermissionRefused.

        Operations that move money call it, so that no face can forget to.
        """
        rule = self._refusal(permission, amount)
        self._note(permission, granted=rule is None, rule=rule or "", amount=amount)
        if rule is not None:
            raise self._refused(permission, rule)

    def _refused(self, permission: str, rule: str) -> PermissionRefused:
        why = self.policy.why(rule) if self.policy is not None else ""
        return PermissionRefused(why, permission=permission, rule=rule)

    def _note(self, permission: str, **facts: Any) -> None:
        if self.policy is not None:
            self.policy.note(permission, **facts)

    def _refusal(self, permission: str, amount: Money | None = None) -> str | None:
        if self.policy is None:
            return None
        return self.policy.refusal(self, permission, amount)

    def _stepped_up(self) -> bool:
        """Work in a person's name without a sign-in behind it was judged before."""
        return self.circumstances is None or self.circumstances.mfa_is_fresh

    @property
    def is_customer(self) -> bool:
        return self.kind == ActorKind.CUSTOMER


def system_actor(label: str) -> Actor:
    """The platform itself: a beat task, a handler, a command."""
    return Actor(kind=ActorKind.SYSTEM, id=None, label=label)
