"""Who did what, with before and after."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.ops import selectors
from apps.ops.console.subjects import customer_url, subject_text, subject_url
from apps.ops.enums import ActorKinds
from apps.ops.models import AuditEntry
from apps.ops.selectors import ChainState
from dotmac.core.actors import Actor
from dotmac.core.console import (
    ChangesPanel,
    ChoiceFilter,
    Column,
    DateFilter,
    DetailScreen,
    Fact,
    FactsPanel,
    IdFilter,
    ListScreen,
    Page,
    Panel,
    State,
    Tab,
    TextFilter,
    Tile,
    list_url,
    register_screen,
    state_of,
)
from dotmac.core.console.render import DASH

_PAIR = 2
ANCHOR_AGE_MAX = timedelta(hours=26)
WAITING_WARN = 1_000


def changed_words(entry: AuditEntry) -> str:
    """The names of what changed, shortened."""
    names = list(entry.changes)
    more = f" +{len(names) - 3}" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def chain_state(entry: AuditEntry) -> State:
    """The badge of an entry whose `chain` was fetched by `with_chain`."""
    state: ChainState = entry.chain  # type: ignore[attr-defined]
    return state_of(state.word, why=_chain_why(state))


def _chain_why(state: ChainState) -> str:
    place = {"stream": state.stream, "sequence": state.sequence}
    if state.word == "pending":
        return _("It gets its place in the chain within seconds.")
    if state.word == "broken":
        return (
            _(
                "Link %(sequence)d of %(stream)s does not fit: the entry is not what was"
                " recorded. See manage.py audit_verify."
            )
            % place
        )
    if state.verified_at is not None:
        at = date_format(localtime(state.verified_at), "SHORT_DATETIME_FORMAT")
        return _("Link %(sequence)d of %(stream)s, read again at %(at)s.") % {
            **place, "at": at,
        }  # fmt: skip
    return _("Link %(sequence)d of %(stream)s, not read again yet.") % place


def of_subject(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    """A label as people know it ("C-000123"), or kind and id ("service:12")."""
    kind, colon, number = text.rpartition(":")
    if colon and number.isdecimal() and len(number) < 19:
        return rows.filter(subject_kind=kind.rpartition(".")[2], subject_id=int(number))
    return rows.filter(subject_label__istartswith=text)


@register_screen
class AuditList(ListScreen):
    slug = "audit"
    title = gettext_lazy("Audit")
    permission = "ops.view_audit"
    icon = "history"
    menu = "system"
    menu_order = 20
    intro = gettext_lazy(
        "Every change and every refusal, who made it, and what it changed. Append-only,"
        " chained, and anchored outside the database."
    )
    empty = gettext_lazy("Nothing was recorded that fits.")
    search_hint = gettext_lazy("Action, e.g. catalog.service")
    columns = (
        Column(gettext_lazy("When"), "occurred_at", "datetime"),
        Column(gettext_lazy("Action"), "action"),
        Column(gettext_lazy("About"), subject_text, to=subject_url),
        Column(gettext_lazy("Who"), "actor_label"),
        Column(gettext_lazy("Address"), "address", phone=False),
        Column(gettext_lazy("Changed"), changed_words, phone=False),
        Column(gettext_lazy("Chain"), chain_state, "state"),
    )
    filters = (
        ChoiceFilter(
            name="actor_kind", label=gettext_lazy("Who"), choices=ActorKinds.choices
        ),
        TextFilter(
            name="actor", label=gettext_lazy("Name"), field="actor_label__iexact"
        ),
        TextFilter(name="subject", label=gettext_lazy("About"), apply=of_subject),
        TextFilter(name="address", label=gettext_lazy("From address")),
        TextFilter(name="request", label=gettext_lazy("Request"), field="request_id"),
        DateFilter(
            name="from", label=gettext_lazy("From"), field="occurred_at__date__gte"
        ),
        DateFilter(name="to", label=gettext_lazy("To"), field="occurred_at__date__lte"),
        IdFilter(name="customer", label=gettext_lazy("Customer"), field="customer_id"),
    )

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.audit_entries(actor, permission)

    def search(self, rows: QuerySet[Any], text: str) -> QuerySet[Any]:
        return rows.filter(action__startswith=text.lower())

    def decorate(self, rows: list[Any], page: Page) -> list[Any]:
        return selectors.with_chain(rows)

    def summary(self, page: Page) -> Sequence[Tile]:
        return [verification_tile(), anchor_tile(page), waiting_tile()]


def verification_tile() -> Tile:
    check = selectors.latest_verification()
    label = _("Last verification")
    if check is None:
        why = _("It runs every night: manage.py audit_verify runs it now.")
        return Tile(label=label, value=_("never"), tone="warn", why=why)
    if not check.good:
        why = " ".join(found["says"] for found in check.findings[:2])
        return Tile(
            label=label, value=check.checked_at, kind="datetime", tone="bad", why=why
        )
    why = _("%(rows)s entries, all as they were recorded.") % {"rows": check.rows}
    return Tile(
        label=label, value=check.checked_at, kind="datetime", tone="good", why=why
    )


def anchor_tile(page: Page) -> Tile:
    anchor = selectors.latest_anchor()
    label = _("Last anchor")
    if anchor is None:
        why = _("The head is signed every night: manage.py audit_anchor does it now.")
        return Tile(label=label, value=_("never"), tone="warn", why=why)
    why = _("Link %(sequence)d of %(stream)s, signed outside the database.") % {
        "sequence": anchor.sequence,
        "stream": anchor.stream,
    }
    return Tile(
        label=label,
        value=anchor.checked_at,
        kind="datetime",
        tone="warn" if page.now - anchor.checked_at > ANCHOR_AGE_MAX else "good",
        why=why,
    )


def waiting_tile() -> Tile:
    waiting = selectors.pending_count()
    return Tile(
        label=_("Waiting for the chain"),
        value=waiting,
        kind="number",
        tone="warn" if waiting >= WAITING_WARN else "",
        why=_("Entries of the last seconds; more means that no worker runs."),
    )


@register_screen
class AuditDetail(DetailScreen):
    slug = "audit"
    title = gettext_lazy("Audit entry")
    permission = "ops.view_audit"
    tabs = (Tab(slug="changes", label=gettext_lazy("Changes"), build="changes"),)

    def rows(self, actor: Actor, permission: str) -> QuerySet[Any]:
        return selectors.audit_entries(actor, permission)

    def heading(self, row: AuditEntry) -> str:
        return row.action

    def subheading(self, row: AuditEntry, page: Page) -> str:
        return _("by %(who)s") % {"who": row.actor_label}

    def state(self, row: AuditEntry, page: Page) -> State:
        return chain_state(selectors.with_chain([row])[0])

    def facts(self, row: AuditEntry, page: Page) -> Sequence[Fact]:
        facts = [
            Fact(_("When"), row.occurred_at, "datetime"),
            Fact(_("About"), subject_text(row), url=subject_url(row)),
            Fact(_("From address"), row.address),
        ]
        if row.request_id:
            same = list_url("audit", request=row.request_id)
            facts.append(Fact(_("Request"), row.request_id, url=same))
        if row.customer_id is not None:
            url = customer_url(row)
            facts.append(Fact(_("Customer"), _("Open"), url=url))
        return facts

    def changes(self, row: AuditEntry, page: Page) -> Sequence[Panel]:
        changes = [
            (words(name), *before_after(value)) for name, value in row.changes.items()
        ]
        return [
            ChangesPanel(
                title=_("Before and after"),
                changes=changes,
                empty=_("This act has no fields to compare."),
            )
        ]

    def aside(self, row: AuditEntry, page: Page) -> Sequence[Panel]:
        chain: ChainState = selectors.with_chain([row])[0].chain
        if chain.word == "pending":
            return []
        facts = [
            Fact(_("Stream"), chain.stream),
            Fact(_("Place"), chain.sequence),
            Fact(_("Chained"), chain.chained_at, "datetime"),
            Fact(_("Verified"), chain.verified_at, "datetime"),
            Fact(_("Hash"), chain.hash, "code"),
        ]
        return [FactsPanel(title=_("Chain"), facts=facts)]


def words(name: str) -> str:
    """A field's name as people read it."""
    return name.removesuffix("_id").replace("_", " ").capitalize()


def before_after(value: Any) -> tuple[str, str]:
    """A pair is a change; anything else is a fact of the new state."""
    if isinstance(value, list) and len(value) == _PAIR:
        return plain(value[0]), plain(value[1])
    return "", plain(value)


def plain(value: Any) -> str:
    """Plain words: yes and no, lists by commas, records by lines."""
    if value is None or value in ("", [], {}):
        return DASH
    if isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    if isinstance(value, list):
        return ", ".join(plain(inner) for inner in value)
    if isinstance(value, dict):
        return "\n".join(f"{words(k)}: {plain(v)}" for k, v in value.items())
    return str(value)
